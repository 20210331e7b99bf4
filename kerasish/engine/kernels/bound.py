"""Kernels bound to their arrays. A program's buffers never move, so what follows from their sizes is prepared once, when
the program is bound, and a statement is a call without arguments: in small models that is what statements cost. Large
element-wise ones are prepared for the crew's threads.

BOUND: for a primitive's name, a function of the argument arrays, the array of the result (None where a number is
returned) and the parameters; it returns the function to call. Arrays are in C order, but for ANY_ORDER. NUMBERS are left to the call.
"""

import math
import threading
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

from kerasish.engine.kernels import blas, crew
from kerasish.engine.kernels.conv import bound_conv, moving_conv
from kerasish.engine.kernels.elementwise import clip_grad, relu_grad, sigmoid, weighted_sum
from kerasish.engine.kernels.outer import outer
from kerasish.engine.kernels.pool import bound_avg_pool, bound_max_pool
from kerasish.engine.kernels.reduce import LONG, stages_of, sum_
from kerasish.engine.kernels.rowwise import bound_softmax
from kerasish.engine.kernels.scratch import aligned, ones, zeros
from kerasish.engine.kernels.stacks import bind_product
from kerasish.engine.kernels.threads import in_order

Array = np.ndarray
Call = Callable[[], Any]
PARTS = 8  # in which columns are summed
FEW = 1 << 16  # elements: to lay out a row that is repeated over no more takes longer than NumPy's rows do
MOST = 1 << 17  # elements: for more a mask would take memory that nobody planned, and a call's own cost is nothing


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
        elif out is not None and before == 1 and x.size >= crew.LEAST and n % PARTS == 0:
            return column_sums(x.reshape(n, after), out.reshape(after))
        elif row is not None and out is not None and before == 1:
            return partial(np.dot, row, x.reshape(n, after), out.reshape(after))
        elif row is not None and out is not None and after == 1:
            return partial(np.dot, x.reshape(before, n), row, out.reshape(before))
    if out is None:
        return lambda: sum_(x, axis, keepdims)[()]
    return partial(sum_, x, axis, keepdims, out)


class _Spare(threading.local):
    """Of the Site that prepares a call in this thread: its memory by number, and how much of it the call has taken."""

    memory: dict[int, Array] | None = None
    taken = 0


_spare = _Spare()


def spare(shape: tuple, dtype: Any) -> Array:
    """Memory for what a call knows alone. The tiles of a Site come one after the other and share it."""
    if _spare.memory is None:
        return aligned(shape, dtype)
    need = math.prod(shape) * np.dtype(dtype).itemsize
    block = _spare.memory.get(_spare.taken)
    if block is None or block.size < need:
        block = _spare.memory[_spare.taken] = aligned((need,), np.uint8)
    _spare.taken += 1
    return block[:need].view(dtype).reshape(shape)


def bound_ufunc(ufunc: np.ufunc, *arrays: Array) -> Call:
    """A ufunc of (*arguments, out), by the crew where it pays."""
    call = None if crew.size() == 1 or not arrays[-1].ndim else crew.bind(ufunc, arrays)
    return call or _plain(ufunc, *arrays)


def _plain(ufunc: np.ufunc, *arrays: Array) -> Call:
    if ufunc in (np.maximum, np.minimum):  # which warn that a third array might be meant as an operand
        return partial(ufunc, *arrays[:-1], out=arrays[-1])
    return partial(ufunc, *arrays)


def rows_of(row: Array, shape: tuple) -> Array:
    """Where `repeat` lays out a row again and again; or, where that is little, a view of it that needs no such thing."""
    return np.broadcast_to(row, shape) if math.prod(shape) <= FEW else aligned(shape, row.dtype)


def repeat(row: Array, out: Array) -> None:
    """Fill out with a row of its last axis, by the BLAS: NumPy is slow over short rows. `out` is of `rows_of`."""
    if not out.flags.writeable:
        return
    wide = out.reshape(-1, row.size)
    outer(ones(len(wide), out.dtype), row.reshape(-1), wide)


def bound_matmul(a: Array, b: Array, out: Array) -> Call:
    """Products and stacks of products, by the crew where it pays."""
    if out.ndim == a.ndim == b.ndim == 2:
        return bind_product(a, b, out)
    if out.ndim == 2 or crew.size() == 1 or not a.shape[:-2] == b.shape[:-2] == out.shape[:-2]:
        return partial(np.matmul, a, b, out=out)
    flat = [x.reshape(-1, *x.shape[-2:]) for x in (a, b, out)]
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
    if x.size > MOST and crew.size() == 1:
        return partial(sigmoid, x, out)
    one = ones(x.size, x.dtype).reshape(x.shape)
    return in_order(
        bound_ufunc(np.negative, x, out), bound_ufunc(np.exp, out, out),
        bound_ufunc(np.add, out, one, out), bound_ufunc(np.reciprocal, out, out),
    )  # fmt: skip


def _where_true(dy: Array, mask: Array, out: Array) -> Call:
    """out = dy where the mask is true, else 0. A cast and a product are faster than a mixed product."""
    step = spare(dy.shape, dy.dtype)
    return in_order(partial(np.copyto, step, mask), bound_ufunc(np.multiply, dy, step, out))


def bound_relu_grad(dy: Array, y: Array, out: Array) -> Callable[[], Any]:
    if dy.shape != y.shape or y.size > MOST:
        return partial(relu_grad, dy, y, out)
    none, mask = zeros(y.size, y.dtype).reshape(y.shape), spare(y.shape, bool)
    return in_order(bound_ufunc(np.greater, y, none, mask), _where_true(dy, mask, out))


def bound_clip_grad(dy: Array, x: Array, out: Array, low: float, high: float) -> Callable[[], Any]:
    if dy.shape != x.shape or not 0 < x.size <= MOST:
        return partial(clip_grad, dy, x, low, high, out)
    if x.size < crew.LEAST:
        return _small_clip_grad(dy, x, out, low, high)
    lowest, highest = _all_of(low, x), _all_of(high, x)
    above, below, inside = (spare(x.shape, bool) for _ in range(3))
    compare = in_order(
        bound_ufunc(np.greater_equal, x, lowest, above), bound_ufunc(np.less_equal, x, highest, below),
        bound_ufunc(np.logical_and, above, below, inside),
        bound_ufunc(np.greater, x, lowest, above), bound_ufunc(np.less, x, highest, below),
        bound_ufunc(np.logical_and, above, below, above),
    )  # fmt: skip
    put, count = _where_true(dy, above, out), np.count_nonzero

    def run() -> None:
        compare()
        if count(inside) == count(above):
            put()
        else:  # at the ends themselves it is half of dy
            clip_grad(dy, x, low, high, out)

    return run


def _small_clip_grad(dy: Array, x: Array, out: Array, low: float, high: float) -> Call:
    lowest, highest = x.dtype.type(low), x.dtype.type(high)
    flat = x.reshape(-1)
    least, greatest, whole = np.minimum.reduce, np.maximum.reduce, out is dy

    def run() -> None:
        if least(flat) > lowest and greatest(flat) < highest:  # as nearly always
            if not whole:
                np.copyto(out, dy)
        else:
            clip_grad(dy, x, low, high, out)

    return run


def bound_weighted_sum(x: Array, y: Array, out: Array) -> Callable[[Any, Any], Any]:
    """Called with the two numbers."""
    function = blas.axpby().get(out.dtype.char)
    if function is None or x.shape != out.shape:
        return lambda a, b: weighted_sum(x, y, a, b, out)
    n, source, target, same = out.size, x.ctypes.data, out.ctypes.data, out is y
    axpy = blas.axpy().get(out.dtype.char) if n >= crew.LEAST and crew.size() > 1 else None
    if axpy is not None:  # two passes by all threads, where axpby is one by one
        number = np.empty((), out.dtype)
        scale = bound_ufunc(np.multiply, y, number, out)

        def shared(a: Any, b: Any) -> None:
            if b != 1:
                number[()] = b
                scale()
            elif not same:
                np.copyto(out, y)
            axpy(n, a, source, 1, target, 1)

        return shared

    def run(a: Any, b: Any) -> None:
        if not same:
            np.copyto(out, y)
        function(n, a, source, 1, b, target, 1)

    return run


class Site:
    """A statement in the tiles of a chain. What it calls is prepared when it meets a tile for the first time.

    Called with the tile's first row and what the kernel takes. That may be arrays that lie in the same place in every run
    of that tile, and single numbers, which may change. `make(*arrays, out, **params)` prepares a call; `numbers` are the
    positions of numbers among the arguments, of which the last `given` are handed to each call.
    """

    def __init__(self, make: Callable, numbers: tuple = (), given: int = 0, **params: Any):
        self.make, self.numbers, self.given, self.params = make, numbers, given, params
        self.calls: dict[int, Callable] = {}
        self.cells: dict[int, Array] = {}
        self.memory: dict[int, Array] = {}

    def __call__(self, row: int, *args: Any) -> None:
        call = self.calls.get(row) or self._prepare(row, args)
        if self.given:
            call(*args[-self.given :])
            return
        for position in self.numbers:
            self.cells[position][()] = args[position]
        call()

    def _prepare(self, row: int, args: tuple) -> Callable:
        arrays = list(args[: len(args) - self.given])
        for position in self.numbers:
            dtype = np.asarray(args[position]).dtype
            arrays[position] = self.cells.setdefault(position, np.empty((), dtype))
        _spare.memory, _spare.taken = self.memory, 0
        try:
            call = self.calls[row] = self.make(*arrays, **self.params)
        finally:
            _spare.memory = None
        return call


NUMBERS = {"weighted_sum": 2}  # arguments at the end that are numbers, and are given with every call
BOUND: dict[str, Callable] = {
    "sum": bound_sum, "relu": bound_relu, "relu_grad": bound_relu_grad, "clip": bound_clip,
    "clip_grad": bound_clip_grad, "sigmoid": bound_sigmoid, "weighted_sum": bound_weighted_sum, "matmul": bound_matmul,
    "softmax": bound_softmax, "max_pool": bound_max_pool, "avg_pool": bound_avg_pool,
    "conv": bound_conv,
}  # fmt: skip
MOVING: dict[str, Callable] = {"conv": moving_conv}  # the same where the first argument is given with every call: its shape
ANY_ORDER = (bound_ufunc, bound_matmul)  # these look at how their arrays lie
