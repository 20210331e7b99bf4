"""Tests of every element: what kind of number it is, comparison, logic; and the bits of integers."""

from typing import Any

import numpy as np

from kerasish.engine import primitives as P
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import floats, promoted, tensor
from kerasish.ops.op import op

# -- what a number is -------------------------------------------------------------------------------------------------


def _constant_test(x: Any, answer: bool) -> Tensor:
    return P.full(shape=tensor(x).shape, value=answer, dtype=np.dtype(bool))


@op
def isnan(x: Any) -> Tensor:
    """Where x is not a number."""
    x = tensor(x)
    return P.isnan(x) if x.dtype.kind in "fc" else _constant_test(x, False)


@op
def isinf(x: Any) -> Tensor:
    """Where x is infinite."""
    x = tensor(x)
    return P.isinf(x) if x.dtype.kind in "fc" else _constant_test(x, False)


@op
def isfinite(x: Any) -> Tensor:
    """Where x is neither infinite nor NaN."""
    x = tensor(x)
    return P.isfinite(x) if x.dtype.kind in "fc" else _constant_test(x, True)


@op
def isposinf(x: Any) -> Tensor:
    """Where x is plus infinity."""
    x = tensor(x)
    return P.equal(x, P.scalar(x, np.inf)) if x.dtype.kind == "f" else _constant_test(x, False)


@op
def isneginf(x: Any) -> Tensor:
    """Where x is minus infinity."""
    x = tensor(x)
    return P.equal(x, P.scalar(x, -np.inf)) if x.dtype.kind == "f" else _constant_test(x, False)


@op
def isreal(x: Any) -> Tensor:
    """Where x has no imaginary part."""
    x = tensor(x)
    return P.equal(P.imag(x), P.scalar(P.imag(x), 0)) if x.dtype.kind == "c" else _constant_test(x, True)


@op
def signbit(x: Any) -> Tensor:
    """Where the sign of x is negative, that of -0.0 included."""
    x = tensor(x)
    return P.signbit(x) if x.dtype.kind in "if" else _constant_test(x, False)


@op(tensors="x")
def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """x with NaN and the infinities replaced; None stands for the greatest and the smallest finite number."""
    x = tensor(x)
    if x.dtype.kind != "f":
        return x
    limits = np.finfo(x.dtype)
    x = P.select(P.isnan(x), P.scalar(x, nan), x)
    x = P.select(P.equal(x, P.scalar(x, np.inf)), P.scalar(x, limits.max if posinf is None else posinf), x)
    return P.select(P.equal(x, P.scalar(x, -np.inf)), P.scalar(x, limits.min if neginf is None else neginf), x)


# -- comparison -------------------------------------------------------------------------------------------------------


@op
def equal(x1: Any, x2: Any) -> Tensor:
    """Where two tensors are equal."""
    return P.equal(*promoted(x1, x2))


@op
def not_equal(x1: Any, x2: Any) -> Tensor:
    """Where two tensors differ."""
    return P.not_equal(*promoted(x1, x2))


@op
def greater(x1: Any, x2: Any) -> Tensor:
    """Where x1 > x2."""
    return P.greater(*promoted(x1, x2))


@op
def greater_equal(x1: Any, x2: Any) -> Tensor:
    """Where x1 >= x2."""
    return P.greater_equal(*promoted(x1, x2))


@op
def less(x1: Any, x2: Any) -> Tensor:
    """Where x1 < x2."""
    return P.less(*promoted(x1, x2))


@op
def less_equal(x1: Any, x2: Any) -> Tensor:
    """Where x1 <= x2."""
    return P.less_equal(*promoted(x1, x2))


def _close(x1: Any, x2: Any, rtol: float, atol: float, equal_nan: bool) -> Tensor:
    a, b = floats(x1, x2)
    slack = P.add(P.scalar(a, atol), P.mul(P.scalar(a, rtol), P.abs_(b)))
    finite = P.logical_and(P.isfinite(a), P.isfinite(b))
    zero = P.scalar(a, 0)
    gap = P.sub(P.select(finite, a, zero), P.select(finite, b, zero))  # inf - inf would warn
    out = P.logical_or(P.logical_and(finite, P.less_equal(P.abs_(gap), slack)), P.equal(a, b))
    return P.logical_or(out, P.logical_and(P.isnan(a), P.isnan(b))) if equal_nan else out


@op(tensors="x1 x2 rtol atol")
def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Where |x1 - x2| <= atol + rtol * |x2|."""
    return _close(x1, x2, rtol, atol, equal_nan)


@op(class_name="AllClose")
def allclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether `isclose` holds everywhere."""
    near = _close(x1, x2, rtol, atol, equal_nan)
    return P.all_(near, axis=tuple(range(near.ndim)))


@op
def heaviside(x1: Any, x2: Any) -> Tensor:
    """0 where x1 < 0, 1 where x1 > 0, x2 where x1 is 0."""
    a, b = floats(x1, x2)
    step = P.cast(P.greater(a, P.scalar(a, 0)), dtype=a.dtype)
    out = P.select(P.equal(a, P.scalar(a, 0)), b, step)
    return P.select(P.isnan(a), a, out)


# -- logic and bits ---------------------------------------------------------------------------------------------------


@op
def logical_and(x1: Any, x2: Any) -> Tensor:
    """Where both are true."""
    return P.logical_and(tensor(x1, bool), tensor(x2, bool))


@op
def logical_or(x1: Any, x2: Any) -> Tensor:
    """Where either is true."""
    return P.logical_or(tensor(x1, bool), tensor(x2, bool))


@op
def logical_xor(x1: Any, x2: Any) -> Tensor:
    """Where exactly one is true."""
    return P.logical_xor(tensor(x1, bool), tensor(x2, bool))


@op
def logical_not(x: Any) -> Tensor:
    """Where x is false."""
    return P.logical_not(tensor(x, bool))


def _bits(*xs: Any) -> list[Tensor]:
    out = promoted(*xs)
    if out[0].dtype.kind not in "biu":
        raise TypeError(f"Bitwise operations are defined for integers and booleans. Received: {out[0].dtype}")
    return out


def _shifted(*xs: Any) -> list[Tensor]:
    out = _bits(*xs)
    return [tensor(x, "int32") for x in out] if out[0].dtype.kind == "b" else out


@op
def bitwise_and(x: Any, y: Any) -> Tensor:
    """The bits that are set in both."""
    return P.bitwise_and(*_bits(x, y))


@op
def bitwise_or(x: Any, y: Any) -> Tensor:
    """The bits that are set in either."""
    return P.bitwise_or(*_bits(x, y))


@op
def bitwise_xor(x: Any, y: Any) -> Tensor:
    """The bits that are set in exactly one."""
    return P.bitwise_xor(*_bits(x, y))


@op
def bitwise_not(x: Any) -> Tensor:
    """All bits flipped."""
    return P.invert(*_bits(x))


@op
def bitwise_invert(x: Any) -> Tensor:
    """The same as `bitwise_not`."""
    return P.invert(*_bits(x))


@op
def bitwise_left_shift(x: Any, y: Any) -> Tensor:
    """The bits of x moved up by y places."""
    return P.left_shift(*_shifted(x, y))


@op
def left_shift(x: Any, y: Any) -> Tensor:
    """The same as `bitwise_left_shift`."""
    return P.left_shift(*_shifted(x, y))


@op
def bitwise_right_shift(x: Any, y: Any) -> Tensor:
    """The bits of x moved down by y places."""
    return P.right_shift(*_shifted(x, y))


@op
def right_shift(x: Any, y: Any) -> Tensor:
    """The same as `bitwise_right_shift`."""
    return P.right_shift(*_shifted(x, y))


@op
def gcd(x1: Any, x2: Any) -> Tensor:
    """The greatest common divisor of integers."""
    return P.gcd(*_bits(x1, x2))


@op
def lcm(x1: Any, x2: Any) -> Tensor:
    """The least common multiple of integers."""
    return P.lcm(*_bits(x1, x2))
