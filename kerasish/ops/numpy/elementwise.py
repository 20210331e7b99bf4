"""Functions applied to every element: arithmetic, exponentials, trigonometry, rounding, complex numbers.

Comparison, logic and bits are in `logic`.
"""

from typing import Any

import numpy as np

from kerasish.base import config
from kerasish.engine import primitives as P
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import SCALARS, common, floats, kind, promoted, tensor
from kerasish.ops.op import op

# -- arithmetic -------------------------------------------------------------------------------------------------------


def _arithmetic(x: Tensor, name: str) -> Tensor:
    """Booleans have no difference and no sign."""
    if x.dtype.kind == "b":
        raise TypeError(f"ops.{name} is not defined for booleans. Use ops.logical_not or ops.logical_xor, or cast.")
    return x


def _numbers(*xs: Any) -> list[Tensor]:
    """Promoted, booleans as integers."""
    dtype = common(*map(kind, xs))
    if dtype.kind == "b":
        dtype = np.dtype("int32")
    return [tensor(x, dtype) for x in xs]


@op
def add(x1: Any, x2: Any) -> Tensor:
    """The sum of two tensors, element by element."""
    a, b = promoted(x1, x2)
    return P.logical_or(a, b) if a.dtype.kind == "b" else P.add(a, b)


@op
def subtract(x1: Any, x2: Any) -> Tensor:
    """The difference, element by element."""
    a, b = promoted(x1, x2)
    return P.sub(_arithmetic(a, "subtract"), b)


@op
def multiply(x1: Any, x2: Any) -> Tensor:
    """The product, element by element."""
    a, b = promoted(x1, x2)
    return P.logical_and(a, b) if a.dtype.kind == "b" else P.mul(a, b)


@op
def divide(x1: Any, x2: Any) -> Tensor:
    """The quotient, element by element; of integers as floats."""
    return P.div(*floats(x1, x2))


@op
def true_divide(x1: Any, x2: Any) -> Tensor:
    """The same as `divide`."""
    return P.div(*floats(x1, x2))


@op
def divide_no_nan(x1: Any, x2: Any) -> Tensor:
    """The quotient, and 0 where the divisor is 0."""
    a, b = floats(x1, x2)
    nothing = P.equal(b, P.scalar(b, 0))
    quotient = P.div(a, P.select(nothing, P.scalar(b, 1), b))
    return P.select(nothing, P.scalar(b, 0), quotient)


@op
def floor_divide(x1: Any, x2: Any) -> Tensor:
    """The quotient, rounded towards minus infinity."""
    return P.floordiv(*_numbers(x1, x2))


@op
def mod(x1: Any, x2: Any) -> Tensor:
    """The remainder of `floor_divide`; it has the sign of the divisor."""
    return P.mod(*_numbers(x1, x2))


@op
def fmod(x1: Any, x2: Any) -> Tensor:
    """The remainder of a division rounded towards zero; it has the sign of the dividend."""
    a, b = _numbers(x1, x2)
    if a.dtype.kind == "f":
        return P.sub(a, P.mul(P.stop_gradient(P.trunc(P.div(a, b))), b))
    size = P.mod(P.abs_(a), P.abs_(b))
    return P.mul(P.sign(a), size) if a.dtype.kind == "i" else size


@op
def power(x1: Any, x2: Any) -> Tensor:
    """x1 to the power of x2, element by element."""
    if type(x2) is int and not isinstance(x1, SCALARS):
        base = tensor(x1)
        if base.dtype.kind in "fc" and 0 < x2 < 4:
            base = tensor(base, common(base.dtype, int))
            return base if x2 == 1 else P.square(base) if x2 == 2 else P.mul(P.square(base), base)
    return P.power(*_numbers(x1, x2))


@op
def negative(x: Any) -> Tensor:
    """-x."""
    return P.neg(_arithmetic(tensor(x), "negative"))


@op(aliases=("abs",))
def absolute(x: Any) -> Tensor:
    """The absolute value."""
    x = tensor(x)
    if x.dtype.kind == "c":
        return hypot(P.real(x), P.imag(x))
    return x if x.dtype.kind in "bu" else P.abs_(x)


abs = absolute


@op
def fabs(x: Any) -> Tensor:
    """The absolute value, as a float."""
    return P.abs_(floats(x))


@op
def sign(x: Any) -> Tensor:
    """-1, 0 or 1."""
    return P.sign(_arithmetic(tensor(x), "sign"))


@op
def square(x: Any) -> Tensor:
    """x * x."""
    return P.square(_numbers(x)[0])


@op
def reciprocal(x: Any) -> Tensor:
    """1 / x."""
    return P.reciprocal(floats(x))


@op
def maximum(x1: Any, x2: Any) -> Tensor:
    """The greater of two, element by element; NaN if either is."""
    return P.maximum(*promoted(x1, x2))


@op
def minimum(x1: Any, x2: Any) -> Tensor:
    """The smaller of two, element by element; NaN if either is."""
    return P.minimum(*promoted(x1, x2))


@op
def fmax(x1: Any, x2: Any) -> Tensor:
    """The greater of two, element by element; NaN only if both are."""
    a, b = promoted(x1, x2)
    return P.select(P.logical_or(P.greater(a, b), P.isnan(b)), a, b) if a.dtype.kind == "f" else P.maximum(a, b)


@op
def fmin(x1: Any, x2: Any) -> Tensor:
    """The smaller of two, element by element; NaN only if both are."""
    a, b = promoted(x1, x2)
    return P.select(P.logical_or(P.less(a, b), P.isnan(b)), a, b) if a.dtype.kind == "f" else P.minimum(a, b)


@op(tensors="x")
def clip(x: Any, x_min: Any, x_max: Any) -> Tensor:
    """x, with everything below x_min raised to it and everything above x_max lowered to it; None is no bound."""
    bounds = [b for b in (x_min, x_max) if b is not None]
    first = kind(x)
    dtype = common(np.dtype("int32") if first == "bool" else first, *map(kind, bounds))
    x = tensor(x, dtype)
    if dtype.kind in "iu":  # a bound that the dtype can't hold is beyond all it can
        ends = np.iinfo(dtype)
        x_min, x_max = (min(max(b, ends.min), ends.max) if type(b) is int else b for b in (x_min, x_max))
    if all(isinstance(b, (int, float)) for b in bounds) and len(bounds) == 2 and x.dtype.kind == "f":
        return P.clip(x, low=float(x_min), high=float(x_max))
    if x_min is not None:
        x = P.maximum(x, tensor(x_min, x.dtype))
    if x_max is not None:
        x = P.minimum(x, tensor(x_max, x.dtype))
    return x


# -- exponentials and logarithms --------------------------------------------------------------------------------------


@op
def exp(x: Any) -> Tensor:
    """e to the power of x."""
    return P.exp(floats(x))


@op
def exp2(x: Any) -> Tensor:
    """2 to the power of x."""
    x = floats(x)
    return P.exp(P.mul(x, P.scalar(x, np.log(2.0))))


@op
def expm1(x: Any) -> Tensor:
    """exp(x) - 1, exact for small x."""
    return P.expm1(floats(x))


@op
def log(x: Any) -> Tensor:
    """The natural logarithm."""
    return P.log(floats(x))


@op
def log1p(x: Any) -> Tensor:
    """log(1 + x), exact for small x."""
    return P.log1p(floats(x))


@op
def log2(x: Any) -> Tensor:
    """The logarithm to base 2."""
    return P.log2(floats(x))


@op
def log10(x: Any) -> Tensor:
    """The logarithm to base 10."""
    return P.log10(floats(x))


@op
def logaddexp(x1: Any, x2: Any) -> Tensor:
    """log(exp(x1) + exp(x2)), without overflow."""
    return P.logaddexp(*floats(tensor(x1), tensor(x2)))


@op
def logaddexp2(x1: Any, x2: Any) -> Tensor:
    """log2(2**x1 + 2**x2), without overflow."""
    a, b = floats(tensor(x1), tensor(x2))
    two = P.scalar(a, np.log(2.0))
    return P.div(logaddexp(P.mul(a, two), P.mul(b, two)), two)


@op
def sqrt(x: Any) -> Tensor:
    """The square root."""
    return P.sqrt(floats(x))


@op
def cbrt(x: Any) -> Tensor:
    """The cube root."""
    x = floats(x)
    size = P.power(P.abs_(x), P.scalar(x, 1 / 3))
    return P.mul(P.sign(x), size)


@op
def hypot(x1: Any, x2: Any) -> Tensor:
    """sqrt(x1**2 + x2**2), without overflow."""
    a, b = map(P.abs_, floats(x1, x2))
    big, small = P.maximum(a, b), P.minimum(a, b)
    nothing = P.equal(big, P.scalar(big, 0))
    ratio = P.div(small, P.select(nothing, P.full_like(big, 1), big))
    length = P.mul(big, P.sqrt(P.add(P.square(ratio), P.scalar(big, 1))))
    return P.select(P.isinf(big), big, P.select(nothing, big, length))


@op
def ldexp(x1: Any, x2: Any) -> Tensor:
    """x1 * 2**x2."""
    x = floats(x1)
    exponent = tensor(x2)
    if exponent.dtype.kind not in "biu":
        raise TypeError(f"ops.ldexp takes integer exponents. Received: x2 of dtype {exponent.dtype}")
    return P.mul(x, P.power(P.scalar(x, 2), tensor(exponent, x.dtype)))


# -- trigonometry -----------------------------------------------------------------------------------------------------


@op
def sin(x: Any) -> Tensor:
    """The sine of an angle in radians."""
    return P.sin(floats(x))


@op
def cos(x: Any) -> Tensor:
    """The cosine of an angle in radians."""
    return P.cos(floats(x))


@op
def tan(x: Any) -> Tensor:
    """The tangent of an angle in radians."""
    return P.tan(floats(x))


@op
def sinh(x: Any) -> Tensor:
    """The hyperbolic sine."""
    return P.sinh(floats(x))


@op
def cosh(x: Any) -> Tensor:
    """The hyperbolic cosine."""
    return P.cosh(floats(x))


@op
def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent."""
    return P.tanh(floats(x))


@op
def arcsin(x: Any) -> Tensor:
    """The inverse sine."""
    return P.arcsin(floats(x))


@op
def arccos(x: Any) -> Tensor:
    """The inverse cosine."""
    return P.arccos(floats(x))


@op
def arctan(x: Any) -> Tensor:
    """The inverse tangent."""
    return P.arctan(floats(x))


@op
def arcsinh(x: Any) -> Tensor:
    """The inverse hyperbolic sine."""
    return P.arcsinh(floats(x))


@op
def arccosh(x: Any) -> Tensor:
    """The inverse hyperbolic cosine."""
    return P.arccosh(floats(x))


@op
def arctanh(x: Any) -> Tensor:
    """The inverse hyperbolic tangent."""
    return P.arctanh(floats(x))


@op
def arctan2(x1: Any, x2: Any) -> Tensor:
    """The angle of the point (x2, x1), between -pi and pi."""
    return P.atan2(*floats(tensor(x1), tensor(x2)))  # here Python numbers are as wide as floatx


@op
def sinc(x: Any) -> Tensor:
    """sin(pi x) / (pi x), and 1 at 0."""
    x = floats(x)
    angle = P.mul(x, P.scalar(x, np.pi))
    origin = P.equal(x, P.scalar(x, 0))
    safe = P.select(origin, P.full_like(x, 1), angle)
    near = P.sub(P.scalar(x, 1), P.mul(P.square(angle), P.scalar(x, 1 / 6)))  # for the second derivative at 0
    return P.select(origin, near, P.div(P.sin(safe), safe))


@op
def deg2rad(x: Any) -> Tensor:
    """Degrees as radians."""
    x = floats(x)
    return P.mul(x, P.scalar(x, np.pi / 180))


@op
def rad2deg(x: Any) -> Tensor:
    """Radians as degrees."""
    x = floats(x)
    return P.mul(x, P.scalar(x, 180 / np.pi))


# -- rounding ---------------------------------------------------------------------------------------------------------


@op
def floor(x: Any) -> Tensor:
    """The greatest whole number that is not above x."""
    return P.floor(_rounding(x))


@op
def ceil(x: Any) -> Tensor:
    """The smallest whole number that is not below x."""
    return P.ceil(_rounding(x))


def _rounding(x: Any) -> Tensor:
    x = tensor(x)
    return tensor(x, config.floatx()) if x.dtype.kind in "biu" else floats(x)


@op
def trunc(x: Any) -> Tensor:
    """x without its fraction."""
    x = tensor(x)
    return x if x.dtype.kind in "biu" else P.trunc(x)


@op(tensors="x")
def round(x: Any, decimals: int = 0) -> Tensor:
    """x rounded to so many decimals, halves to even."""
    (x,) = _numbers(x)
    if x.dtype.kind in "iu":
        if decimals >= 0:
            return x
        unit = P.scalar(x, 10.0**-decimals)
        wide = tensor(x, "float64")
        return tensor(P.mul(P.rint(P.div(wide, P.scalar(wide, float(unit)))), P.scalar(wide, float(unit))), x.dtype)
    if decimals == 0:
        return P.rint(x)
    factor = P.scalar(x, 10.0**decimals)
    return P.div(P.rint(P.mul(x, factor)), factor)


@op
def nextafter(x1: Any, x2: Any) -> Tensor:
    """The next number after x1 in the direction of x2 that the dtype can hold."""
    return P.nextafter(*floats(x1, x2))


# -- complex numbers --------------------------------------------------------------------------------------------------


@op
def real(x: Any) -> Tensor:
    """The real part."""
    x = tensor(x)
    return P.real(x) if x.dtype.kind == "c" else x


@op
def imag(x: Any) -> Tensor:
    """The imaginary part."""
    x = tensor(x)
    return P.imag(x) if x.dtype.kind == "c" else P.full_like(x, 0)


@op(aliases=("conj",))
def conjugate(x: Any) -> Tensor:
    """The complex conjugate."""
    x = tensor(x)
    return P.conj(x) if x.dtype.kind == "c" else x


conj = conjugate


@op
def angle(x: Any) -> Tensor:
    """The angle of a complex number in the plane."""
    x = tensor(x)
    if x.dtype.kind == "c":
        return P.atan2(P.imag(x), P.real(x))
    x = floats(x)
    return P.atan2(P.full_like(x, 0), x)


@op
def i0(x: Any) -> Tensor:
    """The modified Bessel function of the first kind of order 0."""
    return P.bessel_i0(floats(x))
