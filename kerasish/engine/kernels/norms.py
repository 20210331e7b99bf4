"""Normalization of rows, a row being what stands along the last axis: what layer and RMS normalization are made of.

    c = center_rows(x)            x - mean(x)
    r = inverse_rms_rows(c)       1 / sqrt(mean(c * c) + epsilon), one number for each row
    y = unit_rows(c, r)           c * r

and the gradient of the last two as one, since r is a function of c (Ba et al. 2016; Zhang and Sennrich 2019):

    unit_rows_grad(dy, y, r)      r * (dy - y * mean(dy * y))

Each kernel is a list of calls over a block of rows that stays in the cache. What belongs to a row is laid out over the
block (`outer`), so that all large calls are flat, and can be shared by the crew's threads. The lists are made anew for
arrays that come once, and prepared for those of a program.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from kerasish.engine.kernels.bound import BOUND, bound_ufunc
from kerasish.engine.kernels.outer import bound_outer
from kerasish.engine.kernels.reduce import LONG
from kerasish.engine.kernels.scratch import address, fresh, ones, scratch

Array = np.ndarray
Call = Callable[[], Any]
Binder = Callable[..., Call]  # (ufunc, *arguments, out) -> the call
BLOCK = 1 << 17  # elements: with two tiles of working memory they stay in the second-level caches of two processors


class Desk:
    """Working memory for one block: two tiles, and two columns."""

    def __init__(self, dtype: np.dtype, elements: int, make: Callable[[str, tuple, np.dtype], Array]):
        self.arrays = [make(name, (elements,), dtype) for name in ("tile 0", "tile 1", "column 0", "column 1")]

    def tile(self, i: int, like: Array) -> Array:
        return self.arrays[i][: like.size].reshape(like.shape)

    def column(self, i: int, like: Array) -> Array:
        return self.arrays[2 + i][: len(like)]


def _row_means(x: Array, out: Array, sign: int = 1) -> list[Call]:
    """The mean of each row, or its negative. Divided afterwards, so that rows of one number are met exactly."""
    n = x.shape[1]
    if n > LONG:
        total = partial(np.add.reduce, x, 1, out=out)  # pairwise: accurate over long rows
    else:
        total = partial(np.dot, x, ones(n, x.dtype), out)
    return [total, partial(np.true_divide, out, out.dtype.type(sign * n), out)]


def _center(bind: Binder, desk: Desk, x: Array, out: Array) -> list[Call]:
    mean, one = desk.column(0, x), ones(x.shape[1], x.dtype)
    copy = [] if address(out) == address(x) else [partial(np.copyto, out, x)]
    return [*_row_means(x, mean, -1), *copy, bound_outer(mean, one, out, add=True)]


def _inverse_rms(bind: Binder, desk: Desk, x: Array, out: Array, epsilon: float) -> list[Call]:
    squares, r = desk.tile(0, x), out.reshape(-1)
    return [
        bind(np.square, x, squares), *_row_means(squares, r),
        partial(np.add, r, r.dtype.type(epsilon), r), partial(np.sqrt, r, r), partial(np.reciprocal, r, r),
    ]  # fmt: skip


def _laid_out(column: Array, out: Array) -> Call:
    return bound_outer(column.reshape(-1), ones(out.shape[1], out.dtype), out)


def _unit(bind: Binder, desk: Desk, x: Array, r: Array, out: Array) -> list[Call]:
    scale = desk.tile(0, x)
    return [_laid_out(r, scale), bind(np.multiply, x, scale, out)]


def _unit_grad(bind: Binder, desk: Desk, dy: Array, y: Array, r: Array, out: Array) -> list[Call]:
    t, scale, mean = desk.tile(0, y), desk.tile(1, y), desk.column(0, y)
    return [
        bind(np.multiply, dy, y, t), *_row_means(t, mean),
        _laid_out(mean, t), bind(np.multiply, y, t, t), bind(np.subtract, dy, t, t),
        _laid_out(r, scale), bind(np.multiply, t, scale, out),
    ]  # fmt: skip


# -- over arrays of any shape -----------------------------------------------------------------------------------------


def _matrices(arrays: Sequence[Array]) -> list[Array] | None:
    """The arrays as (rows, n) in the same memory, or None where that is impossible."""
    if all(a.flags.c_contiguous and a.size for a in arrays):
        return [a.reshape(-1, a.shape[-1]) for a in arrays]
    return None


def _blocks(arrays: Sequence[Array]) -> Iterator[list[Array]]:
    step = max(1, BLOCK // max(a.shape[1] for a in arrays))
    return ([a[i : i + step] for a in arrays] for i in range(0, len(arrays[0]), step))


def _once(ufunc: np.ufunc, *arrays: Array) -> Call:
    return partial(ufunc, *arrays)


def _run(steps: Callable, arrays: Sequence[Array], params: dict) -> None:
    """Do it now, with the memory of this thread."""
    flat = _matrices(arrays)
    if flat is None:  # rows that are spread over memory
        *args, out = arrays
        if out.size:
            copies = [np.ascontiguousarray(a) for a in args]
            result = np.empty(out.shape, out.dtype)
            _run(steps, (*copies, result), params)
            np.copyto(out, result)
        return
    n = max(a.shape[1] for a in flat)
    desk = Desk(flat[0].dtype, min(len(flat[0]) * n, max(BLOCK, n)), scratch)
    for block in _blocks(flat):
        for call in steps(_once, desk, *block, **params):
            call()


_desks: dict[str, Desk] = {}
_taken = threading.Lock()


def _prepared(steps: Callable, *arrays: Array, **params: Any) -> Call:
    """A call that does it at any time. All such calls share one desk: a thread that finds it taken uses its own memory."""
    flat = _matrices(arrays)
    if flat is None or max(a.shape[1] for a in flat) > BLOCK:
        return partial(_run, steps, arrays, params)
    char = flat[0].dtype.char
    if char not in _desks:
        _desks[char] = Desk(flat[0].dtype, BLOCK, fresh)
    calls = [call for block in _blocks(flat) for call in steps(bound_ufunc, _desks[char], *block, **params)]

    def run() -> None:
        if not _taken.acquire(False):
            _run(steps, arrays, params)
            return
        try:
            for call in calls:
                call()
        finally:
            _taken.release()

    return run


def _kernel(steps: Callable, result: Callable[[Array], tuple], *arrays: Array, out: Array | None, **params: Any) -> Array:
    if out is None:
        out = np.empty(result(arrays[0]), arrays[0].dtype)
    _run(steps, (*arrays, out), params)
    return out


def _like(x: Array) -> tuple:
    return x.shape


def center_rows(x: Array, out: Array | None = None) -> Array:
    """Rows without their mean. That is found first and taken off, so that no digits are lost where it is large."""
    return _kernel(_center, _like, x, out=out)


def inverse_rms_rows(x: Array, epsilon: float, out: Array | None = None) -> Array:
    """1 / sqrt(mean(x * x) + epsilon) of each row, in shape (..., 1)."""
    return _kernel(_inverse_rms, lambda x: (*x.shape[:-1], 1), x, out=out, epsilon=epsilon)


def unit_rows(x: Array, r: Array, out: Array | None = None) -> Array:
    """Rows times a number each."""
    return _kernel(_unit, _like, x, r, out=out)


def unit_rows_grad(dy: Array, y: Array, r: Array, out: Array | None = None) -> Array:
    """r * (dy - y * mean(dy * y)) of each row."""
    return _kernel(_unit_grad, _like, dy, y, r, out=out)


def bound_center_rows(x: Array, out: Array) -> Call:
    return _prepared(_center, x, out)


def bound_inverse_rms_rows(x: Array, out: Array, epsilon: float) -> Call:
    return _prepared(_inverse_rms, x, out, epsilon=epsilon)


def bound_unit_rows(x: Array, r: Array, out: Array) -> Call:
    return _prepared(_unit, x, r, out)


def bound_unit_rows_grad(dy: Array, y: Array, r: Array, out: Array) -> Call:
    return _prepared(_unit_grad, dy, y, r, out)


BOUND.update(
    center_rows=bound_center_rows, inverse_rms_rows=bound_inverse_rms_rows, unit_rows=bound_unit_rows,
    unit_rows_grad=bound_unit_rows_grad,
)  # fmt: skip
