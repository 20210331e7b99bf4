"""Reductions and running reductions. `axis` is a tuple of axes from 0 up, or for one axis a number."""

import math
from functools import lru_cache

import numpy as np

from kerasish.engine.kernels.scratch import ones, scratch

Array = np.ndarray
LONG = 4096  # sums of more are taken in pieces

def row_max(x: Array, out: Array | None = None) -> Array:
    """The greatest element of each row of a matrix in C order: (rows, 1)."""
    rows, n = x.shape
    if out is None:
        out = np.empty((rows, 1), x.dtype)
    if n <= 16 < rows:  # NumPy spends 60 ns on each row, however short; along columns it is quick
        turned = scratch("turned", (n, rows), x.dtype)
        np.copyto(turned, x.T)
        np.maximum.reduce(turned, 0, out=out[:, 0])
    elif 16 < n <= 512:  # argmax starts a row faster
        where = x.argmax(1)
        where += np.arange(0, rows * n, n)
        x.reshape(-1).take(where, out=out[:, 0], mode="clip")
    else:
        np.maximum.reduce(x, 1, out=out, keepdims=True)
    return out


def row_sum(x: Array, out: Array | None = None) -> Array:
    """The sum of each row of a matrix in C order: (rows, 1)."""
    if out is None:
        out = np.empty((len(x), 1), x.dtype)
    return np.dot(x, ones(x.shape[1], x.dtype)[:, None], out)


@lru_cache(maxsize=1024)
def stages_of(shape: tuple, axis: tuple) -> tuple:
    """A sum over `axis` as sums over the middle of three axes, ((before, summed, after), ...), the last axes first."""
    runs: list[list] = []  # [length, summed], neighbours joined
    for i, d in enumerate(shape):
        summed = i in axis
        if d == 1:
            continue
        if runs and runs[-1][1] == summed:
            runs[-1][0] *= d
        else:
            runs.append([d, summed])
    stages = []
    while any(summed for _, summed in runs):
        at = max(i for i, (_, summed) in enumerate(runs) if summed)
        before, after = (math.prod(d for d, _ in part) for part in (runs[:at], runs[at + 1 :]))
        stages.append((before, runs[at][0], after))
        runs = runs[:at] + runs[at + 1 :]
    return tuple(stages)


def _stage(x: Array, before: int, n: int, after: int, out: Array | None) -> Array:
    """Sum the middle axis by a product with ones: several times faster than a reduction, whose rows are short."""
    if before == after == 1 or (after == 1 and n > LONG):
        return np.add.reduce(x.reshape(before, n), 1, out=out)  # pairwise: accurate over long rows
    if after == 1:
        y = np.dot(x.reshape(before, n), ones(n, x.dtype), out)
    elif before == 1:
        x = x.reshape(n, after)
        y = np.dot(ones(min(n, LONG), x.dtype), x[:LONG], out)
        for i in range(LONG, n, LONG):  # in pieces, so that rounding does not add up over very many rows
            y += np.dot(ones(min(LONG, n - i), x.dtype), x[i : i + LONG])
    else:
        x = x.reshape(before, n, after)
        out = None if out is None else out.reshape(before, 1, after)
        y = np.matmul(ones(min(n, LONG), x.dtype)[None], x[:, :LONG], out)
        for i in range(LONG, n, LONG):
            y += np.matmul(ones(min(LONG, n - i), x.dtype)[None], x[:, i : i + LONG])
    return y


def sum_(x: Array, axis: tuple, keepdims: bool = False, out: Array | None = None) -> Array:
    """The sum over axes. Half precision is summed in float32, booleans are counted."""
    if x.dtype.char in "fd" and x.flags.c_contiguous and x.size and (out is None or out.flags.c_contiguous):
        stages = stages_of(x.shape, axis)
        if stages:
            y = x
            for stage in stages[:-1]:
                y = _stage(y, *stage, None)
            y = _stage(y, *stages[-1], None if out is None else out.reshape(-1))
            if out is not None:
                return out
            return np.asarray(y).reshape(_reduced(x.shape, axis, keepdims))
    kind = np.dtype(np.int32) if x.dtype == bool else x.dtype
    if x.dtype == np.float16:
        y = np.add.reduce(x, axis, dtype=np.float32, keepdims=keepdims)
        if out is None:
            return np.asarray(y, np.float16)
        np.copyto(out, y, casting="same_kind")
        return out
    return np.add.reduce(x, axis, dtype=kind, out=out, keepdims=keepdims)


def row_dot(a: Array, b: Array, keepdims: bool, out: Array | None = None) -> Array:
    """The sum of a * b over the last axis; a and b are real and of one shape."""
    if out is None:
        y = np.vecdot(a, b)
        return y[..., None] if keepdims else y
    np.vecdot(a, b, out=out[..., 0] if keepdims else out)
    return out


@lru_cache(maxsize=1024)
def _reduced(shape: tuple, axis: tuple, keepdims: bool) -> tuple:
    return tuple(1 if i in axis else d for i, d in enumerate(shape) if keepdims or i not in axis)


def prod(x: Array, axis: tuple, keepdims: bool = False, out: Array | None = None) -> Array:
    return np.multiply.reduce(x, axis, dtype=x.dtype, out=out, keepdims=keepdims)


def max_(x: Array, axis: tuple, keepdims: bool = False, out: Array | None = None) -> Array:
    if axis == (x.ndim - 1,) and x.ndim > 1 and x.size and x.dtype.char in "fd" and x.flags.c_contiguous:
        if out is None or out.flags.c_contiguous:
            y = row_max(x.reshape(-1, x.shape[-1]), None if out is None else out.reshape(-1, 1))
            return y.reshape(_reduced(x.shape, axis, keepdims)) if out is None else out
    return np.maximum.reduce(x, axis, out=out, keepdims=keepdims)


def min_(x: Array, axis: tuple, keepdims: bool = False, out: Array | None = None) -> Array:
    return np.minimum.reduce(x, axis, out=out, keepdims=keepdims)


def all_(x: Array, axis: tuple, keepdims: bool = False, out: Array | None = None) -> Array:
    return np.logical_and.reduce(x, axis, out=out, keepdims=keepdims)


def any_(x: Array, axis: tuple, keepdims: bool = False, out: Array | None = None) -> Array:
    return np.logical_or.reduce(x, axis, out=out, keepdims=keepdims)


def argmax(x: Array, axis: int) -> Array:
    return np.asarray(x.argmax(axis)).astype(np.int32)


def argmin(x: Array, axis: int) -> Array:
    return np.asarray(x.argmin(axis)).astype(np.int32)


def cumsum(x: Array, axis: int, out: Array | None = None) -> Array:
    return np.add.accumulate(x, axis, dtype=x.dtype, out=out)


def recurrence(a: Array, b: Array, axis: int) -> Array:
    """y[i] = a[i] * y[i - 1] + b[i] along an axis, the one before the first being 0; by doubling the reach of each step."""
    a, b = np.moveaxis(a, axis, 0).copy(), np.moveaxis(b, axis, 0).copy()
    step = 1
    while step < len(b):
        b[step:] += a[step:] * b[:-step]
        a[step:] = a[step:] * a[:-step]
        step *= 2
    return np.ascontiguousarray(np.moveaxis(b, 0, axis))


def cumprod(x: Array, axis: int, out: Array | None = None) -> Array:
    return np.multiply.accumulate(x, axis, dtype=x.dtype, out=out)
