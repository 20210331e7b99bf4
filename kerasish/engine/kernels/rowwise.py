"""Kernels that work along one axis: softmax and its kin.

Along the last axis they run over blocks of rows that stay in the cache; along any other, over the array as a whole.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

import numpy as np

from kerasish.engine.kernels import crew
from kerasish.engine.kernels.reduce import max_, row_max, row_sum, sum_
from kerasish.engine.kernels.scratch import SMALL, scratch

Array = np.ndarray
BLOCK_BYTES = 1 << 20
SAFE = 64.0  # exp of it, and sums of many such, are far from overflow in float32


def _is_rows(x: Array, axis: int) -> bool:
    return axis in (-1, x.ndim - 1) and x.dtype.char in "fd" and x.flags.c_contiguous and x.size > 0


def _blocks(rows: int, n: int, itemsize: int) -> Iterator[slice]:
    step = max(1, BLOCK_BYTES // (n * itemsize))
    return (slice(i, i + step) for i in range(0, rows, step))


def _narrow(function: Any, x: Array, axis: int, out: Array | None) -> Array:
    """Half precision is computed in float32."""
    y = function(x.astype(np.float32), axis)
    if out is None:
        return y.astype(np.float16)
    np.copyto(out, y, casting="same_kind")
    return out


def _shifted(x: Array, axis: int) -> tuple[Array, Array]:
    """x less its maximum along the axis, and the maximum; where that is infinite, 0 in its place."""
    axis %= x.ndim
    top = max_(x, (axis,), True)
    if not np.isfinite(top).all():  # -inf less -inf would be nan
        top = np.where(np.isfinite(top), top, 0).astype(x.dtype)
    return np.subtract(x, top), top


def _shift_rows(x: Array, out: Array) -> Array:
    """The same for rows, into out; returns the maxima."""
    top = row_max(x, scratch("top", (len(x), 1), x.dtype))
    if not np.isfinite(top).all():
        np.copyto(top, 0, where=~np.isfinite(top))
    np.subtract(x, top, out)
    return top


def softmax(x: Array, axis: int, out: Array | None = None) -> Array:
    """exp(x) / sum(exp(x)) along the axis. A row that is all -inf gives nan."""
    if x.dtype == np.float16:
        return _narrow(softmax, x, axis, out)
    if not _is_rows(x, axis):
        with np.errstate(all="ignore"):
            y, _ = _shifted(x, axis)
            np.exp(y, y)
            return np.divide(y, sum_(y, (axis % y.ndim,), True), out)
    result = out if out is not None and out.flags.c_contiguous else np.empty(x.shape, x.dtype)
    n = x.shape[-1]
    flat, into = x.reshape(-1, n), result.reshape(-1, n)
    for block in _blocks(len(flat), n, x.itemsize):
        _softmax_rows(flat[block], into[block])
    return result if out is None or result is out else _into(out, result)


def _softmax_rows(x: Array, out: Array) -> None:
    e = scratch("exp", x.shape, x.dtype)
    total = scratch("sum", (len(x), 1), x.dtype)
    with np.errstate(all="ignore"):
        _exp_rows(x, e, total)
        np.divide(e, total, out)


def _exp_rows(x: Array, e: Array, total: Array) -> Array | None:
    """exp(x) and its sums by row, or those of x less its rows' maxima, which are returned."""
    # Subtracting the maximum only guards against overflow and underflow, which one look at all rows may rule out
    if np.maximum.reduce(x, None) < SAFE:
        crew.apply(np.exp, x, e)
        row_sum(e, total)
        if np.minimum.reduce(total, None) > 1e-6:
            return None
    top = _shift_rows(x, e)
    crew.apply(np.exp, e, e)
    row_sum(e, total)
    return top


def bound_softmax(x: Array, out: Array, axis: int) -> Callable[[], Any]:
    """softmax of an array that stays where it is; of a small one with all of its memory prepared."""
    if not _is_rows(x, axis) or not out.flags.c_contiguous or x.nbytes > SMALL:
        return partial(softmax, x, axis, out)
    n = x.shape[-1]
    flat, into = x.reshape(-1, n), out.reshape(-1, n)
    e, total = np.empty_like(flat), np.empty((len(flat), 1), x.dtype)

    def run() -> None:
        _exp_rows(flat, e, total)
        np.divide(e, total, into)

    return run


def log_softmax_at(x: Array, index: Array, out: Array | None = None) -> Array:
    """log_softmax of x (..., n) at one place of each row: index (...). What lies outside gives the last or the first."""
    if out is None:
        out = np.empty(index.shape, x.dtype)
    for rows, (at, e, total, top) in _picked(x, index):
        part, into = x.reshape(-1, x.shape[-1])[rows], out.reshape(-1)[rows]
        part.reshape(-1).take(at, out=into, mode="clip")
        if top is not None:
            np.subtract(into, top[:, 0], into)  # first, while nothing small has been added to it
        np.subtract(into, np.log(total, total)[:, 0], into)
    return out


def log_softmax_at_grad(g: Array, x: Array, index: Array, out: Array | None = None) -> Array:
    """The gradient of log_softmax_at in x: g (...) at the place of each row, less g * softmax(x)."""
    if out is None:
        out = np.empty(x.shape, x.dtype)
    flat = out.reshape(-1, x.shape[-1])
    for rows, (at, e, total, _) in _picked(x, index):
        slope, into = g.reshape(-1)[rows], flat[rows]
        np.divide(slope[:, None], total, total)
        np.negative(total, total)
        np.multiply(e, total, into)
        into.reshape(-1)[at] += slope
    return out


@lru_cache(maxsize=16)
def _starts(rows: int, n: int) -> Array:
    """Where rows of n elements begin."""
    starts = np.arange(0, rows * n, n)
    starts.flags.writeable = False
    return starts


def _picked(x: Array, index: Array) -> Iterator[tuple[slice, tuple]]:
    """For blocks of rows: which, and the places that index means, exp(x), its sums, the maxima if they were subtracted."""
    n = x.shape[-1]
    flat, where = x.reshape(-1, n), index.reshape(-1)
    with np.errstate(all="ignore"):
        for rows in _blocks(len(flat), n, x.itemsize):
            part = flat[rows]
            e, total = scratch("exp", part.shape, x.dtype), scratch("sum", (len(part), 1), x.dtype)
            at = np.empty(len(part), np.intp)
            np.copyto(at, where[rows], "unsafe")
            np.minimum(at, n - 1, out=at)
            np.maximum(at, 0, out=at)
            at += _starts(len(part), n)
            yield rows, (at, e, total, _exp_rows(part, e, total))


def log_softmax(x: Array, axis: int, out: Array | None = None) -> Array:
    """x - log(sum(exp(x))) along the axis."""
    if x.dtype == np.float16:
        return _narrow(log_softmax, x, axis, out)
    with np.errstate(all="ignore"):
        if not _is_rows(x, axis) or (out is not None and not out.flags.c_contiguous):
            y, _ = _shifted(x, axis)
            return np.subtract(y, np.log(sum_(np.exp(y), (axis % y.ndim,), True)), out)
        if out is None:
            out = np.empty(x.shape, x.dtype)
        n = x.shape[-1]
        flat, into = x.reshape(-1, n), out.reshape(-1, n)
        for block in _blocks(len(flat), n, x.itemsize):
            part, y = flat[block], into[block]
            _shift_rows(part, y)
            e = scratch("exp", part.shape, x.dtype)
            total = row_sum(crew.apply(np.exp, y, e), scratch("sum", (len(part), 1), x.dtype))
            np.subtract(y, np.log(total, total), y)
    return out


def logsumexp(x: Array, axis: int, keepdims: bool = False) -> Array:
    """log(sum(exp(x))) along the axis."""
    if x.dtype == np.float16:
        return logsumexp(x.astype(np.float32), axis, keepdims).astype(np.float16)
    with np.errstate(all="ignore"):
        y, top = _shifted(x, axis)
        y = np.log(sum_(np.exp(y, y), (axis % y.ndim,), True)) + top
    return y if keepdims else y.squeeze(axis)


def _into(out: Array, values: Array) -> Array:
    np.copyto(out, values)
    return out
