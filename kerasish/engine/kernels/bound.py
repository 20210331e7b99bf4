"""Kernels bound to their arrays. A program's buffers never move, so what follows from their sizes is prepared once, when
the program is bound, and a statement is a call without arguments: in small models that is what statements cost.

BOUND: for a primitive's name, a function of the argument arrays, the array of the result (None where a number is
returned) and the parameters; it returns the function to call. All arrays are in C order. NUMBERS are left to the call.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from kerasish.engine.kernels import blas
from kerasish.engine.kernels.elementwise import clip, clip_grad, relu_grad, sigmoid, weighted_sum
from kerasish.engine.kernels.reduce import LONG, stages_of, sum_
from kerasish.engine.kernels.scratch import ones, zeros

Array = np.ndarray
MOST = 1 << 16  # elements: for more a mask would take memory that nobody planned, and a call's own cost is nothing


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
        elif row is not None and out is not None and before == 1:
            return partial(np.dot, row, x.reshape(n, after), out.reshape(after))
        elif row is not None and out is not None and after == 1:
            return partial(np.dot, x.reshape(before, n), row, out.reshape(before))
    if out is None:
        return lambda: sum_(x, axis, keepdims)[()]
    return partial(sum_, x, axis, keepdims, out)


def bound_relu(x: Array, out: Array) -> Callable[[], Any]:
    return partial(np.maximum, x, zeros(x.size, x.dtype).reshape(x.shape), out=out)


def bound_clip(x: Array, out: Array, low: float, high: float) -> Callable[[], Any]:
    if x.size > MOST:
        return partial(clip, x, low, high, out)
    lowest, highest = np.full_like(x, low), np.full_like(x, high)  # arrays of one shape are compared soonest

    def run() -> None:
        np.maximum(x, lowest, out=out)
        np.minimum(out, highest, out=out)

    return run


def bound_sigmoid(x: Array, out: Array) -> Callable[[], Any]:
    if x.size > MOST:
        return partial(sigmoid, x, out)
    one = np.ones_like(x)
    negative, exp, add, reciprocal = np.negative, np.exp, np.add, np.reciprocal

    def run() -> None:
        negative(x, out)
        exp(out, out)
        add(out, one, out)
        reciprocal(out, out)

    return run


def bound_relu_grad(dy: Array, y: Array, out: Array) -> Callable[[], Any]:
    if dy.shape != y.shape or y.size > MOST:
        return partial(relu_grad, dy, y, out)
    none, mask = zeros(y.size, y.dtype).reshape(y.shape), np.empty(y.shape, bool)

    def run() -> None:
        np.greater(y, none, mask)
        np.multiply(dy, mask, out)

    return run


def bound_clip_grad(dy: Array, x: Array, out: Array, low: float, high: float) -> Callable[[], Any]:
    if dy.shape != x.shape or not 0 < x.size <= MOST:
        return partial(clip_grad, dy, x, low, high, out)
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

    def run(a: Any, b: Any) -> None:
        if not same:
            np.copyto(out, y)
        function(n, a, source, 1, b, target, 1)

    return run


NUMBERS = {"weighted_sum": 2}  # arguments at the end that are numbers, and are given with every call
BOUND: dict[str, Callable] = {
    "sum": bound_sum, "relu": bound_relu, "relu_grad": bound_relu_grad, "clip": bound_clip,
    "clip_grad": bound_clip_grad, "sigmoid": bound_sigmoid, "weighted_sum": bound_weighted_sum,
}  # fmt: skip
