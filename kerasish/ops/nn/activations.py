"""Activation functions."""

import math
from typing import Any

import numpy as np

from kerasish.engine import primitives as P
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import axes_of, axis_of, common, floats, tensor
from kerasish.ops.numpy.creation import counting
from kerasish.ops.numpy.elementwise import clip
from kerasish.ops.numpy.joining import pieces
from kerasish.ops.numpy.shaping import permuted, reshaped
from kerasish.ops.op import op


def _c(x: Tensor, value: float) -> Tensor:
    """A constant in the dtype of x."""
    return P.scalar(x, value)


def _where(mask: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return P.select(mask, a, b)


@op
def relu(x: Any) -> Tensor:
    """max(x, 0)."""
    x = tensor(x)
    return P.relu(x) if x.dtype.kind == "f" else P.maximum(tensor(x, common(x.dtype, int)), tensor(0, x.dtype))


@op
def relu6(x: Any) -> Tensor:
    """x between 0 and 6."""
    return _relu6(floats(x))


def _relu6(x: Tensor) -> Tensor:
    return _where(P.greater_equal(x, _c(x, 6)), _c(x, 6), P.relu(x))


@op
def sigmoid(x: Any) -> Tensor:
    """1 / (1 + exp(-x))."""
    return P.sigmoid(floats(x))


@op
def sparse_sigmoid(x: Any) -> Tensor:
    """0 below -1, 1 above 1, and the straight line between."""
    x = floats(x)
    clipped = P.minimum(P.maximum(x, _c(x, -1)), _c(x, 1))
    return P.mul(P.add(clipped, _c(x, 1)), _c(x, 0.5))


@op
def softplus(x: Any) -> Tensor:
    """log(1 + exp(x))."""
    return P.softplus(floats(x))


@op
def softsign(x: Any) -> Tensor:
    """x / (1 + |x|)."""
    x = floats(x)
    return P.div(x, P.add(P.abs_(x), _c(x, 1)))


@op
def soft_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """x moved towards 0 by the threshold, and 0 within it."""
    x = floats(x)
    t = _c(x, threshold)
    return _where(P.greater(P.abs_(x), t), P.sub(x, P.mul(P.sign(x), t)), _c(x, 0))


@op
def sparse_plus(x: Any) -> Tensor:
    """0 below -1, x above 1, and (x + 1)² / 4 between."""
    x = floats(x)
    bow = P.mul(P.square(P.add(x, _c(x, 1))), _c(x, 0.25))
    return _where(P.less_equal(x, _c(x, -1)), _c(x, 0), _where(P.less(x, _c(x, 1)), bow, x))


@op(aliases=("swish",))
def silu(x: Any) -> Tensor:
    """x * sigmoid(x)."""
    x = floats(x)
    return P.mul(x, P.sigmoid(x))


swish = silu


@op(tensors="x")
def squareplus(x: Any, b: float = 4) -> Tensor:
    """(x + sqrt(x² + b)) / 2."""
    x = floats(x)
    return P.mul(P.add(x, P.sqrt(P.add(P.square(x), _c(x, b)))), _c(x, 0.5))


@op
def log_sigmoid(x: Any) -> Tensor:
    """log(sigmoid(x))."""
    return P.neg(P.softplus(P.neg(floats(x))))


@op
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """x, and x times the slope where x is negative."""
    x = floats(x)
    return _where(P.greater_equal(x, _c(x, 0)), x, P.mul(x, _c(x, negative_slope)))


@op
def hard_sigmoid(x: Any) -> Tensor:
    """x / 6 + 1/2, between 0 and 1."""
    x = floats(x)
    return P.div(_relu6(P.add(x, _c(x, 3))), _c(x, 6))


@op(aliases=("hard_swish",))
def hard_silu(x: Any) -> Tensor:
    """x * hard_sigmoid(x)."""
    x = floats(x)
    return P.mul(x, hard_sigmoid(x))


hard_swish = hard_silu


def _elu(x: Tensor, alpha: float) -> Tensor:
    positive = P.greater(x, _c(x, 0))
    below = P.expm1(_where(positive, _c(x, 0), x))  # so that exp of large x is never taken
    return _where(positive, x, below if alpha == 1 else P.mul(below, _c(x, alpha)))


@op
def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """x, and alpha * (exp(x) - 1) where x is negative."""
    return _elu(floats(x), alpha)


@op
def selu(x: Any) -> Tensor:
    """`elu` scaled so that layers keep mean 0 and variance 1 (Klambauer et al., 2017)."""
    x = floats(x)
    return P.mul(_elu(x, 1.6732632423543772848170429916717), _c(x, 1.0507009873554804934193349852946))


@op
def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))."""
    x = floats(x)
    below = P.mul(P.expm1(P.div(P.minimum(x, _c(x, 0)), _c(x, alpha))), _c(x, alpha))
    return P.add(P.maximum(x, _c(x, 0)), below)


@op
def gelu(x: Any, approximate: bool = True) -> Tensor:
    """x times the normal distribution function at x; by default its approximation by tanh."""
    x = floats(x)
    half = P.mul(x, _c(x, 0.5))
    if approximate:
        slope = math.sqrt(2 / math.pi)
        cubic = P.mul(x, P.add(P.mul(P.square(x), _c(x, 0.044715 * slope)), _c(x, slope)))
        return P.mul(half, P.add(P.tanh(cubic), _c(x, 1)))
    return P.mul(half, P.add(P.erf(P.mul(x, _c(x, math.sqrt(0.5)))), _c(x, 1)))


@op
def glu(x: Any, axis: int = -1) -> Tensor:
    """The first half along an axis times the sigmoid of the second."""
    x = floats(x)
    size = x.shape[axis_of(axis, x.ndim)]
    if size % 2:
        raise ValueError(f"axis size must be divisible by 2. Received: x.shape={x.shape} with axis={axis}")
    a, b = pieces(x, 2, axis)
    return P.mul(a, P.sigmoid(b))


@op
def tanh_shrink(x: Any) -> Tensor:
    """x - tanh(x)."""
    x = floats(x)
    return P.sub(x, P.tanh(x))


@op
def hard_tanh(x: Any) -> Tensor:
    """x between -1 and 1."""
    x = tensor(x)
    if x.dtype.kind not in "fV":
        return clip(x, -1, 1)
    return _where(P.greater(x, _c(x, 1)), _c(x, 1), _where(P.less(x, _c(x, -1)), _c(x, -1), x))


@op
def hard_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """x, and 0 within the threshold."""
    x = floats(x)
    return _where(P.greater(P.abs_(x), _c(x, threshold)), x, _c(x, 0))


@op(tensors="x")
def threshold(x: Any, threshold: float, default_value: float) -> Tensor:
    """x where it is above the threshold, else the default value."""
    x = floats(x)
    return _where(P.greater(x, _c(x, threshold)), x, _c(x, default_value))


def _along(x: Tensor, axis: Any, prim: Any) -> Tensor:
    """A function of one axis, applied to one, several together, or all (None)."""
    if isinstance(axis, int):
        return prim(x, axis=axis_of(axis, x.ndim))
    axes = axes_of(axis, x.ndim)
    rest = tuple(i for i in range(x.ndim) if i not in axes)
    order = (*rest, *axes)
    moved = permuted(x, order)
    flat = prim(reshaped(moved, (*moved.shape[: len(rest)], -1)), axis=len(rest))
    return permuted(reshaped(flat, moved.shape), tuple(int(i) for i in np.argsort(order)))


@op
def softmax(x: Any, axis: Any = -1) -> Tensor:
    """exp(x), scaled so that the sum along the axis (or axes) is 1."""
    return _along(floats(x), axis, P.softmax)


@op
def log_softmax(x: Any, axis: Any = -1) -> Tensor:
    """log(softmax(x))."""
    return _along(floats(x), axis, P.log_softmax)


@op
def sparsemax(x: Any, axis: int = -1) -> Tensor:
    """The nearest point to x on the probability simplex (Martins and Astudillo, 2016)."""
    x = floats(x)
    at = axis_of(axis, x.ndim)
    order = P.argsort(P.neg(x), axis=at)
    ranked = P.take_along(x, order, axis=at)
    total = P.cumsum(ranked, axis=at)
    n = x.shape[at]
    rank = P.add(counting(n, x.dtype), _c(x, 1))
    rank = P.reshape(rank, shape=tuple(n if i == at else 1 for i in range(x.ndim)))
    support = P.greater(P.add(P.mul(rank, ranked), _c(x, 1)), total)
    size = P.sum_(P.cast(support, dtype=x.dtype), axis=(at,), keepdims=True)
    last = P.cast(P.sub(size, _c(x, 1)), dtype=np.dtype("int32"))
    tau = P.div(P.sub(P.take_along(total, last, axis=at), _c(x, 1)), size)
    return P.maximum(P.sub(x, tau), _c(x, 0))
