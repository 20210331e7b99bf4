"""Making, viewing, joining and multiplying arrays."""

from typing import Any

import numpy as np

Array = np.ndarray


def full(shape: tuple, value: Any, dtype: Any, out: Array | None = None) -> Array:
    if out is None:
        return np.full(shape, value, dtype)
    out.fill(value)
    return out


def arange(start: Any, stop: Any, step: Any, dtype: Any, shape: tuple) -> Array:
    return np.arange(start, stop, step, dtype=dtype)


def size_of(dim: int, dtype: Any) -> Array:
    return np.asarray(dim, dtype)


def identity(x: Array) -> Array:
    return x.view()


def reshape(x: Array, shape: tuple) -> Array:
    return x.reshape(shape)


def broadcast_to(x: Array, shape: tuple) -> Array:
    return np.broadcast_to(x, shape)


def slice_(x: Array, index: tuple) -> Array:
    return x[index]


def unslice(g: Array, shape: tuple, index: tuple, out: Array | None = None) -> Array:
    """Zeros of `shape` with `g` at `index`: the adjoint of slicing."""
    out = full(shape, 0, g.dtype, out)
    out[index] = g
    return out


def contiguous(x: Array, out: Array | None = None) -> Array:
    """A copy whose rows follow one another in memory."""
    if out is None:
        return np.array(x, order="C")
    np.copyto(out, x)
    return out


def flip(x: Array, axis: tuple) -> Array:
    return np.flip(x, axis)


def concat(*xs: Array, axis: int, out: Array | None = None) -> Array:
    return np.concatenate(xs, axis, out=out)


def pad(x: Array, widths: tuple, value: Any = 0, out: Array | None = None) -> Array:
    """Constant padding; negative widths crop."""
    shape = tuple(lo + d + hi for d, (lo, hi) in zip(x.shape, widths, strict=True))
    out = full(shape, value, x.dtype, out)
    inner = tuple(slice(max(lo, 0), d - max(hi, 0)) for d, (lo, hi) in zip(shape, widths, strict=True))
    source = tuple(slice(max(-lo, 0), d - max(-hi, 0)) for d, (lo, hi) in zip(x.shape, widths, strict=True))
    out[inner] = x[source]
    return out


def cast(x: Array, dtype: Any, out: Array | None = None) -> Array:
    with np.errstate(all="ignore"):
        if out is None:
            return x.astype(dtype)
        np.copyto(out, x, casting="unsafe")
        return out


def select(mask: Array, a: Array, b: Array, out: Array | None = None) -> Array:
    if out is None:
        return np.where(mask, a, b)
    np.copyto(out, b)
    np.copyto(out, a, where=mask)
    return out


def matmul(a: Array, b: Array, out: Array | None = None) -> Array:
    if a.ndim == 2 and b.ndim == 2:  # np.dot has less overhead
        return np.dot(a, b, out)
    if out is None:
        return np.matmul(a, b)
    return np.matmul(a, b, out)


def one_hot(indices: Array, depth: int, dtype: Any, out: Array | None = None) -> Array:
    """Rows of zeros with a one at each index; an index out of range gives zeros."""
    hits = indices[..., None] == np.arange(depth)
    return cast(hits, dtype, out)


def argsort(x: Array, axis: int) -> Array:
    return np.argsort(x, axis, kind="stable").astype("int32")
