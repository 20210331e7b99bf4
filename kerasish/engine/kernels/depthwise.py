"""Depthwise convolution: every channel has kernels of its own, so there is no matrix product, only sums of products of what
lies side by side in memory.

einsum makes them in one pass for each tap, over all taps in one call: half of what a product and a sum of their own take,
and long enough to be shared by threads.

The adjoint in x needs nothing here: it is a depthwise convolution itself (see conv_input_grad).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kerasish.engine.kernels.scratch import scratch
from kerasish.engine.kernels.threads import each, ranges
from kerasish.engine.kernels.windows import Loader, Tile, tiles, window_view, windows

Array = np.ndarray
TILE_BYTES = 1 << 19
WORTH_SHARING = 1 << 21  # products; less is done by one thread
RUNS = 2  # of tiles, which threads may share
WIDE = 256  # channels, with which an axis is long enough by itself


def conv(x: Array, w: Array, strides: tuple, padding: tuple, dilation: tuple, out: Array) -> None:
    """x (n, *spatial, c), w (*size, 1, c * multiplier), into out (n, *outs, c * multiplier)."""
    size, channels = w.shape[:-2], w.shape[-1]
    in_lines = strides[-1] == 1 and channels < WIDE
    cut = _Cut(x, out.shape, size, strides, padding, dilation, in_lines)
    kernel = w.reshape(*size, channels)
    if in_lines:
        kernel = np.tile(kernel, out.shape[-2])

    def piece(_: int, start: int, stop: int) -> None:
        load = cut.loader()
        for images, parts in cut.plan[start:stop]:
            block = load(images)
            for tile in parts:
                target = out[(images, *tile.index[1:])]
                patches = cut.patches(block, tile)
                direct = target.flags.c_contiguous
                y = target if direct else scratch("product", target.shape, out.dtype)
                lines = y.reshape(patches.shape[len(size) :])
                row = kernel[..., : lines.shape[-1]]  # a tile may be a part of a line
                np.einsum(patches, cut.axes.patches, row, cut.axes.kernel, cut.axes.result, out=lines)
                if not direct:
                    np.copyto(target, y)

    cut.share(piece)


def kernel_grad(x: Array, dy: Array, strides: tuple, padding: tuple, dilation: tuple, out: Array) -> None:
    """Into out (*size, 1, c * multiplier)."""
    size, channels = out.shape[:-2], out.shape[-1]
    # not in lines: sums of a few channels stay in the cache
    cut = _Cut(x, dy.shape, size, strides, padding, dilation, in_lines=False)
    totals = np.zeros((len(cut.pieces), *size, channels), x.dtype)

    def piece(run: int, start: int, stop: int) -> None:
        load = cut.loader()
        term = scratch("term", totals.shape[1:], x.dtype)
        for images, parts in cut.plan[start:stop]:
            block = load(images)
            for tile in parts:
                ds = dy[(images, *tile.index[1:])]
                np.einsum(cut.patches(block, tile), cut.axes.patches, ds, cut.axes.result, cut.axes.kernel, out=term)
                np.add(totals[run], term, totals[run])

    cut.share(piece)
    np.copyto(out, totals.sum(0).reshape(out.shape))


class _Axes(NamedTuple):
    """What einsum calls the axes of patches (*size, n, *outs, c), of the kernel (*size, c) and of results (n, *outs, c)."""

    patches: list[int]
    kernel: list[int]
    result: list[int]


class _Cut:
    """How a depthwise convolution falls into tiles.

    in_lines: the windows of a line and their channels are one long axis, as NumPy likes it. They must have stride one.
    """

    def __init__(
        self, x: Array, shape: tuple, size: tuple, strides: tuple, padding: tuple, dilation: tuple, in_lines: bool
    ):
        self.at = windows(x.shape[1:-1], size, strides, padding, dilation)
        self.x, self.size, self.strides, self.dilation = x, size, strides, dilation
        self.times = shape[-1] // x.shape[-1]
        self.in_lines = in_lines
        shares = RUNS if math.prod(shape) * math.prod(size) >= WORTH_SHARING else 1
        self.plan = tiles(shape[0], self.at.outs, max(1, TILE_BYTES // (shape[-1] * x.itemsize)), shares)
        self.pieces = ranges(len(self.plan), shares)
        taps = list(range(len(size)))
        result = list(range(len(size), 2 * len(size) + (1 if self.in_lines else 2)))
        self.axes = _Axes(taps + result, [*taps, result[-1]], result)

    def loader(self) -> Callable[[slice], Array]:
        """Blocks of images with padding, and every channel as often as it has kernels."""
        load = Loader(self.x, self.at, self.plan[0][0].stop)
        return load if self.times == 1 else lambda images: _repeated(load(images), self.times)

    def patches(self, block: Array, tile: Tile) -> Array:
        """The patches of a tile, taps first: a view (*size, n, *outs, c), or with the last two axes as one."""
        rank = len(self.size)
        view = window_view(block, self.at.outs, self.size, self.strides, self.dilation)
        view = view[tile.index] if tile.index else view
        view = view.transpose(*range(rank + 1, 2 * rank + 1), *range(rank + 1), 2 * rank + 1)
        if not self.in_lines:
            return view
        *shape, width, channels = view.shape
        return np.lib.stride_tricks.as_strided(
            view, (*shape, width * channels), (*view.strides[:-2], view.strides[-1]), writeable=False
        )

    def share(self, piece: Callable[[int, int, int], None]) -> None:
        """Do every run of tiles by `piece(number, first tile, last tile)`."""
        each(lambda i: piece(i, *self.pieces[i]), len(self.pieces))


def _repeated(block: Array, times: int) -> Array:
    copy = scratch("repeated", (*block.shape, times), block.dtype)
    np.copyto(copy, block[..., None])
    return copy.reshape(*block.shape[:-1], -1)
