"""Reductions, running reductions, softmax."""

from typing import Any

import numpy as np

Array = np.ndarray
_ones: dict[Any, Array] = {}


def _ones_like_row(n: int, dtype: np.dtype) -> Array:
    row = _ones.get(dtype.char)
    if row is None or row.size < n:
        row = _ones[dtype.char] = np.ones(max(n, 1024), dtype)
    return row[:n]


def sum_(x: Array, axis: tuple, keepdims: bool = False, out: Array | None = None) -> Array:
    """Sum over axes. Over all leading axes of a float matrix it is a product with ones, several times faster."""
    k = len(axis)
    if (
        0 < k < x.ndim
        and x.dtype.char in "fd"
        and axis == tuple(range(k))
        and not keepdims
        and x.flags.c_contiguous
        and x.size
    ):
        rows = x.reshape(-1, int(np.prod(x.shape[k:])))
        target = None if out is None or not out.flags.c_contiguous else out.reshape(-1)
        if rows.shape[1] > 1 and rows.shape[0] > 1:
            y = np.dot(_ones_like_row(rows.shape[0], x.dtype), rows, target)
            if out is None:
                return y.reshape(x.shape[k:])
            if target is None:
                out[...] = y.reshape(out.shape)
            return out
    return np.add.reduce(x, axis, dtype=x.dtype if x.dtype != bool else np.int32, out=out, keepdims=keepdims)


def prod(x: Array, axis: tuple, keepdims: bool = False, out: Array | None = None) -> Array:
    return np.multiply.reduce(x, axis, dtype=x.dtype, out=out, keepdims=keepdims)


def max_(x: Array, axis: tuple, keepdims: bool = False, out: Array | None = None) -> Array:
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


def cumprod(x: Array, axis: int, out: Array | None = None) -> Array:
    return np.multiply.accumulate(x, axis, dtype=x.dtype, out=out)


def _shifted(x: Array, axis: int, out: Array | None) -> Array:
    top = np.maximum.reduce(x, axis, keepdims=True)
    if not np.isfinite(top).all():  # -inf rows (all masked) must not become nan by inf - inf
        top = np.where(np.isfinite(top), top, 0).astype(x.dtype)
    return np.subtract(x, top, out)


def softmax(x: Array, axis: int, out: Array | None = None) -> Array:
    with np.errstate(all="ignore"):
        out = _shifted(x, axis, out)
        out = np.exp(out, out if isinstance(out, np.ndarray) else None)
        return np.divide(out, np.add.reduce(out, axis, keepdims=True), out)


def log_softmax(x: Array, axis: int, out: Array | None = None) -> Array:
    with np.errstate(all="ignore"):
        out = _shifted(x, axis, out)
        return np.subtract(out, np.log(np.add.reduce(np.exp(out), axis, keepdims=True)), out)
