"""Means, variances, and scaling by them."""

import functools
from typing import Any, Callable

from kerasish.base import config
from kerasish.engine import primitives as P
from kerasish.engine.autodiff import custom_gradient
from kerasish.engine.dims import Dim, product
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import axes_of, axis_of, floats, tensor
from kerasish.ops.linalg import norm
from kerasish.ops.numpy.reductions import mean_of
from kerasish.ops.op import op

LEAST_ROW = 256  # elements


@op(tensors="x")
def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> tuple:
    """The mean and the variance over the axes. Half precision is computed in float32."""
    del synchronized  # one machine
    x = floats(x)
    at = axes_of(axes, x.ndim)
    wide = tensor(x, "float32") if x.dtype == "float16" else x
    found = _moments(wide, at)
    if not keepdims:
        found = [P.reshape(v, shape=tuple(d for i, d in enumerate(x.shape) if i not in at)) for v in found]
    if x.dtype == "float16":
        limit = P.scalar(wide, 65504.0)
        found = [P.maximum(P.minimum(v, limit), P.neg(limit)) for v in found]
    mean, variance = (tensor(v, x.dtype) for v in found)
    return mean, variance


def _moments(x: Tensor, axes: tuple) -> tuple[Tensor, Tensor]:
    """Mean and variance with the axes kept."""
    if _by_channels(x, axes):
        both, kept = P.channel_moments(x), (*[1] * (x.ndim - 1), x.shape[-1])
        mean, variance = (
            P.reshape(P.slice_(both, index=(slice(i, i + 1, 1), slice(0, kept[-1], 1))), shape=kept) for i in range(2)
        )
        return mean, variance
    mean = mean_of(x, axes, True)
    return mean, _spread(axes)(x, mean)


def _by_channels(x: Tensor, axes: tuple) -> bool:
    """Whether each place along the last axis keeps its own moments, and there is enough to count for each sample that one
    pass over memory is worth its preparations."""
    if x.ndim < 2 or axes != tuple(range(x.ndim - 1)) or any(isinstance(d, Dim) for d in x.shape[1:]):
        return False
    return product(x.shape[1:]) >= LEAST_ROW and not (isinstance(x.shape[0], int) and x.shape[0] == 0)


@functools.cache
def _spread(axes: tuple) -> Callable:
    """The variance of x about its mean. Its gradient (x - mean) * share is said as x * share and, to the mean, what makes
    up the rest: both need nothing of the size of x but x, and the latter is added to what else the mean receives."""

    @custom_gradient
    def variance(x: Tensor, mean: Tensor) -> tuple:
        def gradient(dy: Tensor) -> list:
            double = P.mul(dy, P.scalar(x, 2))
            count = P.number(product([x.shape[a] for a in axes]), x.dtype)
            return [P.mul(x, P.div(double, count)), P.neg(P.mul(mean, double))]

        return mean_of(P.square(P.sub(x, mean)), axes, True), gradient

    return variance


def _rsqrt(x: Tensor) -> Tensor:
    return P.reciprocal(P.sqrt(x))


@op(tensors="x mean variance offset scale", class_name="BatchNorm")
def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset, all given for the places along one axis."""
    x = floats(x)
    at = axis_of(axis, x.ndim)

    def along(v: Any) -> Tensor:
        v = tensor(v, x.dtype)
        return v if at == x.ndim - 1 else P.reshape(v, shape=tuple(d if i == at else 1 for i, d in enumerate(x.shape)))

    # as x * factor + shift, whose gradient in the mean is known from that in the shift
    factor = _rsqrt(P.add(along(variance), P.scalar(x, epsilon)))
    if scale is not None:
        factor = P.mul(factor, along(scale))
    shift = P.neg(P.mul(along(mean), factor))
    if offset is not None:
        shift = P.add(along(offset), shift)
    return P.add(P.mul(x, factor), shift)


def _span(x: Tensor, axis: Any) -> tuple:
    return axes_of(list(axis) if isinstance(axis, (list, tuple)) else [axis], x.ndim)


def _shaped(weight: Any, x: Tensor, axes: tuple) -> Tensor:
    """A weight for the places along the axes, broadcast against x."""
    w = tensor(weight, x.dtype)
    if w.ndim == len(axes) and axes != tuple(range(x.ndim - len(axes), x.ndim)):
        return P.reshape(w, shape=tuple(x.shape[i] if i in axes else 1 for i in range(x.ndim)))
    return w


def _as_rows(x: Tensor, axes: tuple) -> Tensor | None:
    """x with the axes, if they are its last ones, as its last, and at least one before it; None if they are not."""
    lead = x.ndim - len(axes)
    n = product(x.shape[lead:])
    if axes != tuple(range(lead, x.ndim)) or isinstance(n, Dim) or n == 0:
        return None
    return x if 1 == len(axes) < x.ndim else P.reshape(x, shape=(*(x.shape[:lead] or (1,)), n))


def _centered(x: Tensor, axes: tuple) -> Tensor:
    """x less its mean over the axes."""
    rows = _as_rows(x, axes)
    if rows is None:
        return P.sub(x, mean_of(x, axes, True))
    return P.reshape(P.center_rows(rows), shape=x.shape)


def _inverse_rms(x: Tensor, axes: tuple, epsilon: float) -> Tensor:
    return _rsqrt(P.add(mean_of(P.square(x), axes, True), P.scalar(x, epsilon)))


def _unit(x: Tensor, axes: tuple, epsilon: float) -> Tensor:
    """x over its root mean square over the axes."""
    rows = _as_rows(x, axes)
    if rows is None:
        return P.mul(x, _inverse_rms(x, axes, epsilon))
    return P.reshape(P.unit_rows(rows, P.inverse_rms_rows(rows, epsilon=float(epsilon))), shape=x.shape)


@op(tensors="x gamma beta", class_name="LayerNorm")
def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None, **kwargs: Any
) -> Tensor:
    """x with mean 0 and variance 1 along the axis (or axes), times gamma, plus beta.

    rms_scaling=True, which Keras keeps for old models: x over its deviation, times gamma, and no more.
    """
    given = tensor(x).dtype  # which integers get back, as in Keras
    x = floats(x)
    wide = tensor(x, "float32") if x.dtype == "float16" else x
    axes = _span(x, axis)
    epsilon = config.epsilon() if epsilon is None else epsilon
    apart = _centered(wide, axes)
    if kwargs.pop("rms_scaling", False):
        out, beta = P.mul(wide, _inverse_rms(apart, axes, epsilon)), None
    else:
        out = _unit(apart, axes, epsilon)
    if gamma is not None:
        out = P.mul(out, _shaped(gamma, wide, axes))
    if beta is not None:
        out = P.add(out, _shaped(beta, wide, axes))
    return tensor(out, given)


@op(tensors="x scale", class_name="RMSNorm")
def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Tensor:
    """x over the root of its mean square along the axis (or axes), times the scale."""
    given = tensor(x).dtype  # which integers get back, as in Keras
    x = floats(x)
    wide = tensor(x, "float32") if x.dtype == "float16" else x
    axes = _span(x, axis)
    epsilon = config.epsilon() if epsilon is None else epsilon
    out = _unit(wide, axes, epsilon)
    if scale is not None:
        out = P.mul(out, _shaped(scale, wide, axes))
    return tensor(out, given)


@op
def normalize(x: Any, axis: Any = -1, order: Any = 2, epsilon: float | None = None) -> Tensor:
    """x with norm 1 along the axis (or axes)."""
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"Argument `order` must be an int >= 1. Received: order={order}")
    x = floats(x)
    epsilon = config.epsilon() if epsilon is None else epsilon
    if order == 2:
        total = P.sum_(P.square(x), axis=axes_of(axis, x.ndim), keepdims=True)
        return P.mul(x, _rsqrt(P.maximum(total, P.scalar(x, epsilon**2))))
    size = norm(x, ord=order, axis=axis, keepdims=True)
    return P.div(x, P.maximum(size, P.scalar(x, epsilon)))
