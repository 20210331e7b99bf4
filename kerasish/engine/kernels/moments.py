"""The mean and the variance of each channel over all that stands before the last axis, in one pass over memory.

A block of rows at a time: less a guess of the mean, summed; squared, summed. With d = x - guess,

    mean = guess + mean(d)          variance = mean(d * d) - mean(d) ** 2

which loses digits only where the guess is many deviations off (Chan, Golub and LeVeque 1983). It is the mean of the first
block: if that holds a part f of all rows, mean(d) ** 2 is at most 1 / f variances. So a mean that is large against the
deviation does no harm, and in a single block the formula is that of two passes, corrected.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from kerasish.engine.kernels.bound import BOUND, PARTS, bound_ufunc, column_sums
from kerasish.engine.kernels.outer import bound_outer
from kerasish.engine.kernels.reduce import sum_
from kerasish.engine.kernels.scratch import aligned, ones

Array = np.ndarray
Call = Callable[[], Any]
BLOCK = 1 << 17  # elements


class _Block:
    """The calls that add a block of rows to the sums of d and of d * d."""

    def __init__(self, x: Array, guessed: Array, d: Array):
        self.less = bound_ufunc(np.subtract, x, guessed, d)
        self.square = bound_ufunc(np.square, d, d)
        self.add_up, self.total = _column_sums(d)

    def add_to(self, sums: Array) -> None:
        for row, call in zip(sums, (self.less, self.square), strict=True):
            call()
            self.add_up()
            row += self.total


def _column_sums(x: Array) -> tuple[Call, Array]:
    """A call that sums the rows of x, and where it puts the sum."""
    total = np.empty(x.shape[1], x.dtype)
    return column_sums(x, total) if len(x) % PARTS == 0 else partial(sum_, x, (0,), False, total), total


def bound_channel_moments(x: Array, out: Array) -> Call:
    """channel_moments of arrays that lie in one place, ready to be called many times."""
    if x.dtype.char not in "fd" or not x.size or not x.flags.c_contiguous:
        return partial(channel_moments, x, out)
    rows, channels = x.reshape(-1, x.shape[-1]), x.shape[-1]
    n, step = len(rows), max(PARTS, BLOCK // channels // PARTS * PARTS)
    first, guess, sums = rows[:step], np.empty(channels, x.dtype), np.empty((2, channels))
    guessed, d = (aligned(first.shape, x.dtype) for _ in range(2))
    lay_out = bound_outer(ones(len(first), x.dtype), guess, guessed)
    blocks = [_Block(b, guessed[: len(b)], d[: len(b)]) for b in (rows[i : i + step] for i in range(0, n, step))]

    def run() -> None:
        sum_(first, (0,), False, guess)
        np.divide(guess, len(first), guess)
        if not np.isfinite(guess).all():
            _by_two_passes(rows, out)
            return
        lay_out()
        sums.fill(0)
        for block in blocks:
            block.add_to(sums)
        np.divide(sums, n, sums)
        np.add(guess, sums[0], out[0], casting="same_kind")
        np.subtract(sums[1], sums[0] * sums[0], sums[1])
        np.maximum(sums[1], 0, out=out[1], casting="same_kind")

    return run


def _by_two_passes(rows: Array, out: Array) -> None:
    mean, variance = out
    np.divide(sum_(rows, (0,)), len(rows), mean)
    np.divide(sum_(np.square(rows - mean), (0,)), len(rows), variance)


def channel_moments(x: Array, out: Array | None = None) -> Array:
    """The mean and the variance of each channel, as the two rows of (2, channels)."""
    if out is None:
        out = np.empty((2, x.shape[-1]), x.dtype)
    if x.size and x.dtype.char in "fd":
        bound_channel_moments(np.ascontiguousarray(x), out)()
    else:
        _by_two_passes(x.reshape(-1, x.shape[-1]), out)
    return out


BOUND["channel_moments"] = bound_channel_moments
