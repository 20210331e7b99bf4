"""Consecutive prepared calls as one: those of NumPy on small arrays run as a sequence of C functions (sequence.py), since between
them the interpreter would spend longer than in them. Others stay as they are.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np

from kerasish.engine.kernels import sequence
from kerasish.engine.kernels.elementwise import add_weighted
from kerasish.engine.kernels.outer import repeat
from kerasish.engine.kernels.threads import in_order

Array = np.ndarray
Call = Callable[[], Any]
FEWEST = 7  # calls that are worth a sequence, which takes a microsecond to enter
ONE_THREAD = 1 << 18  # multiplications of a product which OpenBLAS does not divide among threads ...
NARROW = 9216  # ... and of one with a vector


def joined(*calls: Call) -> Call:
    """The calls, one after the other. `in_order` calls are taken apart; numbers that calls return are lost."""
    steps: list[Call] = []
    both = [(call, written(call)) for call in flat(calls)]
    for fits, group in groupby(both, lambda pair: pair[1] is not None):
        run = list(group)
        if fits and len(run) >= FEWEST:
            steps.append(sequence.fixed([do for _, do in run if do is not None]))
        else:
            steps += [call for call, _ in run]
    return steps[0] if len(steps) == 1 else in_order(*steps)


def side_by_side(parts: Sequence[Sequence[Call]]) -> Call:
    """Parts that do not need each other, at once where all their calls can be sequences', else one after the other."""
    if len(parts) > 1:
        records = [[written(call, divided=False) for call in flat(part)] for part in parts]
        if all(do is not None for part in records for do in part):
            return sequence.at_once(records)
    return in_order(*[call for part in parts for call in part])


def flat(calls: Iterable[Call]) -> Iterator[Call]:
    """The calls that `in_order` calls are made of."""
    for call in calls:
        parts = getattr(call, "calls", None)
        if parts is None:
            yield call
        else:
            yield from flat(parts)


def written(call: Call, divided: bool = True) -> Any:
    """A prepared call as a sequence's; None where it can't be. `divided`: whether OpenBLAS may divide products among its
    threads where the sequence runs, in which it must not: large ones are not written down then."""
    return sequence.written(partial(_write, call, divided=divided))


def _write(call: Call, do: Any, divided: bool = True) -> None:
    """Write down what a partial of a NumPy function does; Unfit where that can't be done."""
    arrays = () if not isinstance(call, partial) else (*call.args, *call.keywords.values())
    if not arrays or not call.keywords.keys() <= {"out"} or not all(type(x) is np.ndarray for x in arrays):
        raise sequence.Unfit
    *arguments, out = arrays if call.func is not np.copyto else arrays[::-1]
    if call.func is repeat and not out.flags.writeable:
        return  # it is a view of the row
    if any(np.may_share_memory(x, out) and not _same(x, out) for x in arguments):
        raise sequence.Unfit
    if call.func is np.copyto:
        do.copy(*arguments, out)
    elif call.func is repeat:
        row = arguments[0].reshape(-1)
        do.copy(np.broadcast_to(row, (out.size // row.size, row.size)), out.reshape(-1, row.size))
    elif call.func is add_weighted:
        do.weighted_sum(*arguments, out)
    elif call.func in (np.dot, np.matmul):
        _write_product(do, *arguments, out, divided)
    elif isinstance(call.func, np.ufunc) and len(arrays) == call.func.nargs and call.func.signature is None:
        do.call(call.func, *arrays)
    else:
        raise sequence.Unfit


def _same(x: Array, y: Array) -> bool:
    return x.ctypes.data == y.ctypes.data and x.shape == y.shape and x.strides == y.strides


def _write_product(do: Any, a: Array, b: Array, out: Array, divided: bool) -> None:
    if _same(a, out) or _same(b, out):
        raise sequence.Unfit
    if a.ndim == b.ndim == out.ndim == 3 and not divided:
        return do.product(a, b, out)
    if a.ndim > 2 or b.ndim > 2:
        raise sequence.Unfit
    a = a if a.ndim == 2 else a[None]
    b = b if b.ndim == 2 else b[:, None]
    m, k, n = *a.shape, b.shape[1]
    if divided and m * k * n > (ONE_THREAD if min(m, n) > 1 else NARROW):
        raise sequence.Unfit
    do.product(a, b, out.reshape(m, n))


__all__ = ["flat", "joined", "side_by_side", "written"]
