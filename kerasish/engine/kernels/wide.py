"""Convolution with stride one and without patches, for layers of few channels, where laying out patches costs more than
multiplying them.

Images are written one after the other with zeros between their lines, and between images, and are then one long matrix
(places, channels). In it, place p meets tap t at place p + (a number that depends on t alone), wherever p is: a tap is one
product over all places. Zeros at the end of a line are also those before the next, so a line is hardly longer than the
image's. What is computed for the places between lines is dropped.

The products are made the other way round: every place of x adds x[p] @ w[t] to the place of y that meets it by tap t. The
taps of one line of the kernel belong to places of y side by side, so that one product with the kernel's line, a matrix
(channels in, taps x channels out), adds to all of them: a wide product, for which BLAS is fast. Those of neighbouring places
overlap; therefore they are taken in turns, every third place for lines of three taps.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from kerasish.engine.kernels import blas
from kerasish.engine.kernels.gemm import available, gemm
from kerasish.engine.kernels.scratch import scratch
from kerasish.engine.kernels.stacks import SMALL
from kerasish.engine.kernels.threads import each, ranges

Array = np.ndarray
TILE_BYTES = 3 << 19  # of the two long matrices
LEAST = 2048  # places; for less, so many products take longer to call than to make


class Wide(NamedTuple):
    """How images of one shape lie in the long matrix; see `wide`. Distances are counted in places."""

    outs: tuple  # how many windows there are along each axis
    pitches: tuple  # length of every axis with the zeros behind it
    steps: tuple  # from one index of an axis to the next
    lead: int  # zeros before the first image
    image: int  # from one image to the next
    reach: int  # from the first tap of a window to the last
    last: int  # one more than the last window of an image


@lru_cache(maxsize=1024)
def wide(spatial: tuple, size: tuple, padding: tuple, dilation: tuple) -> Wide | None:
    """The layout of such images, or None if they have none."""
    reaches = tuple((k - 1) * e for k, e in zip(size, dilation, strict=True))
    outs = tuple(d + lo + hi - r for d, (lo, hi), r in zip(spatial, padding, reaches, strict=True))
    # every window must meet the line that it belongs to, and no other
    fits = all(0 <= min(pair) and max(pair) <= r for pair, r in zip(padding, reaches, strict=True))
    if not fits or min(outs) < 1 or min(spatial) < 1:
        return None
    pitches = tuple(d + max(pair) for d, pair in zip(spatial, padding, strict=True))
    steps = tuple(math.prod(pitches[i + 1 :]) for i in range(len(pitches)))
    lead = sum(lo * s for (lo, _), s in zip(padding, steps, strict=True))
    reach = sum(r * s for r, s in zip(reaches, steps, strict=True))
    last = sum((o - 1) * s for o, s in zip(outs, steps, strict=True)) + 1
    return Wide(outs, pitches, steps, lead, math.prod(pitches), reach, last)


def pays(n: int, layout: Wide, cin: int, cout: int, dtype: np.dtype) -> bool:
    """Whether a convolution is done sooner this way than by patches.

    Both do the same products. To lay out patches costs as much again as 12 / cout of these, and the tenth part of them goes by
    the side; to add up parts of the result costs 3 / cin; and here they are also done for the places between lines.
    """
    if n * layout.image < LEAST or cin < 4 or not available(dtype):
        return False
    return layout.image / math.prod(layout.outs) + 3 / cin < 1.1 + 12 / cout


def kernel_grad_pays(n: int, layout: Wide, cin: int, cout: int, dtype: np.dtype) -> bool:
    """The same for the adjoint in the kernel, whose products are (cin, taps x cout): too flat where cout is the larger, and as
    soon made by patches where it is large."""
    return cout <= min(cin, 32) and pays(n, layout, cin, cout, dtype)


class Part(NamedTuple):
    """Windows to be done at a time: some images, and of these the lines of windows in `rows`."""

    images: slice
    rows: slice
    source: slice  # the lines of the input that these meet
    layout: Wide


def parts(
    n: int, spatial: tuple, size: tuple, padding: tuple, dilation: tuple, place_bytes: int, shares: int
) -> list[Part]:
    """Cut n images into parts of about TILE_BYTES, of which `shares` threads can have equal shares: several images, or some
    lines of one."""
    layout = wide(spatial, size, padding, dilation)
    assert layout is not None
    many = TILE_BYTES // place_bytes  # places
    if n >= shares and layout.image <= many:
        count = -(-n * layout.image // many)
        whole = slice(None)
        return [Part(slice(*cut), whole, whole, layout) for cut in ranges(n, -(-count // shares) * shares)]
    if n < shares:
        many = min(many, -(-layout.outs[0] // shares) * layout.steps[0])
    lines = max(1, many // layout.steps[0])
    found = []
    (lo, _), reach = padding[0], (size[0] - 1) * dilation[0]
    for start in range(0, layout.outs[0], lines):
        stop = min(start + lines, layout.outs[0])
        first, end = start - lo, stop - lo + reach
        source = slice(max(first, 0), min(end, spatial[0]))
        around = (source.start - first, end - source.stop)
        band = wide((source.stop - source.start, *spatial[1:]), size, (around, *padding[1:]), dilation)
        found.append((slice(start, stop), source, band))
    return [Part(slice(i, i + 1), *band) for i in range(n) for band in found]


def spread(x: Array, layout: Wide, before: int, after: int, name: str) -> Array:
    """x (n, *spatial, c) as a long matrix (places, c) with rows of zeros around: x itself if it is one."""
    n, channels = len(x), x.shape[-1]
    if not before and not after and x.shape[1:-1] == layout.pitches and x.flags.c_contiguous:
        return x.reshape(-1, channels)
    end = before + n * layout.image
    matrix = scratch(name, (end + after, channels), x.dtype)
    matrix[:before] = 0
    matrix[end:] = 0
    block = matrix[before:end].reshape(n, *layout.pitches, channels)
    for axis, length in enumerate(x.shape[1:-1], 1):
        every = (slice(None),) * axis
        block[(*every, slice(length, None))] = 0
        block = block[(*every, slice(0, length))]
    np.copyto(block, x)
    return matrix


class Lines(NamedTuple):
    """The lines of a kernel: `where` they begin, and how many taps each has."""

    where: tuple
    taps: int


@lru_cache(maxsize=256)
def lines(size: tuple, dilation: tuple) -> Lines:
    """With a dilation every tap is a line of its own, since the places that it meets are not side by side."""
    taps = size[-1] if dilation[-1] == 1 else 1
    return Lines(tuple(np.ndindex(*size[:-1], size[-1] // taps)), taps)


def by_line(w: Array, at: Lines) -> Array:
    """A kernel as matrices (lines, cin, taps * cout), taps in reverse, as the places of y stand to which they belong."""
    cin, cout = w.shape[-2:]
    split = w.reshape(-1, at.taps, cin, cout)[:, ::-1]
    return np.ascontiguousarray(split.swapaxes(1, 2)).reshape(-1, cin, at.taps * cout)


class Product(NamedTuple):
    """Every so many places: places first, first + step, ... of x, times a line of the kernel, are added to those of y."""

    line: int
    first: int  # in x
    meets: int  # in y, the first of the places side by side that it adds to
    count: int


@lru_cache(maxsize=1024)
def products(n: int, layout: Wide, at: Lines, dilation: tuple, most: int | None = None) -> tuple[Product, ...]:
    """The products of a convolution of n images, of `most` rows each if that is given; `at.taps` places are from each row to
    the next. The first meets all of y, if they are not cut.

    y has `layout.reach` rows before its first place, where what is computed is dropped.
    """
    places = (n - 1) * layout.image + layout.last + layout.reach
    found = []
    for line, index in enumerate(at.where):
        distance = sum(t * e * s for t, e, s in zip(index, dilation, layout.steps, strict=True)) + at.taps - 1
        for turn in range(at.taps):
            count = -(-(places - turn) // at.taps)
            for start, stop in ranges(count, -(-count // most) if most else 1):
                first = turn + start * at.taps
                found.append(Product(line, first, first + layout.reach - distance, stop - start))
    return tuple(found)


def conv(x: Array, w: Array, padding: tuple, dilation: tuple, out: Array, finish: Callable | None, shares: int) -> None:
    """The convolution of x with w, into `out`, by so many threads; `finish` is applied to each part."""
    size, (cin, cout) = w.shape[:-2], w.shape[-2:]
    plan = parts(len(x), x.shape[1:-1], size, padding, dilation, (cin + cout) * x.itemsize, shares)
    at = lines(size, dilation)
    matrices = by_line(w, at)
    multiply, kernel, item, width = gemm(x.dtype), matrices.ctypes.data, x.itemsize, at.taps * cout

    def piece(i: int) -> None:
        part = plan[i]
        layout, n = part.layout, part.images.stop - part.images.start
        source = spread(x[part.images, part.source], layout, layout.lead, 0, "spread x")
        y = scratch("wide y", (2 * layout.reach + n * layout.image, cout), x.dtype)
        a, c, add = source.ctypes.data, y.ctypes.data, 0.0
        for line, first, meets, count in products(n, layout, at, dilation):
            multiply(
                count, width, cin, 1.0, a + first * cin * item, at.taps * cin, kernel + line * cin * width * item, width,
                add, c + meets * cout * item, width,
            )  # fmt: skip
            add = 1.0
        whole = y[layout.reach :]
        if finish:
            finish(whole[: (n - 1) * layout.image + layout.last])
        np.copyto(out[part.images, part.rows], inside(whole, n, layout))

    each(piece, len(plan))


def inside(matrix: Array, n: int, layout: Wide) -> Array:
    """The windows (n, *outs, c) in a long matrix."""
    block = matrix[: n * layout.image].reshape(n, *layout.pitches, -1)
    return block[(slice(None), *(slice(0, o) for o in layout.outs))]


def kernel_grad(x: Array, dy: Array, padding: tuple, dilation: tuple, out: Array, shares: int) -> None:
    """The adjoint in w, into `out`: the parts in so many runs for as many threads, each with a sum of its own."""
    size, (cin, cout) = out.shape[:-2], out.shape[-2:]
    plan = parts(len(x), x.shape[1:-1], size, padding, dilation, (cin + cout) * x.itemsize, shares)
    at = lines(size, dilation)
    pieces = ranges(len(plan), shares)
    totals = scratch("total", (len(pieces), len(at.where), cin, at.taps * cout), x.dtype)
    multiply, item, width = gemm(x.dtype, transposed=True), x.itemsize, at.taps * cout
    most = SMALL // (cin * width) if blas.small_kernels() else None

    def piece(run: int) -> None:
        totals[run] = 0
        total = totals[run].ctypes.data
        for part in plan[slice(*pieces[run])]:
            layout, n = part.layout, part.images.stop - part.images.start
            source = spread(x[part.images, part.source], layout, layout.lead, 0, "spread x")
            ds = spread(dy[part.images, part.rows], layout, layout.reach, layout.reach, "spread dy")
            a, b = source.ctypes.data, ds.ctypes.data
            for line, first, meets, count in products(n, layout, at, dilation, most):
                multiply(
                    cin, width, count, 1.0, a + first * cin * item, at.taps * cin, b + meets * cout * item, width,
                    1.0, total + line * cin * width * item, width,
                )  # fmt: skip

    with blas.single:  # its threads would add in another order, where `each` does the pieces one by one
        each(piece, len(pieces))
    for other in totals[1:]:
        np.add(totals[0], other, totals[0])
    split = totals[0].reshape(-1, cin, at.taps, cout).swapaxes(1, 2)[:, ::-1]
    np.copyto(out, split.reshape(out.shape))
