"""Choosing elements: indexing, take, where, diagonals, sorting, searching."""

from typing import Any, Sequence

import numpy as np

from kerasish.engine import primitives as P
from kerasish.engine.dims import Dim, broadcast_shapes, same
from kerasish.engine.specs import slice_length
from kerasish.engine.tensor import Tensor
from kerasish.engine.variable import Variable
from kerasish.ops.convert import axis_of, common, kind, promoted, shape_of, tensor
from kerasish.ops.numpy.creation import band, counting
from kerasish.ops.numpy.shaping import permuted, reshaped
from kerasish.ops.op import op
from kerasish.ops.symbolic import KerasTensor

# -- x[key] -----------------------------------------------------------------------------------------------------------


def _is_array(k: Any) -> bool:
    """Whether a part of a key is an array of integers or booleans, not a number or a slice."""
    if isinstance(k, (Tensor, Variable, list)):
        return True
    return isinstance(k, np.ndarray) or isinstance(k, np.bool_) or isinstance(k, bool)


def _bound(v: Any, size: Any) -> Any:
    """The end of a slice, as a place counted from the start; None stays."""
    if v is None:
        return None
    if isinstance(v, (Tensor, Variable)):
        v = v.__index__()
    if not isinstance(v, Dim):
        v = v.__index__()
        if v < 0:
            v = size + v
    if isinstance(size, Dim) or isinstance(v, Dim):
        if isinstance(size, Dim) and isinstance(v, int):
            # a place near the start of an axis of unknown length: 0 and 1 are taken to lie within
            return v if v <= 1 else min(size, v)
        return v
    return v


def normalized(s: slice, size: Any) -> slice:
    """A slice with all of start, stop and step given, within an axis of this size. See engine.specs.slice_length."""
    step = 1 if s.step is None else s.step.__index__()
    if step == 0:
        raise ValueError("slice step cannot be zero")
    ends = (s.start, s.stop)
    if not isinstance(size, Dim) and not any(isinstance(e, Dim) for e in ends):
        start, stop, step = slice(
            *[e.__index__() if isinstance(e, (Tensor, Variable)) else e for e in ends], step
        ).indices(size)
        if step > 0:
            return slice(start, max(start, stop), step)
        stop = min(start, stop)
        return slice(start, None if stop < 0 else stop, step) if start >= 0 else slice(0, 0, 1)
    start, stop = (_bound(e, size) for e in ends)
    if step > 0:
        return slice(0 if start is None else start, size if stop is None else stop, step)
    return slice(size - 1 if start is None else start, stop, step)


def _expanded(key: Any, ndim: int) -> list:
    """The key as a list with one part an axis (and Nones for new ones), the ellipsis written out."""
    parts = list(key) if isinstance(key, tuple) else [key]
    used = 0
    for k in parts:
        if k is None or k is Ellipsis:
            continue
        used += np.ndim(k) if _is_array(k) and kind(k) in ("bool", np.dtype(bool)) else 1
    if used > ndim:
        raise IndexError(f"Too many indices: the tensor has {ndim} dimensions, but {used} were indexed.")
    dots = [i for i, k in enumerate(parts) if k is Ellipsis]
    if len(dots) > 1:
        raise IndexError("An index can only have a single ellipsis ('...').")
    at = dots[0] if dots else len(parts)
    return parts[:at] + [slice(None)] * (ndim - used) + parts[at + bool(dots) :]


def _masks_as_indices(parts: list) -> list:
    """Boolean arrays become the integer arrays of their true places; their values must be known."""
    out: list = []
    for k in parts:
        if _is_array(k) and kind(k) in ("bool", np.dtype(bool)):
            mask = np.asarray(k)
            if mask.ndim == 0:
                raise IndexError("Indexing with a single boolean is not supported. Use ops.where.")
            out += [Tensor(i.astype("int32")) for i in np.nonzero(mask)]
        else:
            out.append(k)
    return out


def indexed(x: Tensor, key: Any) -> Tensor:
    """x[key] by NumPy's rules."""
    parts = _masks_as_indices(_expanded(key, x.ndim))
    advanced = any(_is_array(k) for k in parts)
    # first slices and single places; arrays wait
    index, shape, waiting, axis = [], [], [], 0
    for k in parts:
        if k is None:
            shape.append(1)
            continue
        size = x.shape[axis]
        if isinstance(k, slice):
            s = normalized(k, size)
            index.append(s)
            shape.append(slice_length(size, s))
        elif _is_array(k) or advanced:
            index.append(slice(0, size, 1))
            waiting.append((len(shape), _places(k, size)))
            shape.append(size)
        else:
            at = _place(k, size, axis)
            index.append(slice(at, at + 1, 1))
        axis += 1
    whole = all(
        s.step == 1 and not isinstance(s.start, Dim) and s.start == 0 and same(s.stop, d)
        for s, d in zip(index, x.shape, strict=True)
    )
    out = reshaped(x if whole else P.slice_(x, index=tuple(index)), shape)
    return _gathered(out, waiting) if waiting else out


def _place(k: Any, size: Any, axis: int) -> Any:
    """A single index as a place counted from the start."""
    if isinstance(k, Dim):
        return k
    try:
        at = k.__index__()
    except (AttributeError, TypeError) as e:
        if isinstance(k, Tensor):
            raise
        raise IndexError(
            f"Only integers, slices (`:`), ellipsis (`...`), None and integer or boolean arrays are valid indices. "
            f"Received: {k!r}"
        ) from e
    if isinstance(size, Dim):
        return size + at if at < 0 else at
    if not -size <= at < size:
        raise IndexError(f"index {at} is out of bounds for axis {axis} with size {size}")
    return at + size if at < 0 else at


def _places(k: Any, size: Any) -> Tensor:
    """An array of indices; those whose values are at hand are checked."""
    if isinstance(k, list) and not k:
        return Tensor(np.zeros(0, "int32"))
    t = tensor(k)
    if t.dtype.kind not in "iu":
        raise IndexError(f"Arrays used as indices must be of integer or boolean type. Received: dtype={t.dtype}")
    if type(t) is Tensor and not isinstance(size, Dim) and t.value.size:
        low, high = t.value.min(), t.value.max()
        if low < -size or high >= size:
            raise IndexError(f"index {low if low < -size else high} is out of bounds for an axis of size {size}")
    return t


def _gathered(x: Tensor, waiting: list) -> Tensor:
    """Integer arrays applied to the axes they stand at, together."""
    axes = [a for a, _ in waiting]
    arrays = [t for _, t in waiting]
    if len(axes) == 1:
        return P.take(x, arrays[0], axis=axes[0])
    dtype = common(*[t.dtype for t in arrays])
    arrays = [tensor(t, dtype) for t in arrays]
    rest = [i for i in range(x.ndim) if i not in axes]
    out = P.gather(permuted(x, (*axes, *rest)), *arrays, axes=tuple(range(len(axes))))
    block = len(broadcast_shapes(*[t.shape for t in arrays]))
    if axes != list(range(axes[0], axes[0] + len(axes))):
        return out  # arrays that are not neighbours put their axes first, as in NumPy
    before = [block + i for i in range(axes[0])]
    after = range(block + axes[0], out.ndim)
    return permuted(out, (*before, *range(block), *after))


def _item_of_node(self: Any, x: Any, key: Any) -> Tensor:
    # files have lists where the key was a tuple, so there, as in Keras, a list is one
    return indexed(tensor(x), tuple(key) if isinstance(key, list) else key)


@op(tensors="x key", node_call=_item_of_node)
def get_item(x: Any, key: Any) -> Tensor:
    """x[key]."""
    return indexed(tensor(x), key)

# -- take -------------------------------------------------------------------------------------------------------------


@op
def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """The slices of x at the indices along an axis, or elements of the flattened x; negative indices count from the
    end."""
    x = tensor(x)
    if axis is None:
        x, axis = reshaped(x, (-1,)), 0
    return P.take(x, _indices(indices), axis=axis_of(axis, x.ndim))


def _indices(indices: Any) -> Tensor:
    t = tensor(indices)
    return t if t.dtype.kind in "iu" else tensor(t, "int32")


@op
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """From every slice along the axis, the elements that the same slice of `indices` says."""
    x = tensor(x)
    index = _indices(indices)
    if axis is None:
        return P.take_along(reshaped(x, (-1,)), reshaped(index, (-1,)), axis=0)
    if index.ndim != x.ndim:
        raise ValueError(
            f"`x` and `indices` must have the same number of dimensions. Received: shapes {x.shape} and {index.shape}"
        )
    return P.take_along(x, index, axis=axis_of(axis, x.ndim))


def _found(x: Any) -> Any:
    """An array of places for each axis, as many as there are."""
    return tuple(KerasTensor((None,), "int32") for _ in x.shape) if isinstance(x, KerasTensor) else None


@op(tensors="condition x1 x2", spec=lambda condition, x1=None, x2=None: _found(condition) if x1 is None else None)
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """x1 where the condition holds, else x2; with the condition alone, the indices of where it holds."""
    if (x1 is None) != (x2 is None):
        raise ValueError("`x1` and `x2` either both should be `None` or both should have non-None value.")
    if x1 is None:
        return nonzero(condition)
    a, b = promoted(x1, x2)
    return P.select(tensor(condition, bool), a, b)


@op(spec=_found)
def nonzero(x: Any) -> tuple:
    """The indices of all elements that are not zero, an array for each axis. The values must be known."""
    return tuple(Tensor(i.astype("int32")) for i in np.nonzero(np.asarray(tensor(x))))


@op(tensors="condlist choicelist default")
def select(condlist: Sequence, choicelist: Sequence, default: Any = 0) -> Tensor:
    """From each choice the elements where its condition is the first to hold; elsewhere the default."""
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError(
            f"condlist and choicelist must have the same, positive, length. Received: len(condlist)={len(condlist)} "
            f"and len(choicelist)={len(choicelist)}"
        )
    *choices, out = promoted(*choicelist, default)
    for c, v in zip(reversed(list(condlist)), reversed(choices), strict=True):
        out = P.select(tensor(c, bool), v, out)
    return out


@op(tensors="indices")
def unravel_index(indices: Any, shape: Any) -> tuple:
    """Indices into a flattened tensor as indices into its axes."""
    index = _indices(indices)
    out = []
    for d in reversed(shape_of(shape)):
        out.append(P.mod(index, P.number(d, index.dtype)))
        index = P.floordiv(index, P.number(d, index.dtype))
    return tuple(reversed(out))


# -- diagonals --------------------------------------------------------------------------------------------------------


@op
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The elements x[i, i + offset] of the planes of two axes, along a new last axis."""
    x = tensor(x)
    if x.ndim < 2:
        raise ValueError(f"diagonal requires a tensor of at least two dimensions. Received: x.shape={x.shape}")
    a, b = axis_of(axis1, x.ndim), axis_of(axis2, x.ndim)
    rows, columns = x.shape[a], x.shape[b]
    skip_rows, skip_columns = max(-offset, 0), max(offset, 0)
    n = max(0, min(rows - skip_rows, columns - skip_columns))
    rest = [i for i in range(x.ndim) if i not in (a, b)]
    index = counting(n)
    out = P.gather(
        permuted(x, (a, b, *rest)),
        P.add(index, P.scalar(index, skip_rows)),
        P.add(index, P.scalar(index, skip_columns)),
        axes=(0, 1),
    )
    return permuted(out, (*range(1, out.ndim), 0))


@op
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of a diagonal."""
    d = diagonal(x, offset, axis1, axis2)
    if d.dtype.kind in "biu":
        d = tensor(d, "uint32" if d.dtype.kind == "u" else "int32")
    return P.sum_(d, axis=(d.ndim - 1,))


def diagonal_matrix(x: Tensor, k: int) -> Tensor:
    """The last axis of x on the k-th diagonal of matrices."""
    n = x.shape[-1] + abs(k)
    side = ((max(k, 0), max(-k, 0)),)
    wide = P.pad(x, widths=((0, 0),) * (x.ndim - 1) + side) if k else x
    columns = P.reshape(wide, shape=(*x.shape[:-1], 1, n))
    return P.select(band(n, n, k, P.equal), columns, P.scalar(x, 0))


@op
def diag(x: Any, k: int = 0) -> Tensor:
    """A matrix with the vector x on its k-th diagonal; of a matrix, its diagonal."""
    x = tensor(x)
    if x.ndim == 1:
        return diagonal_matrix(x, k)
    if x.ndim == 2:
        return diagonal(x, k)
    raise ValueError(f"`x` must be 1-D or 2-D. Received: x.shape={x.shape}")


@op
def diagflat(x: Any, k: int = 0) -> Tensor:
    """A matrix with the flattened x on its k-th diagonal."""
    return diagonal_matrix(reshaped(tensor(x), (-1,)), k)


@op
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Tensor:
    """The matrix of the powers of x."""
    x = tensor(x)
    if x.ndim != 1:
        raise ValueError(f"Input tensor must be 1-D. Received: x.shape={x.shape}")
    x = tensor(x, common(x.dtype))
    n = x.shape[0] if N is None else N
    powers = counting(n, x.dtype)
    if not increasing:
        powers = P.flip(powers, axis=(0,))
    return P.power(P.reshape(x, shape=(*x.shape, 1)), powers)


# -- counting and membership -------------------------------------------------------------------------------------------


def _counts(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    if minlength or sparse:
        return None
    return KerasTensor((*x.shape[:-1], None), common(kind(weights)).name if weights is not None else "int32")


@op(tensors="x", spec=_counts)
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Tensor:
    """How often each of 0, 1, … occurs, along the last axis; or the sums of the weights. The values must be known
    unless minlength is larger than all."""
    if sparse:
        raise ValueError("There are no sparse tensors here. Use sparse=False.")
    if tensor(x).dtype.kind not in "biu":
        raise TypeError(f"bincount counts integers. Received: x of dtype {tensor(x).dtype}")
    x = _indices(x)
    dtype = common(kind(weights)) if weights is not None else np.dtype("int32")
    length = int(minlength or 0)
    if type(x) is Tensor:
        length = max(length, int(x.value.max()) + 1 if x.value.size else 0)
    elif not length:
        raise ValueError("In a program bincount needs `minlength`: the number of bins must be known.")
    w = P.full(shape=x.shape, value=1, dtype=dtype) if weights is None else tensor(weights, dtype)
    if x.ndim == 1:
        return P.scatter_add(w, x, shape=(length,))
    rows = reshaped(counting(x.shape[0]), (x.shape[0], 1))
    return P.scatter_add(w, rows, tensor(x, "int32"), shape=(x.shape[0], length))


@op(class_name="IsIn")
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Where an element of x1 is among the elements of x2."""
    del assume_unique  # would only save time
    a, b = promoted(x1, x2)
    wide = P.reshape(a, shape=(*a.shape, 1))
    found = P.any_(P.equal(wide, reshaped(b, (-1,))), axis=(a.ndim,))
    return P.logical_not(found) if invert else found
