"""Reductions along axes, running totals, and statistics."""

from typing import Any

import numpy as np

from kerasish.base import config
from kerasish.engine import primitives as P
from kerasish.engine import specs as S
from kerasish.engine.dims import Dim, product
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import axes_of, axis_of, common, floats, numpy_dtype, tensor
from kerasish.ops.op import op

# sums of narrow integers are held in 32 bits
_WIDE = {"b": np.dtype("int32"), "i": np.dtype("int32"), "u": np.dtype("uint32")}


def _totalled(x: Any, dtype: Any = None) -> Tensor:
    """`x` in the dtype in which it is summed."""
    x = tensor(x)
    if dtype is not None:
        return tensor(x, dtype)
    if x.dtype.kind in "biu":
        return tensor(x, _WIDE[x.dtype.kind])
    return tensor(x, common(x.dtype))


@op
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The sum over one axis, several, or all."""
    x = _totalled(x)
    return P.sum_(x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


@op
def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    """The product over one axis, several, or all."""
    x = _totalled(x, dtype)
    return P.prod(x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


def mean_of(x: Tensor, axes: tuple, keepdims: bool = False) -> Tensor:
    """The mean of a floating-point tensor; sums of half precision are held in float32."""
    wide = tensor(x, "float32") if x.dtype == "float16" else x
    total = P.sum_(wide, axis=axes, keepdims=keepdims)
    out = P.div(total, P.number(product([x.shape[a] for a in axes]), wide.dtype))
    return tensor(out, x.dtype)


def variance_of(x: Tensor, axes: tuple, keepdims: bool = False) -> Tensor:
    """The mean squared distance from the mean."""
    wide = tensor(x, "float32") if x.dtype == "float16" else x
    apart = P.sub(wide, mean_of(wide, axes, keepdims=True))
    return tensor(mean_of(P.square(apart), axes, keepdims), x.dtype)


@op
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The mean over one axis, several, or all."""
    x = _averaged(x)
    return mean_of(x, axes_of(axis, x.ndim), keepdims)


def _averaged(x: Any) -> Tensor:
    x = tensor(x)
    return tensor(x, config.floatx()) if x.dtype.kind in "biu" else tensor(x, common(x.dtype))


@op
def var(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The variance over one axis, several, or all."""
    x = _averaged(x)
    return variance_of(x, axes_of(axis, x.ndim), keepdims)


@op
def std(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The standard deviation over one axis, several, or all."""
    x = _averaged(x)
    return P.sqrt(variance_of(x, axes_of(axis, x.ndim), keepdims))


@op(tensors="x weights")
def average(x: Any, axis: Any = None, weights: Any = None) -> Tensor:
    """The mean, weighted if weights are given: of the shape of x, or one for each place along `axis`."""
    if weights is None:
        return mean(x, axis)
    x, weights = floats(x, weights)
    if weights.ndim != x.ndim:
        if axis is None or weights.ndim != 1:
            raise ValueError("Axis must be specified when shapes of x and weights differ.")
        at = axis_of(axis, x.ndim)
        weights = P.reshape(weights, shape=tuple(weights.size if i == at else 1 for i in range(x.ndim)))
        weights = P.broadcast_to(weights, shape=x.shape)
    axes = axes_of(axis, x.ndim)
    return P.div(P.sum_(P.mul(x, weights), axis=axes), P.sum_(weights, axis=axes))


def _extremum(x: Any, axis: Any, keepdims: bool, initial: Any, prim: Any, pair: Any) -> Tensor:
    x = tensor(x)
    axes = axes_of(axis, x.ndim)
    empty = any_of(not isinstance(x.shape[a], Dim) and x.shape[a] == 0 for a in axes)
    if empty:
        if initial is None:
            raise ValueError("A zero-size tensor has no maximum or minimum. Pass `initial`.")
        return P.full(shape=S.reduced(x.shape, axes, keepdims), value=initial, dtype=x.dtype)
    if x.dtype.kind == "b":
        out = (P.any_ if prim is P.max_ else P.all_)(x, axis=axes, keepdims=keepdims)
    else:
        out = prim(x, axis=axes, keepdims=keepdims)
    return out if initial is None else pair(out, tensor(initial, out.dtype))


any_of = any  # the builtin; `any` below is the op


@op
def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """The greatest element; at least `initial`."""
    return _extremum(x, axis, keepdims, initial, P.max_, P.maximum)


@op
def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """The smallest element; at most `initial`."""
    return _extremum(x, axis, keepdims, initial, P.min_, P.minimum)


@op
def amax(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The greatest element."""
    return _extremum(x, axis, keepdims, None, P.max_, P.maximum)


@op
def amin(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The smallest element."""
    return _extremum(x, axis, keepdims, None, P.min_, P.minimum)


@op
def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The distance between the greatest and the smallest element."""
    return P.sub(max(x, axis, keepdims), min(x, axis, keepdims))


@op
def any(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Whether some element is true."""
    x = tensor(x, bool)
    return P.any_(x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


@op
def all(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Whether every element is true."""
    x = tensor(x, bool)
    return P.all_(x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


@op
def count_nonzero(x: Any, axis: Any = None) -> Tensor:
    """How many elements are not zero, as int32."""
    return sum(tensor(x, bool), axis)


def arg_extremum(x: Any, axis: Any, keepdims: bool, prim: Any) -> Tensor:
    """argmax or argmin, with keepdims."""
    x = tensor(x)
    if x.dtype.kind == "b":
        x = tensor(x, "int8")
    kept = tuple(1 for _ in x.shape) if axis is None else None
    if axis is None:
        x, axis = P.reshape(x, shape=(x.size,)), 0
    at = axis_of(axis, x.ndim)
    out = prim(x, axis=at)
    if not keepdims:
        return out
    return P.reshape(out, shape=kept if kept is not None else S.reduced(x.shape, (at,), True))


@op
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the (first) greatest element along an axis, or in the flattened tensor."""
    return arg_extremum(x, axis, keepdims, P.argmax)


@op
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the (first) smallest element along an axis, or in the flattened tensor."""
    return arg_extremum(x, axis, keepdims, P.argmin)


# -- running totals ---------------------------------------------------------------------------------------------------


def _running(x: Any, axis: int | None, dtype: Any, prim: Any) -> Tensor:
    x = tensor(x)
    if dtype is not None:
        x = tensor(x, numpy_dtype(dtype))
    elif x.dtype.kind == "b":
        x = tensor(x, "int32")
    if axis is None:
        x, axis = P.reshape(x, shape=(x.size,)), 0
    return prim(x, axis=axis_of(axis, x.ndim))


@op
def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Tensor:
    """The sums of all elements up to each place along an axis."""
    return _running(x, axis, dtype, P.cumsum)


@op
def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Tensor:
    """The products of all elements up to each place along an axis."""
    return _running(x, axis, dtype, P.cumprod)


@op
def diff(a: Any, n: int = 1, axis: int = -1) -> Tensor:
    """The differences of neighbours along an axis, n times over."""
    x = tensor(a)
    at = axis_of(axis, x.ndim)
    if n < 0:
        raise ValueError(f"Order must be non-negative but got {n}.")
    for _ in range(n):
        size = x.shape[at]
        after, before = (
            P.slice_(x, index=tuple(slice(lo, hi, 1) if i == at else slice(0, d, 1) for i, d in enumerate(x.shape)))
            for lo, hi in ((1, size), (0, size - 1))
        )
        x = P.not_equal(after, before) if x.dtype.kind == "b" else P.sub(after, before)
    return x


@op(tensors="y")
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    """The integral along an axis by the trapezoid rule; x: where the samples were taken, dx: their distance."""
    y = floats(y)
    at = axis_of(axis, y.ndim)

    def part(lo: int, hi: Any) -> Tensor:
        index = tuple(slice(lo, hi, 1) if i == at else slice(0, d, 1) for i, d in enumerate(y.shape))
        return P.slice_(y, index=index)

    size = y.shape[at]
    middle = P.mul(P.add(part(1, size), part(0, size - 1)), P.scalar(y, 0.5))
    if x is None:
        steps = tensor(dx, y.dtype)
    else:
        steps = diff(tensor(x, y.dtype), axis=-1 if np.ndim(x) == 1 else at)
        if steps.ndim == 1:
            steps = P.reshape(steps, shape=tuple(steps.size if i == at else 1 for i in range(y.ndim)))
    return P.sum_(P.mul(middle, steps), axis=(at,))


# -- without the NaNs -------------------------------------------------------------------------------------------------


def _filled(x: Any, value: float) -> tuple[Tensor, Tensor]:
    """x with NaN replaced, and where it was a number."""
    x = tensor(x)
    if x.dtype.kind != "f":
        x = tensor(x, common(x.dtype, float)) if np.isinf(value) else _totalled(x)
    if x.dtype.kind != "f":
        return x, P.full(shape=x.shape, value=True, dtype=np.dtype(bool))
    missing = P.isnan(x)
    return P.select(missing, P.scalar(x, value), x), P.logical_not(missing)


@op
def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The sum, NaN counting as 0."""
    return sum(_filled(x, 0)[0], axis, keepdims)


@op
def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The product, NaN counting as 1."""
    return prod(_filled(x, 1)[0], axis, keepdims)


@op
def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Tensor:
    """`cumsum`, NaN counting as 0."""
    return cumsum(_filled(x, 0)[0], axis, dtype)


@op
def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Tensor:
    """`cumprod`, NaN counting as 1."""
    return cumprod(_filled(x, 1)[0], axis, dtype)


def _nan_mean(x: Tensor, valid: Tensor, axes: tuple, keepdims: bool) -> Tensor:
    return P.div(P.sum_(x, axis=axes, keepdims=keepdims), P.sum_(tensor(valid, x.dtype), axis=axes, keepdims=keepdims))


@op
def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The mean of what is a number."""
    x, valid = _filled(floats(x), 0)
    return _nan_mean(x, valid, axes_of(axis, x.ndim), keepdims)


@op
def nanvar(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The variance of what is a number."""
    x, valid = _filled(floats(x), 0)
    axes = axes_of(axis, x.ndim)
    apart = P.select(valid, P.sub(x, _nan_mean(x, valid, axes, True)), P.scalar(x, 0))
    return _nan_mean(P.square(apart), valid, axes, keepdims)


@op
def nanstd(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The standard deviation of what is a number."""
    return P.sqrt(nanvar(x, axis, keepdims))


def _nan_extremum(x: Any, axis: Any, keepdims: bool, worst: float, prim: Any) -> Tensor:
    x = tensor(x)
    if x.dtype.kind != "f":
        return _extremum(x, axis, keepdims, None, prim, None)
    filled, valid = _filled(x, worst)
    axes = axes_of(axis, x.ndim)
    out = prim(filled, axis=axes, keepdims=keepdims)
    some = P.any_(valid, axis=axes, keepdims=keepdims)
    return P.select(some, out, P.scalar(out, np.nan))


@op
def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The greatest number; NaN if there is none."""
    return _nan_extremum(x, axis, keepdims, -np.inf, P.max_)


@op
def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The smallest number; NaN if there is none."""
    return _nan_extremum(x, axis, keepdims, np.inf, P.min_)


def _nan_arg(x: Any, axis: int | None, keepdims: bool, worst: float, prim: Any) -> Tensor:
    x = tensor(x)
    if x.dtype.kind != "f":
        return arg_extremum(x, axis, keepdims, prim)
    filled, valid = _filled(x, worst)
    out = arg_extremum(filled, axis, keepdims, prim)
    some = P.any_(valid, axis=axes_of(axis, x.ndim), keepdims=keepdims)
    return P.select(some, out, P.scalar(out, -1))


@op
def nanargmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the greatest number; -1 if there is none."""
    return _nan_arg(x, axis, keepdims, -np.inf, P.argmax)


@op
def nanargmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The index of the smallest number; -1 if there is none."""
    return _nan_arg(x, axis, keepdims, np.inf, P.argmin)


