"""Element-wise functions that NumPy lacks. They overflow in silence where their callers see to that, as `bind` and
programs do."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from kerasish.engine.kernels import blas
from kerasish.engine.kernels.scratch import zeros

Array = np.ndarray


def sigmoid(x: Array, out: Array | None = None) -> Array:
    """1 / (1 + exp(-x)). Through tanh it would be a little faster, and 0 below -17 in float32, whose logarithm is not."""
    one = x.dtype.type(1)
    out = np.negative(x, out)
    if not isinstance(out, np.ndarray):
        return one / (one + np.exp(out))
    np.exp(out, out)
    np.add(out, one, out)
    return np.reciprocal(out, out)


def softplus(x: Array, out: Array | None = None) -> Array:
    """log(1 + exp(x))."""
    return np.logaddexp(x, x.dtype.type(0), out) if out is not None else np.logaddexp(x, x.dtype.type(0))


def weighted_sum(x: Array, y: Array, a: Any, b: Any, out: Array | None = None) -> Array:
    """a * x + b * y, for arrays of one shape and numbers a and b; by the BLAS in one pass, where it can be asked."""
    if not isinstance(y, np.ndarray) or not y.ndim:
        return np.add(a * x, b * y, out)
    if out is None:
        out = np.array(y, order="C")
    elif out is not y:
        np.copyto(out, y)
    function = blas.axpby().get(out.dtype.char)
    if function is None or x.dtype != out.dtype or x.shape != out.shape or not x.flags.c_contiguous or not out.flags.c_contiguous:
        np.multiply(out, b, out)
        return np.add(out, np.multiply(x, a), out)
    function(out.size, float(a), x.ctypes.data, 1, float(b), out.ctypes.data, 1)
    return out


def add_weighted(x: Array, a: Array, b: Array, out: Array) -> None:
    """out = a * x + b * out, for arrays of one number."""
    weighted_sum(x, out, a[()], b[()], out)


def relu(x: Array, out: Array | None = None) -> Array:
    # against an array of zeros, which NumPy vectorises better than a scalar
    return np.maximum(x, zeros(x.size, x.dtype).reshape(x.shape), out=out)


def clip(x: Array, low: float, high: float, out: Array | None = None) -> Array:
    """x between two numbers."""
    y = np.maximum(x, x.dtype.type(low), out=out)
    return np.minimum(y, x.dtype.type(high), out=out)


WHOLE = {"f": np.int32, "d": np.int64}  # integers of the same size


def clip_grad(dy: Array, x: Array, low: float, high: float, out: Array | None = None) -> Array:
    """dy where x lies between two numbers, 0 where it is outside, and half of it at the ends."""
    low, high = (float(np.asarray(end).astype(x.dtype)) for end in (low, high))  # as clip sees them
    return _by_steps(clip_grad_steps, dy, x, out, 2, low=low, high=high)


def relu_grad(dy: Array, y: Array, out: Array | None = None) -> Array:
    """dy where y > 0, else 0."""
    return _by_steps(relu_grad_steps, dy, y, out, 1)


def relu_grad_steps(dy: Array, y: Array, out: Array, mask: Array) -> list[tuple]:
    """Ufuncs and their arguments, the last of which is where the result goes; `mask` is for use on the way. All are of one
    shape and dtype.

    They work on the numbers' bits as integers, of which the sign of a positive number is 1: truth values would have to be
    made numbers, which takes longer than the rest. (What is not a number counts as positive or negative, by its sign bit.)
    """
    whole = WHOLE[y.dtype.char]
    none, mask = zeros(y.size, y.dtype).reshape(y.shape).view(whole), mask.view(whole)
    return [
        (np.maximum, y.view(whole), none, mask),
        (np.sign, mask, mask),
        (np.multiply, dy.view(whole), mask, out.view(whole)),
    ]


def clip_grad_steps(
    dy: Array, x: Array, out: Array, above: Array, below: Array, *, low: float, high: float
) -> list[tuple]:
    """Likewise: half of dy where x is not beyond the ends, and half of it where it is neither beyond nor at them."""
    whole = WHOLE[x.dtype.char]
    # at an end the difference is to be 0, never -0, which as an integer is negative
    least, most, half = (np.array(v, x.dtype) for v in (low or -0.0, high or 0.0, 0.5))
    a, b, y, one = above.view(whole), below.view(whole), out.view(whole), np.array(1, whole)
    none = zeros(x.size, x.dtype).reshape(x.shape).view(whole)
    return [
        (np.subtract, x, least, above), (np.sign, a, a),  # 1, 0, -1: x is above the lower end, at it, below it
        (np.subtract, most, x, below), (np.sign, b, b),
        (np.minimum, a, b, a),  # 1, 0, -1: x is inside, at an end, outside
        (np.maximum, a, none, b),  # 1 if it is inside, else 0
        (np.add, a, one, a), (np.sign, a, a),  # 0 if it is outside, else 1
        (np.multiply, dy, half, out),
        (np.multiply, a, y, a), (np.multiply, b, y, b), (np.add, above, below, out),
    ]  # fmt: skip


def _by_steps(steps: Callable, dy: Array, x: Array, out: Array | None, spares: int, **params: float) -> Array:
    dy, x = np.broadcast_arrays(dy, x)
    if x.dtype.char not in WHOLE or dy.dtype != x.dtype or not x.dtype.isnative:
        kind = np.float64 if "d" in dy.dtype.char + x.dtype.char else np.float32
        y = _by_steps(steps, dy.astype(kind), x.astype(kind), None, spares, **params)
        if out is None:
            return y.astype(np.result_type(dy, x))
        np.copyto(out, y, "unsafe")
        return out
    made = np.empty(x.shape, x.dtype) if out is None else out
    do_steps(steps(dy, x, made, *(np.empty(x.shape, x.dtype) for _ in range(spares)), **params))
    return made


def do_steps(steps: Iterable[tuple]) -> None:
    """Ufuncs called with their arguments, the last of which is where the result goes."""
    for ufunc, *arrays in steps:
        ufunc(*arrays[:-1], out=arrays[-1])


# erf: W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969)
_P = (3.209377589138469472562e03, 3.774852376853020208137e02, 1.138641541510501556495e02, 3.161123743870565596947e00,
      1.857777061846031526730e-01)  # fmt: skip
_Q = (2.844236833439170622273e03, 1.282616526077372275645e03, 2.440246379344441733056e02, 2.360129095234412093499e01, 1.0)
_R = (1.23033935479799725272e03, 2.05107837782607146532e03, 1.71204761263407058314e03, 8.81952221241769090411e02,
      2.98635138197400131132e02, 6.61191906371416294775e01, 8.88314979438837594118e00, 5.64188496988670089180e-01,
      2.15311535474403846343e-08)  # fmt: skip
_S = (1.23033935480374942043e03, 3.43936767414372163696e03, 4.36261909014324715820e03, 3.29079923573345962678e03,
      1.62138957456669018874e03, 5.37181101862009857509e02, 1.17693950891312499305e02, 1.57449261107098347253e01, 1.0)
_U = (-6.58749161529837803157e-04, -1.60837851487422766278e-02, -1.25781726111229246204e-01, -3.60344899949804439429e-01,
      -3.05326634961232344035e-01, -1.63153871373020978498e-02)  # fmt: skip
_V = (2.33520497626869185443e-03, 6.05183413124413191178e-02, 5.27905102951428412248e-01, 1.87295284992346725209e00,
      2.56852019228982242072e00, 1.0)  # fmt: skip


def _poly(c: tuple, x: Array) -> Array:
    y = np.full_like(x, c[-1])
    for a in c[-2::-1]:
        y = y * x + a
    return y


def erf(x: Array, out: Array | None = None) -> Array:
    """The error function, to a few units in the last place of double precision."""
    a = np.abs(np.asarray(x, np.float64))
    with np.errstate(all="ignore"):
        z = a * a
        small = np.asarray(x, np.float64) * _poly(_P, z) / _poly(_Q, z)
        e = np.exp(-z)
        middle = 1 - e * _poly(_R, a) / _poly(_S, a)
        w = 1 / z
        tail = 1 - e / a * (1 / np.sqrt(np.pi) + w * _poly(_U, w) / _poly(_V, w))
        y = np.where(a <= 0.46875, small, np.copysign(np.where(a <= 4, middle, np.where(a > 6, 1.0, tail)), x))
    y = np.where(np.isnan(x), np.nan, y).astype(x.dtype)
    if out is None:
        return y
    np.copyto(out, y)
    return out


def erfinv(x: Array, out: Array | None = None) -> Array:
    """The inverse of erf: Winitzki's estimate, then Newton-Halley steps on erf."""
    v = np.asarray(x, np.float64)
    with np.errstate(all="ignore"):
        t = np.log1p(-v * v)
        b = 2 / (np.pi * 0.147) + t / 2
        y = np.copysign(np.sqrt(np.sqrt(b * b - t / 0.147) - b), v)
        for _ in range(3):
            f = (erf(y) - v) / (2 / np.sqrt(np.pi) * np.exp(-y * y))
            y = y - f / (1 + y * f)
        y = np.where(np.abs(v) == 1, np.copysign(np.inf, v), np.where(np.abs(v) > 1, np.nan, y)).astype(x.dtype)
    if out is None:
        return y
    np.copyto(out, y)
    return out
