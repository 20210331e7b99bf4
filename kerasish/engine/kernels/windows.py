"""How the windows of convolution and pooling lie over their input: sizes, padding, and the cut into tiles."""

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from kerasish.engine.kernels.scratch import scratch

Array = np.ndarray


class Windows(NamedTuple):
    """Windows of one size over the spatial axes of inputs (n, *spatial, c) of one shape; see `windows`."""

    outs: tuple  # how many windows there are along each axis
    padded: tuple  # spatial shape of the padded input
    crop: tuple  # the part of the input that is left where padding is negative ...
    inner: tuple  # ... and where it goes in the padded input
    borders: tuple  # the parts of the padded input around it
    plain: bool  # nothing to pad and nothing to crop


@lru_cache(maxsize=1024)
def windows(spatial: tuple, size: tuple, strides: tuple, padding: tuple, dilation: tuple) -> Windows:
    padded = tuple(lo + d + hi for d, (lo, hi) in zip(spatial, padding, strict=True))
    outs = tuple(
        max((d - (k - 1) * e - 1) // s + 1, 0) for d, k, s, e in zip(padded, size, strides, dilation, strict=True)
    )
    # what is cropped may be more than there is: then nothing of the input is left, and all is border
    crop = tuple(
        slice(max(-lo, 0), max(d - max(-hi, 0), 0)) for d, (lo, hi) in zip(spatial, padding, strict=True)
    )  # fmt: skip
    inner = tuple(slice(max(lo, 0), max(p - max(hi, 0), 0)) for p, (lo, hi) in zip(padded, padding, strict=True))
    borders = []
    for axis, (p, keep) in enumerate(zip(padded, inner, strict=True), 1):
        lead = (slice(None),) * axis
        borders += [(*lead, cut) for cut in (slice(0, keep.start), slice(keep.stop, p)) if cut.start < cut.stop]
    every = slice(None)
    plain = all(pair == (0, 0) for pair in padding)
    return Windows(outs, padded, (every, *crop), (every, *inner), tuple(borders), plain)


class Tile(NamedTuple):
    """A run of windows: those at `index` of the images `images`, which are the rows `rows` of the flat result."""

    index: tuple
    rows: slice


@lru_cache(maxsize=1024)
def tiles(n: int, outs: tuple, budget: int, shares: int = 1) -> tuple:
    """Cut n images of `outs` windows into tiles of about `budget` windows.

    Returns ((images, (Tile, ...)), ...). A tile is several images, or a part of one that lies in a row. What is returned can
    be dealt to `shares` threads in equal parts; with fewer images than these, the parts of one image are dealt as well.
    """
    per_image = math.prod(outs)
    if n >= shares and per_image <= budget:
        count = -(-n // max(1, budget // max(per_image, 1)))
        count = min(n, -(-count // shares) * shares)
        edges = [-(-n * i // count) for i in range(count + 1)]  # the first is the largest
        return tuple(
            (slice(i, j), (Tile((), slice(i * per_image, j * per_image)),))
            for i, j in zip(edges, edges[1:], strict=False)
        )
    parts = list(_split(outs, budget if n >= shares else min(budget, -(-per_image // shares))))
    found = [
        (
            slice(i, i + 1),
            tuple(Tile(t.index, slice(t.rows.start + i * per_image, t.rows.stop + i * per_image)) for t in parts),
        )
        for i in range(n)
    ]
    return tuple(found if n >= shares else [(images, (tile,)) for images, of_one in found for tile in of_one])


def _split(outs: tuple, budget: int, lead: tuple = (slice(None),), start: int = 0) -> Iterator[Tile]:
    """The tiles of one image: whole slices of the first axis, or, where one is too large, parts of each."""
    inside = math.prod(outs[1:])
    if inside > budget and len(outs) > 1:
        for i in range(outs[0]):
            yield from _split(outs[1:], budget, (*lead, slice(i, i + 1)), start + i * inside)
        return
    count = -(-outs[0] // max(1, budget // inside))
    step = -(-outs[0] // count)
    for i in range(0, outs[0], step):
        stop = min(i + step, outs[0])
        yield Tile((*lead, slice(i, stop)), slice(start + i * inside, start + stop * inside))


class Loader:
    """Hands out blocks of images with their padding. Blocks that need none are views of the input."""

    def __init__(self, x: Array, w: Windows, most: int, name: str = "padded", fill: Any = 0, memory: Callable = scratch):
        """`most` images at most are asked for at a time; `name` is the scratch memory they are padded in."""
        self.x, self.w = x, w
        self.direct = w.plain and x.flags.c_contiguous
        if not self.direct:
            self.block = memory(name, (most, *w.padded, x.shape[-1]), x.dtype)
            for border in w.borders:  # stays clear, as only the inside is written from now on
                self.block[border] = fill

    def __call__(self, images: slice) -> Array:
        if self.direct:
            return self.x[images]
        block = self.block[: images.stop - images.start]
        np.copyto(block[self.w.inner], self.x[images][self.w.crop])
        return block


def window_view(x: Array, outs: tuple, size: tuple, strides: tuple, dilation: tuple) -> Array:
    """A view (n, *outs, *size, c) of the windows of x (padded, in C order)."""
    st = x.strides
    shape = (x.shape[0], *outs, *size, x.shape[-1])
    steps = (
        st[0],
        *[a * s for a, s in zip(st[1:-1], strides, strict=True)],
        *[a * e for a, e in zip(st[1:-1], dilation, strict=True)],
        st[-1],
    )
    return np.ndarray(shape, x.dtype, x, 0, steps)  # as_strided takes ten times as long


@lru_cache(maxsize=1024)
def shifts(outs: tuple, size: tuple, strides: tuple, dilation: tuple) -> tuple:
    """For each place in the window, in order, the slices of the padded input that fall there."""
    found: list[tuple] = [(slice(None),)]
    for o, k, s, e in zip(outs, size, strides, dilation, strict=True):
        found = [(*f, slice(t * e, t * e + (o - 1) * s + 1, s)) for f in found for t in range(k)]
    return tuple(found)
