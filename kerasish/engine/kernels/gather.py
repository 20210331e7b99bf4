"""Taking and putting by index. Indices are trusted to be integers; those out of range are clipped when taking."""

import numpy as np

Array = np.ndarray
RANKS = 5  # rows of a run that are added one by one for all runs together: reduceat is slow over short runs
FEW = 8  # columns that are summed one by one


def _wrapped(index: Array, size: int) -> Array:
    """Negative indices count from the end."""
    return np.where(index < 0, index + size, index) if index.size and index.min() < 0 else index


def take(x: Array, index: Array, axis: int, out: Array | None = None) -> Array:
    index = _wrapped(index, x.shape[axis])
    return x.take(index, axis, out, "clip") if out is not None else x.take(index, axis, mode="clip")


def take_grad(g: Array, index: Array, shape: tuple, axis: int, out: Array | None = None) -> Array:
    """Zeros of `shape` with the slices of `g` added at `index` along `axis`."""
    if out is None:
        out = np.zeros(shape, g.dtype)
    else:
        out.fill(0)
    flat = np.clip(_wrapped(index, shape[axis]), 0, max(shape[axis] - 1, 0)).reshape(-1)
    before, after = shape[:axis], shape[axis + 1 :]
    rows = g.reshape(*before, flat.size, *after)
    if axis:
        rows = np.moveaxis(rows, axis, 0)
    put_sums(out if axis == 0 else np.moveaxis(out, axis, 0), flat, rows)
    return out


def put_sums(table: Array, index: Array, rows: Array) -> None:
    """Write the sums of the rows that have the same index into a table of zeros."""
    if not index.size:
        return
    digits = index.astype(np.uint16) if index.max() < 1 << 16 else index  # which NumPy sorts digit by digit
    order = digits.argsort(kind="stable")
    ordered = index[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    counts = np.diff(starts, append=len(index))
    sums = rows.take(order[starts], 0)
    runs, rank = np.flatnonzero(counts > 1), 1
    while runs.size and rank < RANKS:  # the second row of every run, the third, …
        sums[runs] += rows.take(order[starts[runs] + rank], 0)
        rank += 1
        runs = runs[counts[runs] > rank]
    if runs.size:  # what is left of long ones
        left = counts[runs] - rank
        ends = np.cumsum(left)
        at = np.repeat(starts[runs] + rank - (ends - left), left) + np.arange(ends[-1])
        sums[runs] += np.add.reduceat(rows.take(order[at], 0), ends - left, axis=0)
    table[ordered[starts]] = sums


def gather(x: Array, *indices: Array, axes: tuple) -> Array:
    index = tuple(np.clip(_wrapped(i, d), 0, max(d - 1, 0)) for i, d in zip(indices, x.shape, strict=False))
    return x[index]


def scatter_add(values: Array, *indices: Array, shape: tuple) -> Array:
    """Zeros of `shape` with `values` added at the indices; those out of range are dropped."""
    k = len(indices)
    indices = np.broadcast_arrays(*indices)
    flat = np.zeros(indices[0].shape, np.int64)
    inside = np.ones(indices[0].shape, bool)
    for i, d in zip(indices, shape, strict=False):
        i = _wrapped(i, d)
        inside &= (i >= 0) & (i < d)
        flat = flat * d + i
    out = np.zeros((int(np.prod(shape[:k])), *shape[k:]), values.dtype)
    rows = np.broadcast_to(values, (*flat.shape, *shape[k:])).reshape(flat.size, *shape[k:])
    flat = flat.reshape(-1)
    if not inside.all():
        keep = inside.reshape(-1)
        flat, rows = flat[keep], rows[keep]
    if out.dtype.kind == "f" and out[:1].size <= FEW and out.size and rows.size:
        # counting with weights takes no sorting; it sums in float64
        columns, sums = rows.reshape(len(rows), -1), out.reshape(len(out), -1)
        for i in range(sums.shape[1]):
            sums[:, i] = np.bincount(flat, columns[:, i], minlength=len(out))
    else:
        put_sums(out, flat, rows)
    return out.reshape(shape)


def scatter_set(x: Array, values: Array, *indices: Array) -> Array:
    out = x.copy()
    out[indices] = values
    return out


def _picks(index: Array, shape: tuple, axis: int) -> Array | None:
    """Where `index` points in the flat array, if it picks one element of each row of an array of `shape`."""
    last = len(shape) - 1
    if axis != last or index.shape != (*shape[:last], 1) or not index.size:
        return None
    n = shape[last]
    index = np.clip(_wrapped(index.reshape(-1), n), 0, max(n - 1, 0))
    return index + np.arange(0, index.size * n, n)


def _grid(index: Array, shape: tuple, axis: int, g: Array) -> tuple:
    """Open index arrays for every axis of `g`; `index` itself along one, zeros where the array is to be broadcast."""
    grids = list(np.indices(g.shape, sparse=True))  # the index may have been broadcast, too
    for i, d in enumerate(shape):
        if i != axis and d == 1:
            grids[i] = np.zeros_like(grids[i])
    grids[axis] = np.clip(_wrapped(index, shape[axis]), 0, max(shape[axis] - 1, 0))
    return tuple(grids)


def take_along(x: Array, index: Array, axis: int, out: Array | None = None) -> Array:
    at = _picks(index, x.shape, axis) if x.flags.c_contiguous else None
    if at is not None:
        return x.reshape(-1).take(at.reshape(index.shape), out=out, mode="clip")
    y = np.take_along_axis(x, np.clip(_wrapped(index, x.shape[axis]), 0, max(x.shape[axis] - 1, 0)), axis)
    if out is None:
        return y
    np.copyto(out, y)
    return out


def take_along_grad(g: Array, index: Array, shape: tuple, axis: int, out: Array | None = None) -> Array:
    """Zeros of `shape` with `g` added at `index` along an axis."""
    if out is None:
        out = np.zeros(shape, g.dtype)
    else:
        out.fill(0)
    return add_along(out, index, g, axis=axis, out=out)


def add_along(x: Array, index: Array, g: Array, axis: int, out: Array | None = None) -> Array:
    """x with `g` added at `index` along an axis."""
    if out is None:
        out = x.copy()
    elif out is not x:
        np.copyto(out, x)
    at = _picks(index, out.shape, axis) if out.flags.c_contiguous and g.shape == index.shape else None
    if at is not None:  # no place twice
        out.reshape(-1)[at] += g.reshape(-1)
    else:
        np.add.at(out, _grid(index, out.shape, axis, g), g)
    return out


def _place(starts: tuple, shape: tuple, size: tuple) -> tuple:
    """Where a block goes: the starts are moved inside, as XLA does."""
    at = [min(max(int(s), 0), d - n) for s, d, n in zip(starts, shape, size, strict=True)]
    return tuple(slice(a, a + n) for a, n in zip(at, size, strict=True))


def dynamic_slice(x: Array, *starts: Array, shape: tuple) -> Array:
    return x[_place(starts, x.shape, shape)].copy()


def dynamic_update(x: Array, values: Array, *starts: Array) -> Array:
    out = x.copy()
    out[_place(starts, x.shape, values.shape)] = values
    return out
