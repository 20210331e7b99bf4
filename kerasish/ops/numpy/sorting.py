"""Order: sorting, quantiles, searching in what is sorted."""

from typing import Any

import numpy as np

from kerasish.engine import primitives as P
from kerasish.engine.dims import product
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import axis_of, common, numpy_dtype, promoted, tensor
from kerasish.ops.numpy.shaping import permuted, reshaped
from kerasish.ops.op import op
from kerasish.ops.symbolic import KerasTensor

# -- order ------------------------------------------------------------------------------------------------------------


@op
def argsort(x: Any, axis: int | None = -1) -> Tensor:
    """The indices that sort x along an axis; equal elements stay in order."""
    x = tensor(x)
    if axis is None:
        x, axis = reshaped(x, (-1,)), 0
    if x.ndim == 0:
        return P.full(shape=(), value=0, dtype=np.dtype("int32"))
    return P.argsort(x, axis=axis_of(axis, x.ndim))


@op
def sort(x: Any, axis: int | None = -1) -> Tensor:
    """Sorted along an axis, smallest first."""
    x = tensor(x)
    if axis is None:
        x, axis = reshaped(x, (-1,)), 0
    if x.ndim == 0:
        return x
    at = axis_of(axis, x.ndim)
    return P.take_along(x, P.argsort(x, axis=at), axis=at)


@op(tensors="x")
def argpartition(x: Any, kth: int, axis: int | None = -1) -> Tensor:
    """Indices such that the kth element is where sorting puts it, smaller ones before it."""
    del kth  # a full sort is such an order for every k
    return argsort(x, axis)


def _quantiles(x: Tensor, q: Any, axis: Any, method: str, keepdims: bool, skip_nan: bool) -> Tensor:
    """Quantiles of the axes; the axes of q come first."""
    if method not in ("linear", "lower", "higher", "nearest", "midpoint"):
        raise ValueError(
            f"method must be one of 'linear', 'lower', 'higher', 'nearest', 'midpoint'. Received: method={method}"
        )
    q = tensor(q, x.dtype)
    axes = tuple(range(x.ndim)) if axis is None else tuple(
        sorted(axis_of(a, x.ndim) for a in (axis if isinstance(axis, (list, tuple)) else [axis]))
    )
    rest = [i for i in range(x.ndim) if i not in axes]
    flat = reshaped(permuted(x, (*rest, *axes)), (*[x.shape[i] for i in rest], product([x.shape[i] for i in axes])))
    last = flat.ndim - 1
    ordered = P.take_along(flat, P.argsort(flat, axis=last), axis=last)  # NaN is sorted to the end
    missing = P.isnan(flat)
    if skip_nan:
        count = P.sum_(P.cast(P.logical_not(missing), dtype=x.dtype), axis=(last,), keepdims=True)
    else:
        count = P.broadcast_to(P.number(flat.shape[-1], x.dtype), shape=(*flat.shape[:-1], 1))
    flat_q = reshaped(q, (-1,))
    places = P.mul(P.maximum(P.sub(count, P.scalar(count, 1)), P.scalar(count, 0)), flat_q)
    low, high = P.floor(places), P.ceil(places)
    if method == "nearest":
        low = high = P.rint(places)
    elif method == "lower":
        high = low
    elif method == "higher":
        low = high
    below = P.take_along(ordered, P.cast(low, dtype=np.dtype("int32")), axis=last)
    if low is high:
        out = below
    else:
        above = P.take_along(ordered, P.cast(high, dtype=np.dtype("int32")), axis=last)
        share = P.sub(places, low) if method == "linear" else P.scalar(below, 0.5)
        out = P.add(P.mul(below, P.sub(P.scalar(below, 1), share)), P.mul(above, share))
    if skip_nan:
        gone = P.equal(count, P.scalar(count, 0))
    else:
        gone = P.any_(missing, axis=(last,), keepdims=True)
    out = P.select(gone, P.scalar(out, np.nan), out)
    out = permuted(out, (last, *range(last)))
    shape = [1 if i in axes else d for i, d in enumerate(x.shape)] if keepdims else [x.shape[i] for i in rest]
    return reshaped(out, (*q.shape, *shape))


def _ordered(x: Any) -> Tensor:
    x = tensor(x)
    return tensor(x, common(x.dtype, float))


@op
def quantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """What a share q (0 to 1) of the elements lies below."""
    return _quantiles(_ordered(x), q, axis, method, keepdims, False)


@op
def nanquantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`quantile` of what is a number."""
    return _quantiles(_ordered(x), q, axis, method, keepdims, True)


def _hundredth(x: Tensor, q: Any) -> Tensor:
    q = tensor(q, x.dtype)
    return P.div(q, P.scalar(q, 100))


@op
def percentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """What q percent of the elements lie below."""
    x = _ordered(x)
    return _quantiles(x, _hundredth(x, q), axis, method, keepdims, False)


@op
def nanpercentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`percentile` of what is a number."""
    x = _ordered(x)
    return _quantiles(x, _hundredth(x, q), axis, method, keepdims, True)


@op
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The middle element, or the mean of the two in the middle."""
    return _quantiles(_ordered(x), 0.5, axis, "linear", keepdims, False)


@op
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """`median` of what is a number."""
    return _quantiles(_ordered(x), 0.5, axis, "linear", keepdims, True)


# -- searching and counting -------------------------------------------------------------------------------------------


@op(class_name="SearchSorted")
def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Tensor:
    """Where each value is to be inserted into a sorted vector so that it stays sorted."""
    if side not in ("left", "right"):
        raise ValueError(f"`side` must be 'left' or 'right'. Received: side={side}")
    s, v = promoted(sorted_sequence, values)
    if s.ndim != 1:
        raise ValueError(
            f"searchsorted only supports 1-D sorted sequences. Received: sorted_sequence.shape={s.shape}"
        )
    return P.searchsorted(s, v, side=side)


@op
def digitize(x: Any, bins: Any) -> Tensor:
    """The number of the bin that each element falls in; bins rise."""
    b = tensor(bins)
    if b.ndim != 1:
        raise ValueError(f"`bins` must be a 1D array. Received: bins={bins} with shape bins.shape={b.shape}")
    return searchsorted(b, x, side="right")


@op
def histogram(x: Any, bins: int = 10, range: tuple | None = None) -> tuple:
    """How many elements lie in each of `bins` equal intervals, and their ends."""
    x = tensor(x)
    if x.ndim != 1:
        raise ValueError(f"Input tensor must be 1-dimensional. Received: input.shape={x.shape}")
    if not isinstance(bins, int) or bins < 0:
        raise ValueError(f"Argument `bins` should be a non-negative integer. Received: bins={bins}")
    if x.dtype.kind != "f":
        x = tensor(x, numpy_dtype(common(x.dtype, float)))
    if range is None:
        low, high = P.min_(x, axis=(0,)), P.max_(x, axis=(0,))
    else:
        low, high = (tensor(end, x.dtype) for end in range)
    flat = P.equal(low, high)  # all elements are equal: a bin of width 1 around them
    low, high = (
        P.select(flat, P.add(end, P.scalar(x, by)), end) for end, by in ((low, -0.5), (high, 0.5))
    )
    share = Tensor(np.linspace(0, 1, bins + 1).astype(x.dtype))
    edges = P.add(P.mul(low, P.sub(P.scalar(x, 1), share)), P.mul(high, share))
    place = P.sub(P.searchsorted(edges, x, side="right"), P.constant(1, "int32"))
    place = P.select(P.equal(x, high), P.constant(bins - 1, "int32"), place)  # the last bin has both its ends
    hits = P.one_hot(place, depth=bins, dtype=x.dtype)
    return P.sum_(hits, axis=(0,)), edges


def _distinct(x: Any, axis: int | None = None, size: int | None = None, **options: Any) -> Any:
    shape: tuple = (size,)
    if axis is not None:
        axis = axis_of(axis, len(x.shape))
        shape = tuple(size if i == axis else d for i, d in enumerate(x.shape))
    shapes = {"return_index": (size,), "return_inverse": x.shape if axis is None else x.shape[axis : axis + 1], "return_counts": (size,)}
    more = [KerasTensor(s, "int32") for option, s in shapes.items() if options.get(option)]
    values = KerasTensor(shape, x.dtype)
    return (values, *more) if more else values


@op(spec=_distinct)
def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The elements (or slices along an axis) without repetition. The values must be known."""
    del sorted  # they always are
    if axis is not None:
        axis = axis_of(axis, tensor(x).ndim)
    out = list(
        np.unique(np.asarray(tensor(x)), True, True, True, axis=axis)  # values, index, inverse, counts
    )
    if size is not None:
        at = 0 if axis is None else axis
        n = out[0].shape[at]
        fill = out[0].min() if fill_value is None and out[0].size else fill_value
        if n > size:
            for i in (0, 1, 3):
                out[i] = np.take(out[i], np.arange(size), axis=at if i == 0 else 0)
        elif n < size:
            widths = [(0, size - n) if i == at % out[0].ndim else (0, 0) for i in range(out[0].ndim)]
            out[0] = np.pad(out[0], widths, constant_values=fill)
            out[1] = np.pad(out[1], (0, size - n), constant_values=out[1][0] if n else 0)
            out[3] = np.pad(out[3], (0, size - n))
    wanted = (True, return_index, return_inverse, return_counts)
    out[1:] = [v.astype("int32") for v in out[1:]]
    results = [Tensor(v) for v, w in zip(out, wanted, strict=True) if w]
    return results[0] if len(results) == 1 else tuple(results)
