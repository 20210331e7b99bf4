"""The same elements in another shape or order: reshape, transpose, repeat, roll, pad."""

from typing import Any, Sequence

import numpy as np

from kerasish.engine import primitives as P
from kerasish.engine.dims import Dim, product, same, same_shape
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import axes_of, axis_of, concrete, shape_of, tensor
from kerasish.ops.op import op


def reshaped(x: Tensor, shape: Sequence) -> Tensor:
    """`x` in this shape, of which one size may be -1."""
    shape = tuple(shape)
    open_at = [i for i, d in enumerate(shape) if not isinstance(d, Dim) and d == -1]
    if len(open_at) > 1:
        raise ValueError(f"Only one size of a new shape can be -1. Received: newshape={shape}")
    if open_at:
        known = product([d for i, d in enumerate(shape) if i != open_at[0]])
        total = product(x.shape)
        if not isinstance(known, Dim) and not isinstance(total, Dim) and (total % known if known else total):
            raise ValueError(f"Cannot reshape a tensor of shape {x.shape} ({total} elements) to {shape}.")
        size = total // known if isinstance(known, Dim) or known else 0
        shape = (*shape[: open_at[0]], size, *shape[open_at[0] + 1 :])
    return x if same_shape(x.shape, shape) else P.reshape(x, shape=shape)


@op(tensors="x")
def reshape(x: Any, newshape: Any) -> Tensor:
    """The elements in another shape; one size may be -1 and is then worked out."""
    return reshaped(tensor(x), shape_of(newshape))


@op
def ravel(x: Any) -> Tensor:
    """The elements in one axis."""
    return reshaped(tensor(x), (-1,))


def permuted(x: Tensor, axes: tuple) -> Tensor:
    return x if axes == tuple(range(x.ndim)) else P.transpose(x, axes=axes)


@op
def transpose(x: Any, axes: Sequence[int] | None = None) -> Tensor:
    """The axes in another order: reversed, or as listed in `axes`."""
    x = tensor(x)
    if axes is None:
        return permuted(x, tuple(reversed(range(x.ndim))))
    order = tuple(axis_of(a, x.ndim) for a in axes)
    if sorted(order) != list(range(x.ndim)):
        raise ValueError(f"axes must be a permutation of the axes of a tensor of shape {x.shape}. Received: {axes}")
    return permuted(x, order)


@op(tensors="x")
def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """Two axes exchanged."""
    x = tensor(x)
    order = list(range(x.ndim))
    a, b = axis_of(axis1, x.ndim), axis_of(axis2, x.ndim)
    order[a], order[b] = b, a
    return permuted(x, tuple(order))


def _listed(axis: Any) -> list:
    return list(axis) if isinstance(axis, (list, tuple)) else [axis]


@op(tensors="x")
def moveaxis(x: Any, source: Any, destination: Any) -> Tensor:
    """Axes moved to other positions; the rest stay in order."""
    x = tensor(x)
    src = [axis_of(a, x.ndim, "source") for a in _listed(source)]
    dst = [axis_of(a, x.ndim, "destination") for a in _listed(destination)]
    if len(src) != len(dst):
        raise ValueError(f"source and destination must have the same length. Received: {source} and {destination}")
    order = [i for i in range(x.ndim) if i not in src]
    for d, s in sorted(zip(dst, src, strict=True)):
        order.insert(d, s)
    return permuted(x, tuple(order))


@op(tensors="x")
def expand_dims(x: Any, axis: Any) -> Tensor:
    """Axes of size 1 inserted; `axis` counts in the result."""
    x = tensor(x)
    axes = _listed(axis)
    at = [axis_of(a, x.ndim + len(axes)) for a in axes]
    if len(set(at)) != len(at):
        raise ValueError(f"Duplicate value in axis: {axis}")
    sizes = iter(x.shape)
    return P.reshape(x, shape=tuple(1 if i in at else next(sizes) for i in range(x.ndim + len(axes))))


@op
def squeeze(x: Any, axis: Any = None) -> Tensor:
    """Axes of size 1 removed: all, or those given."""
    x = tensor(x)
    if axis is None:
        gone = tuple(i for i, d in enumerate(x.shape) if not isinstance(d, Dim) and d == 1)
    else:
        gone = axes_of(axis, x.ndim)
        for i in gone:
            if not isinstance(x.shape[i], Dim) and x.shape[i] != 1:
                raise ValueError(f"Cannot squeeze axis={i}, because the dimension is not 1: shape {x.shape}.")
    return reshaped(x, tuple(d for i, d in enumerate(x.shape) if i not in gone))


@op(tensors="x")
def broadcast_to(x: Any, shape: Any) -> Tensor:
    """Repeated, without copying, along axes of size 1 and new leading axes."""
    x = tensor(x)
    shape = shape_of(shape)
    return x if same_shape(x.shape, shape) else P.broadcast_to(x, shape=shape)


@op
def flip(x: Any, axis: Any = None) -> Tensor:
    """The elements in reverse order along the axes."""
    x = tensor(x)
    axes = axes_of(axis, x.ndim)
    return P.flip(x, axis=axes) if axes else x


@op
def fliplr(x: Any) -> Tensor:
    """Reversed along axis 1."""
    return flip(x, 1)


@op
def flipud(x: Any) -> Tensor:
    """Reversed along axis 0."""
    return flip(x, 0)


@op(tensors="array")
def rot90(array: Any, k: int = 1, axes: tuple = (0, 1)) -> Tensor:
    """Turned by 90 degrees, k times, in the plane of two axes."""
    x = tensor(array)
    if x.ndim < 2:
        raise ValueError(f"Input array must have at least 2 dimensions. Received: array.ndim={x.ndim}")
    if len(axes) != 2 or axis_of(axes[0], x.ndim) == axis_of(axes[1], x.ndim):
        raise ValueError(f"Invalid axes: {axes}. Axes must be a tuple of two different dimensions.")
    a, b = axis_of(axes[0], x.ndim), axis_of(axes[1], x.ndim)
    k %= 4
    if k == 0:
        return x
    if k == 2:
        return P.flip(x, axis=tuple(sorted((a, b))))
    order = list(range(x.ndim))
    order[a], order[b] = b, a
    if k == 1:
        return P.transpose(P.flip(x, axis=(b,)), axes=tuple(order))
    return P.flip(P.transpose(x, axes=tuple(order)), axis=(b,))


# -- repeating --------------------------------------------------------------------------------------------------------


@op(tensors="x")
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Tensor:
    """Every element `repeats` times (a number, or one for each place along the axis), beside itself."""
    x = tensor(x)
    if axis is None:
        x, axis = reshaped(x, (-1,)), 0
    at = axis_of(axis, x.ndim)
    counts = np.asarray(repeats)
    if counts.ndim and counts.size == 1:
        counts = counts.reshape(())
    if counts.ndim:
        index = np.repeat(np.arange(len(counts), dtype="int32"), counts)
        return P.take(x, Tensor(index), axis=at)
    n, shape = int(counts), x.shape
    wide = P.reshape(x, shape=(*shape[: at + 1], 1, *shape[at + 1 :]))
    wide = P.broadcast_to(wide, shape=(*shape[: at + 1], n, *shape[at + 1 :]))
    return P.reshape(wide, shape=(*shape[:at], shape[at] * n, *shape[at + 1 :]))


@op(tensors="x")
def tile(x: Any, repeats: Any) -> Tensor:
    """The whole tensor repeated along each axis as often as `repeats` says."""
    x = tensor(x)
    counts = shape_of(repeats)
    shape = (1,) * (len(counts) - x.ndim) + tuple(x.shape)
    counts = (1,) * (len(shape) - len(counts)) + counts
    if all(not isinstance(c, Dim) and c == 1 for c in counts):
        return reshaped(x, shape)
    narrow = P.reshape(x, shape=tuple(v for d in shape for v in (1, d)))
    wide = P.broadcast_to(narrow, shape=tuple(v for c, d in zip(counts, shape, strict=True) for v in (c, d)))
    return P.reshape(wide, shape=tuple(c * d for c, d in zip(counts, shape, strict=True)))


def part(x: Tensor, axis: int, start: Any, stop: Any) -> Tensor:
    """The places from start to stop along one axis (both given, neither negative)."""
    index = tuple(slice(start, stop, 1) if i == axis else slice(0, d, 1) for i, d in enumerate(x.shape))
    return P.slice_(x, index=index)


@op(tensors="x")
def roll(x: Any, shift: Any, axis: Any = None) -> Tensor:
    """Moved along axes by `shift`; what leaves at one end comes back at the other."""
    x = tensor(x)
    if axis is None:
        return P.reshape(roll(reshaped(x, (-1,)), shift, 0), shape=x.shape)
    shifts, axes = _listed(concrete(shift)), _listed(axis)
    if len(shifts) == 1:
        shifts = shifts * len(axes)
    if len(axes) == 1:
        axes = axes * len(shifts)
    for s, a in zip(shifts, axes, strict=True):
        at = axis_of(a, x.ndim)
        size = x.shape[at]
        s = int(concrete(s))
        if isinstance(size, Dim):
            cut = size - s if 0 < s < 2 else -s if s == 0 else (size - s).__index__()
        else:
            cut = (size - s) % size if size else 0
        if same(cut, 0):
            continue
        x = P.concat(part(x, at, cut, size), part(x, at, 0, cut), axis=at)
    return x


# -- padding ----------------------------------------------------------------------------------------------------------


def pad_widths(pad_width: Any, ndim: int) -> tuple:
    """((before, after), …) for every axis, from a number, a pair, or a sequence of pairs."""
    if isinstance(pad_width, (Tensor, np.ndarray)):
        pad_width = np.asarray(pad_width).tolist()
    if not isinstance(pad_width, (list, tuple)):
        pad_width = ((pad_width, pad_width),)
    elif pad_width and not isinstance(pad_width[0], (list, tuple)):
        pad_width = (tuple(pad_width),)
    pairs = [tuple(p) * 2 if len(p) == 1 else tuple(p) for p in pad_width]
    if len(pairs) == 1:
        pairs = pairs * ndim
    if len(pairs) != ndim or any(len(p) != 2 for p in pairs):
        raise ValueError(
            f"`pad_width` must have one (before, after) pair for each of the {ndim} axes, or one for all. "
            f"Received: pad_width={pad_width}"
        )
    return tuple((int(a), int(b)) for a, b in pairs)


@op(tensors="x constant_values")
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Tensor:
    """Extended at both ends of every axis: by a constant (0), or by NumPy's modes such as "reflect" and "edge"."""
    x = tensor(x)
    widths = pad_widths(pad_width, x.ndim)
    if mode == "constant":
        value = 0 if constant_values is None else concrete(constant_values)
        if any(lo < 0 or hi < 0 for lo, hi in widths):
            raise ValueError(f"Padding can't be negative. Received: pad_width={pad_width}")
        return x if not any(lo or hi for lo, hi in widths) else P.pad(x, widths=widths, value=value)
    if constant_values is not None:
        raise ValueError(
            "Argument `constant_values` can only be provided when `mode == 'constant'`. "
            f"Received: mode={mode}, constant_values={constant_values}"
        )
    for axis, width in enumerate(widths):
        if any(width):
            places = np.arange(x.shape[axis].__index__(), dtype="int32")
            x = P.take(x, Tensor(np.pad(places, width, mode=mode)), axis=axis)
    return x


