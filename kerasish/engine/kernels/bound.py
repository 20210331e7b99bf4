"""Kernels bound to their arrays. A program's buffers never move, so what follows from their sizes is prepared once, when
the program is bound, and a statement is a call without arguments: in small models that is what statements cost. Large
element-wise ones are prepared for the crew's threads.

BOUND: for a primitive's name, a function of the argument arrays, the array of the result (None where a number is
returned) and the parameters; it returns the function to call. Arrays are in C order, but for ANY_ORDER.
"""

import math
import threading
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

from kerasish.engine.kernels import crew
from kerasish.engine.kernels.conv import bound_conv, moving_conv
from kerasish.engine.kernels.elementwise import (
    WHOLE,
    add_weighted,
    clip_grad,
    clip_grad_steps,
    relu_grad,
    relu_grad_steps,
    sigmoid,
)  # fmt: skip
from kerasish.engine.kernels.joined import side_by_side
from kerasish.engine.kernels.pool import bound_avg_pool, bound_max_pool
from kerasish.engine.kernels.random import BLOCK, LITTLE, mask_steps, random_mask
from kerasish.engine.kernels.reduce import LONG, stages_of, sum_
from kerasish.engine.kernels.rowwise import bound_softmax
from kerasish.engine.kernels.scratch import aligned, ones, zeros
from kerasish.engine.kernels.stacks import bind_product
from kerasish.engine.kernels.threads import in_order, ranges

Array = np.ndarray
Call = Callable[[], Any]
PARTS = 8  # in which columns are summed
FEW = 1 << 16  # elements: to lay out a row that is repeated over no more takes longer than NumPy's rows do
MOST = 1 << 17  # elements: for more, what is between a statement's calls would take memory that nobody planned


def bound_sum(x: Array, out: Array | None, axis: tuple, keepdims: bool = False) -> Callable[[], Any]:
    """sum_ as one product with ones, if it is one."""
    stages = stages_of(x.shape, axis)
    if len(stages) == 1 and x.size and x.dtype.char in "fd":
        before, n, after = stages[0]
        row = ones(n, x.dtype) if n <= LONG else None
        if before == after == 1:
            if row is not None:
                flat = x.reshape(n)
                return partial(np.dot, row, flat) if out is None else partial(np.dot, row, flat, out.reshape(()))
        elif out is not None and before == 1 and x.size >= crew.LEAST and n % PARTS == 0 and preparing.crew:
            return column_sums(x.reshape(n, after), out.reshape(after))
        elif row is not None and out is not None and before == 1:
            return partial(np.dot, row, x.reshape(n, after), out.reshape(after))
        elif row is not None and out is not None and after == 1:
            return partial(np.dot, x.reshape(before, n), row, out.reshape(before))
    if out is None:
        return lambda: sum_(x, axis, keepdims)[()]
    return partial(sum_, x, axis, keepdims, out)


class _Preparing(threading.local):
    """For the chain whose statements this thread prepares (tiles.py): memory by number, how much of it the statement has
    taken, and whether calls are left to the crew."""

    memory: dict[int, Array] | None = None
    taken = 0
    crew = True


preparing = _Preparing()


def spare(shape: tuple, dtype: Any) -> Array:
    """Memory for what a call knows alone. The statements of a chain come one after the other and share it."""
    if preparing.memory is None:
        return aligned(shape, dtype)
    need = math.prod(shape) * np.dtype(dtype).itemsize
    block = preparing.memory.get(preparing.taken)
    if block is None or block.size < need:
        block = preparing.memory[preparing.taken] = aligned((need,), np.uint8)
    preparing.taken += 1
    return block[:need].view(dtype).reshape(shape)


def _by_crew() -> bool:
    return preparing.crew and crew.size() > 1


def bound_ufunc(ufunc: np.ufunc, *arrays: Array) -> Call:
    """A ufunc of (*arguments, out), by the crew where it pays."""
    call = crew.bind(ufunc, arrays) if arrays[-1].ndim and _by_crew() else None
    return call or _plain(ufunc, *arrays)


def _plain(ufunc: np.ufunc, *arrays: Array) -> Call:
    if ufunc in (np.maximum, np.minimum):  # which warn that a third array might be meant as an operand
        return partial(ufunc, *arrays[:-1], out=arrays[-1])
    return partial(ufunc, *arrays)


def rows_of(row: Array, shape: tuple, once: bool) -> Array:
    """Where `repeat` lays out a row again and again; or, where that is little and read once, a view of it that needs no such
    thing."""
    return np.broadcast_to(row, shape) if once and math.prod(shape) <= FEW else aligned(shape, row.dtype)


def bound_matmul(a: Array, b: Array, out: Array) -> Call:
    """Products and stacks of products, by the crew where it pays."""
    if out.ndim == a.ndim == b.ndim == 2:
        return bind_product(a, b, out)
    if out.ndim == 2 or not _by_crew() or not a.shape[:-2] == b.shape[:-2] == out.shape[:-2]:
        return partial(np.matmul, a, b, out=out)
    flat = [x.reshape(math.prod(x.shape[:-2]), *x.shape[-2:]) for x in (a, b, out)]
    if not all(map(np.may_share_memory, flat, (a, b, out))):  # heads side by side in memory: a stack for each sample
        if out.ndim < 4:
            return partial(np.matmul, a, b, out=out)
        return in_order(*(bound_matmul(*parts) for parts in zip(a, b, out)))
    return crew.bind_products(*flat) or partial(np.matmul, a, b, out=out)


def column_sums(x: Array, out: Array) -> Call:
    """The sums of the columns of a matrix whose rows are a multiple of PARTS, in parts by the crew, each by the thread that
    has just computed it: numbers that another has in its cache take several times as long."""
    n, channels = x.shape
    parts = np.empty((PARTS, 1, channels), x.dtype)
    rows = np.broadcast_to(ones(n // PARTS, x.dtype), (PARTS, 1, n // PARTS))
    stack = x.reshape(PARTS, -1, channels)
    sums = crew.bind_products(rows, stack, parts) or partial(np.matmul, rows, stack, out=parts)
    return in_order(sums, partial(np.dot, ones(PARTS, x.dtype), parts.reshape(PARTS, channels), out))


def bound_relu(x: Array, out: Array) -> Callable[[], Any]:
    return bound_ufunc(np.maximum, x, zeros(x.size, x.dtype).reshape(x.shape), out)


@lru_cache(maxsize=16)
def _filled(value: float, n: int, char: str) -> Array:
    """n times a number, read-only: arrays of one shape are compared soonest."""
    row = aligned((n,), char)
    row.fill(value)
    row.flags.writeable = False
    return row


def _all_of(value: float, x: Array) -> Array:
    if x.size > MOST:
        return np.array(value, x.dtype)
    return _filled(value, x.size, x.dtype.char).reshape(x.shape)


def bound_clip(x: Array, out: Array, low: float, high: float) -> Callable[[], Any]:
    return in_order(
        bound_ufunc(np.maximum, x, _all_of(low, x), out), bound_ufunc(np.minimum, out, _all_of(high, x), out)
    )


def bound_sigmoid(x: Array, out: Array) -> Callable[[], Any]:
    if x.size > MOST and not _by_crew():
        return partial(sigmoid, x, out)
    one = ones(x.size, x.dtype).reshape(x.shape)
    return in_order(
        bound_ufunc(np.negative, x, out), bound_ufunc(np.exp, out, out),
        bound_ufunc(np.add, out, one, out), bound_ufunc(np.reciprocal, out, out),
    )  # fmt: skip


def bound_relu_grad(dy: Array, y: Array, out: Array) -> Callable[[], Any]:
    if not _alike(dy, y, out):
        return partial(relu_grad, dy, y, out)
    return in_order(*[bound_ufunc(*step) for step in relu_grad_steps(dy, y, out, spare(y.shape, y.dtype))])


def bound_clip_grad(dy: Array, x: Array, out: Array, low: float, high: float) -> Callable[[], Any]:
    if not _alike(dy, x, out):
        return partial(clip_grad, dy, x, low, high, out)
    above, below = spare(x.shape, x.dtype), spare(x.shape, x.dtype)
    return in_order(*[bound_ufunc(*step) for step in clip_grad_steps(dy, x, out, above, below, low=low, high=high)])


def _alike(dy: Array, x: Array, out: Array) -> bool:
    """Whether arrays can be treated by steps, in memory of their own."""
    dtype = x.dtype
    return dy.shape == x.shape and x.size <= MOST and dtype.char in WHOLE and dtype.isnative and dtype == dy.dtype == out.dtype


def bound_weighted_sum(x: Array, y: Array, a: Array, b: Array, out: Array) -> Callable[[], Any]:
    """a and b are arrays of one number, which may be another in each call."""
    if x.shape != out.shape:
        x = np.broadcast_to(x, out.shape)
    add = partial(add_weighted, x, a, b, out)
    return add if out is y else in_order(partial(np.copyto, out, y), add)


def bound_random_mask(state: Array, out: Array, shape: tuple, keep: float, value: float, dtype: Any) -> Call:
    """Blocks of the mask for each of the crew's threads."""
    lasting = state.dtype == np.uint32 and state.flags.c_contiguous and out.flags.c_contiguous  # steps follow both
    if not LITTLE or not lasting or out.dtype.char not in WHOLE:
        return partial(random_mask, state, shape, keep, value, dtype, out)
    parts = []
    for first, last in ranges(-(-out.size // BLOCK), crew.size()):
        steps = mask_steps(state, keep, value, out, aligned, first * BLOCK, last * BLOCK)
        parts.append([_plain(*step) for step in steps])
    return side_by_side(parts)


BOUND: dict[str, Callable] = {
    "sum": bound_sum, "relu": bound_relu, "relu_grad": bound_relu_grad, "clip": bound_clip,
    "clip_grad": bound_clip_grad, "sigmoid": bound_sigmoid, "weighted_sum": bound_weighted_sum, "matmul": bound_matmul,
    "softmax": bound_softmax, "max_pool": bound_max_pool, "avg_pool": bound_avg_pool,
    "conv": bound_conv, "random_mask": bound_random_mask,
}  # fmt: skip
MOVING: dict[str, Callable] = {"conv": moving_conv}  # the same where the first argument is given with every call: its shape
ANY_ORDER = (bound_ufunc, bound_matmul, bound_random_mask)  # these look at how their arrays lie
