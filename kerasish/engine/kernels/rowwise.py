"""Kernels that work along one axis: softmax and its kin, the loss made of them, and moments.

Along the last axis they run over blocks of rows that stay in the cache; along any other, over the array as a whole.
"""

from typing import Any, Iterator

import numpy as np

from kerasish.engine.kernels.reduce import max_, row_max, row_sum, sum_
from kerasish.engine.kernels.scratch import ones, scratch

Array = np.ndarray
BLOCK_BYTES = 1 << 18
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
    # Subtracting the maximum only guards against overflow and underflow, which one look at all rows may rule out
    if np.maximum.reduce(x, None) < SAFE:
        np.exp(x, e)
        row_sum(e, total)
        if np.minimum.reduce(total, None) > 1e-6:
            np.divide(e, total, out)
            return
    with np.errstate(all="ignore"):
        _shift_rows(x, e)
        np.exp(e, e)
        np.divide(e, row_sum(e, total), out)


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
            total = row_sum(np.exp(y, e), scratch("sum", (len(part), 1), x.dtype))
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


def softmax_grad(dy: Array, y: Array, axis: int, out: Array | None = None) -> Array:
    """The gradient of y = softmax(x) in x: y * (dy - sum(dy * y))."""
    if y.dtype == np.float16:
        dx = softmax_grad(dy.astype(np.float32), y.astype(np.float32), axis).astype(np.float16)
        return dx if out is None else _into(out, dx)
    if not (_is_rows(y, axis) and dy.flags.c_contiguous and (out is None or out.flags.c_contiguous)):
        share = sum_(dy * y, (axis % y.ndim,), True)
        return np.multiply(y, np.subtract(dy, share), out)
    if out is None:
        out = np.empty(y.shape, y.dtype)
    n = y.shape[-1]
    gs, ys, into = dy.reshape(-1, n), y.reshape(-1, n), out.reshape(-1, n)
    for block in _blocks(len(ys), n, y.itemsize):
        g, part = gs[block], ys[block]
        term = scratch("exp", part.shape, y.dtype)
        np.multiply(g, part, term)
        share = row_sum(term, scratch("sum", (len(part), 1), y.dtype))
        np.subtract(g, share, term)
        np.multiply(part, term, into[block])
    return out


def _into(out: Array, values: Array) -> Array:
    np.copyto(out, values)
    return out


def sparse_crossentropy(x: Array, label: Array, y: Array | None = None, out: Array | None = None) -> tuple[Array, Array]:
    """The loss -log(softmax(x)[label]) of each row of logits x (..., n), and the softmax itself.

    A label out of range has no class: its loss is 0. The softmax goes into y, the loss into out (both in C order).
    """
    n = x.shape[-1]
    y = np.empty(x.shape, x.dtype) if y is None else y
    out = np.empty(x.shape[:-1], x.dtype) if out is None else out
    flat, into, losses = np.ascontiguousarray(x).reshape(-1, n), y.reshape(-1, n), out.reshape(-1)
    labels = label.reshape(-1)
    with np.errstate(all="ignore"):
        for block in _blocks(len(flat), n, x.itemsize):
            part, e, at = flat[block], into[block], labels[block]
            rows = np.arange(0, e.size, n)
            known = (at >= 0) & (at < n)
            _shift_rows(part, e)
            chosen = e.reshape(-1).take(rows + at, mode="clip")
            total = row_sum(np.exp(e, e), scratch("sum", (len(part), 1), x.dtype))
            np.divide(e, total, e)
            loss = losses[block]
            np.subtract(np.log(total[:, 0]), chosen, loss)
            if not known.all():
                np.copyto(loss, 0, where=~known)
    return out, y


def sparse_crossentropy_grad(dy: Array, y: Array, label: Array, out: Array | None = None) -> Array:
    """The gradient of the loss in the logits: (softmax - one_hot(label)) * dy; y is the softmax, dy (...,) a factor."""
    n = y.shape[-1]
    out = np.empty(y.shape, y.dtype) if out is None else out
    flat, labels = out.reshape(-1, n), label.reshape(-1)
    known = (labels >= 0) & (labels < n)
    every = bool(known.all())
    factor = dy.reshape(-1, 1) if every else (dy.reshape(-1) * known).reshape(-1, 1)
    np.multiply(y.reshape(-1, n), factor, flat)
    places = np.arange(0, flat.size, n) + labels
    elements, factor = flat.reshape(-1), factor.reshape(-1)
    if not every:
        places, factor = places[known], factor[known]
    elements[places] -= factor  # places are distinct: one a row
    return out


def moments(x: Array, axis: tuple, keepdims: bool = False) -> tuple[Array, Array]:
    """Mean and variance over axes. The variance is of the differences from the mean, so that nothing cancels."""
    axis = tuple(sorted(a % x.ndim for a in axis))
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    shape = tuple(1 if i in axis else d for i, d in enumerate(x.shape))
    lead, last = tuple(range(len(axis))), tuple(range(x.ndim - len(axis), x.ndim))
    if wide.dtype.char in "fd" and wide.flags.c_contiguous and wide.size and axis and axis in (lead, last):
        mean, var = (_moments_of_columns if axis == lead else _moments_of_rows)(wide, len(axis))
    else:
        mean = np.mean(wide, axis, keepdims=True)
        var = np.mean(np.square(wide - mean), axis, keepdims=True)
    if not keepdims:
        shape = tuple(d for i, d in enumerate(x.shape) if i not in axis)
    return mean.reshape(shape).astype(x.dtype, copy=False), var.reshape(shape).astype(x.dtype, copy=False)


def _moments_of_rows(x: Array, axes: int) -> tuple[Array, Array]:
    flat = x.reshape(int(np.prod(x.shape[: x.ndim - axes])), -1)
    rows, n = flat.shape
    mean, var = np.empty((rows, 1), x.dtype), np.empty((rows, 1), x.dtype)
    part_of = x.dtype.type(1 / n)
    for block in _blocks(rows, n, x.itemsize):
        part, m = flat[block], mean[block]
        np.multiply(row_sum(part, m), part_of, m)
        apart = np.subtract(part, m, scratch("apart", part.shape, x.dtype))
        row_sum(np.multiply(apart, apart, apart), var[block])
    return mean, np.multiply(var, part_of, var)


def _moments_of_columns(x: Array, axes: int) -> tuple[Array, Array]:
    n = int(np.prod(x.shape[:axes]))
    flat = x.reshape(n, -1)
    columns = flat.shape[1]
    part_of = x.dtype.type(1 / n)
    mean, var = np.zeros(columns, x.dtype), np.zeros(columns, x.dtype)
    blocks = list(_blocks(n, columns, x.itemsize))
    for block in blocks:
        part = flat[block]
        mean += np.dot(ones(len(part), x.dtype), part)
    mean *= part_of
    for block in blocks:
        part = flat[block]
        apart = np.subtract(part, mean, scratch("apart", part.shape, x.dtype))
        var += np.dot(ones(len(part), x.dtype), np.multiply(apart, apart, apart))
    return mean, np.multiply(var, part_of, var)
