"""Pooling in any rank, channels last. A maximum belongs to the first place of its window that holds it."""

from itertools import product

import numpy as np

Array = np.ndarray


def _bordered(x: Array, padding: tuple, value: float) -> Array:
    if all(p == (0, 0) for p in padding):
        return x
    shape = (x.shape[0], *[lo + d + hi for d, (lo, hi) in zip(x.shape[1:-1], padding, strict=True)], x.shape[-1])
    out = np.full(shape, value, x.dtype)
    out[_inner(x.shape, padding)] = x
    return out


def _inner(shape: tuple, padding: tuple) -> tuple:
    return (slice(None), *[slice(lo, lo + d) for d, (lo, _) in zip(shape[1:-1], padding, strict=True)])


def _shifts(shape: tuple, size: tuple, strides: tuple) -> list[tuple]:
    """For each place in the window, the slice of the bordered input that falls there."""
    outs = [(d - k) // s + 1 for d, k, s in zip(shape[1:-1], size, strides, strict=True)]
    return [
        (slice(None), *[slice(t, t + (o - 1) * s + 1, s) for t, s, o in zip(tap, strides, outs, strict=True)])
        for tap in product(*map(range, size))
    ]


def _lowest(dtype: np.dtype) -> float:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def max_pool(x: Array, size: tuple, strides: tuple, padding: tuple, out: Array | None = None) -> Array:
    xp = _bordered(x, padding, _lowest(x.dtype))
    first, *rest = _shifts(xp.shape, size, strides)
    if out is None:
        out = np.array(xp[first])
    else:
        np.copyto(out, xp[first])
    for s in rest:
        np.maximum(out, xp[s], out=out)
    return out


def max_pool_grad(
    dy: Array, x: Array, y: Array, size: tuple, strides: tuple, padding: tuple, out: Array | None = None
) -> Array:
    xp = _bordered(x, padding, _lowest(x.dtype))
    dx = np.zeros(xp.shape, dy.dtype)
    free = np.ones(y.shape, bool)  # windows whose maximum has not been met yet
    apart = all(k <= s for k, s in zip(size, strides, strict=True))
    for s in _shifts(xp.shape, size, strides):
        hit = np.equal(xp[s], y)
        hit &= free
        free ^= hit
        if apart:
            np.multiply(dy, hit, out=dx[s])
        else:
            dx[s] += dy * hit
    dx = dx[_inner(x.shape, padding)]
    if out is None:
        return np.ascontiguousarray(dx)
    np.copyto(out, dx)
    return out


def max_pool_gather(dd: Array, x: Array, y: Array, size: tuple, strides: tuple, padding: tuple) -> Array:
    """What `dd` holds where the maxima of x were: the adjoint of max_pool_grad in dy."""
    xp, ddp = _bordered(x, padding, _lowest(x.dtype)), _bordered(dd, padding, 0)
    out = np.zeros(y.shape, dd.dtype)
    free = np.ones(y.shape, bool)
    for s in _shifts(xp.shape, size, strides):
        hit = np.equal(xp[s], y) & free
        free ^= hit
        out += ddp[s] * hit
    return out


def _counts(spatial: tuple, size: tuple, strides: tuple, padding: tuple, dtype: np.dtype) -> Array:
    """How many places of each window lie inside the input; padding is not counted."""
    ones = _bordered(np.ones((1, *spatial, 1), dtype), padding, 0)
    return sum(ones[s] for s in _shifts(ones.shape, size, strides))  # type: ignore[return-value]


def avg_pool(x: Array, size: tuple, strides: tuple, padding: tuple, out: Array | None = None) -> Array:
    xp = _bordered(x, padding, 0)
    first, *rest = _shifts(xp.shape, size, strides)
    if out is None:
        out = np.array(xp[first])
    else:
        np.copyto(out, xp[first])
    for s in rest:
        np.add(out, xp[s], out)
    return np.divide(out, _counts(x.shape[1:-1], size, strides, padding, x.dtype), out)


def avg_pool_grad(
    dy: Array, shape: tuple, size: tuple, strides: tuple, padding: tuple, out: Array | None = None
) -> Array:
    share = dy / _counts(shape[1:-1], size, strides, padding, dy.dtype)
    full = (shape[0], *[lo + d + hi for d, (lo, hi) in zip(shape[1:-1], padding, strict=True)], shape[-1])
    dx = np.zeros(full, dy.dtype)
    for s in _shifts(full, size, strides):
        dx[s] += share
    dx = dx[_inner(shape, padding)]
    if out is None:
        return np.ascontiguousarray(dx)
    np.copyto(out, dx)
    return out
