"""Convolution with stride one and without patches, for layers where laying out patches costs as much as multiplying them.

Images are written one after the other with zeros between their lines, and between images, and are then one long matrix
(places, channels). In it, the window of place p meets tap t at place p + (a number that depends on t alone), wherever p is.
Zeros at the end of a line are also those before the next, so a line is hardly longer than the image's. What is computed for
the places between lines is dropped.

The taps of one line of the kernel meet places side by side, which are one row of numbers in memory: for every third place,
with lines of three taps, these rows are a matrix (places / 3, taps x channels) that is there already. So a line of the
kernel is a product for each of three turns. The lines' results, which are for windows a fixed distance apart, are added.
All products of a part of the images are one call, as stacks of small ones (see stacks.py): threads of Python's would be in
each other's way if there were more calls.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from kerasish.engine.kernels import blas
from kerasish.engine.kernels.scratch import scratch
from kerasish.engine.kernels.stacks import SMALL
from kerasish.engine.kernels.threads import each, ranges

Array = np.ndarray
TILE_BYTES = 3 << 19  # of the long matrix and of the lines' results
LEAST = 2048  # places; for less, so many products take longer to call than to make
ROWS, GRAIN = 256, 16  # the most rows of a product, and what their number is a multiple of
GOOD_COLUMNS = (48, 32, 24, 16)  # numbers of a kernel that are summed up in one product


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


def pays(n: int, layout: Wide, taps: int, cin: int, cout: int) -> bool:
    """Whether a convolution, or its adjoint in the kernel, is done sooner this way than by patches; `taps` are those of a line.

    Both do the same products, here also for the places between lines; to add up lines costs as much as 2 / cin of them, and
    to lay out patches 6 / cout, and a bit. With very many channels a product of a few rows is no small one any more.
    """
    if n * layout.image < LEAST or cin < 8 or taps * cin * cout * 2 * GRAIN > SMALL or not blas.small_kernels():
        return False
    return layout.image / math.prod(layout.outs) + 2 / cin < 1.08 + 6 / cout


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
    """The lines of a kernel: how many there are along each axis, and how many taps stand side by side."""

    shape: tuple
    taps: int


def lines(size: tuple, dilation: tuple) -> Lines:
    """With a dilation every tap is a line of its own, since the places that it meets are not side by side."""
    return Lines(size[:-1], size[-1]) if dilation[-1] == 1 else Lines(size, 1)


class Rows(NamedTuple):
    """How the places of a part are cut: every place is in one of `turns`, `stacks` and `rows`; `places` of them in all."""

    turns: int
    stacks: int
    rows: int

    @property
    def places(self) -> int:
        return self.turns * self.stacks * self.rows


def _cut(windows: int, taps: int, most: int) -> Rows:
    """Rows of at most so many for `windows` places in turns."""
    count = -(-windows // taps)
    stacks = -(-count // max(GRAIN, min(most, ROWS) // GRAIN * GRAIN))
    rows = -(-count // stacks)
    return Rows(taps, stacks, -(-rows // GRAIN) * GRAIN if stacks > 1 else rows)


def _rows_of(matrix: Array, cut: Rows) -> Array:
    """A view (turns, stacks, rows, numbers) of a long matrix, a place for each row."""
    split = matrix[: cut.places].reshape(cut.stacks, cut.rows, cut.turns, -1)
    return np.moveaxis(split, 2, 0)


def _windows_of(matrix: Array, cut: Rows, at: Lines, dilation: tuple, layout: Wide) -> Array:
    """A view (*lines, turns, stacks, rows, numbers) of a long matrix: for each row the places that a line's taps meet."""
    place = matrix.shape[1] * matrix.itemsize
    row = cut.turns * place
    steps = [e * s * place for e, s, _ in zip(dilation, layout.steps, at.shape, strict=False)]
    shape = (*at.shape, cut.turns, cut.stacks, cut.rows, at.taps * matrix.shape[1])
    return np.ndarray(shape, matrix.dtype, matrix, 0, (*steps, place, cut.rows * row, row, matrix.itemsize))


def conv(x: Array, w: Array, padding: tuple, dilation: tuple, out: Array, finish: Callable | None, shares: int) -> None:
    """The convolution of x with w, into `out`, by so many threads; `finish` is applied to each part."""
    size, (cin, cout) = w.shape[:-2], w.shape[-2:]
    at = lines(size, dilation)
    n_lines = math.prod(at.shape)
    plan = parts(len(x), x.shape[1:-1], size, padding, dilation, (cin + n_lines * cout) * x.itemsize, shares)
    kernel = np.ascontiguousarray(w).reshape(*at.shape, 1, 1, at.taps * cin, cout)

    def piece(i: int) -> None:
        part = plan[i]
        layout, n = part.layout, part.images.stop - part.images.start
        windows = (n - 1) * layout.image + layout.last
        cut = _cut(windows, at.taps, SMALL // (at.taps * cin * cout))
        source = _source(x[part.images, part.source], layout, cut)
        y = scratch("wide y", (n_lines, max(cut.places, n * layout.image), cout), x.dtype)
        targets = y[:, : cut.places].reshape(*at.shape, cut.stacks, cut.rows, cut.turns, cout)
        targets = np.moveaxis(targets, -2, -4)
        np.matmul(_windows_of(source, cut, at, dilation, layout), kernel, targets)
        first, *rest = y
        place = out[part.images, part.rows]
        last = rest.pop() if rest and not finish else None
        for other in rest:
            np.add(first[:windows], other[:windows], first[:windows])
        if finish:
            finish(first[:windows])
        if last is None:
            np.copyto(place, inside(first, n, layout))
        else:
            np.add(inside(first, n, layout), inside(last, n, layout), place)

    each(piece, len(plan))


def _source(x: Array, layout: Wide, cut: Rows) -> Array:
    """x as a long matrix from the first place of the first window on, to the end of the last row."""
    missing = cut.places + layout.reach - layout.lead - len(x) * layout.image
    return spread(x, layout, layout.lead, max(0, missing), "spread x")


def inside(matrix: Array, n: int, layout: Wide) -> Array:
    """The windows (n, *outs, c) in a long matrix."""
    block = matrix[: n * layout.image].reshape(n, *layout.pitches, -1)
    return block[(slice(None), *(slice(0, o) for o in layout.outs))]


def kernel_grad(x: Array, dy: Array, padding: tuple, dilation: tuple, out: Array, shares: int) -> None:
    """The adjoint in w, into `out`: the parts in so many runs for as many threads, each with a sum of its own."""
    size, (cin, cout) = out.shape[:-2], out.shape[-2:]
    plan = parts(len(x), x.shape[1:-1], size, padding, dilation, 2 * (cin + cout) * x.itemsize, shares)
    at, pieces = lines(size, dilation), ranges(len(plan), shares)
    numbers = at.taps * cin
    columns = next((c for c in GOOD_COLUMNS if numbers % c == 0), numbers)
    totals = scratch("total", (len(pieces), *out.shape), x.dtype)

    def piece(run: int) -> None:
        total = totals[run].reshape(-1)
        total.fill(0)
        for part in plan[slice(*pieces[run])]:
            layout, n = part.layout, part.images.stop - part.images.start
            cut = _cut((n - 1) * layout.image + layout.last, at.taps, SMALL // (columns * cout))
            source = _source(x[part.images, part.source], layout, cut)
            ds = spread(dy[part.images, part.rows], layout, 0, max(0, cut.places - n * layout.image), "spread dy")
            left = _windows_of(source, cut, at, dilation, layout).swapaxes(-1, -2)  # (*lines, turns, stacks, numbers, rows)
            left = left.reshape(*left.shape[:-2], numbers // columns, columns, cut.rows)
            right = _rows_of(ds, cut)[..., None, :, :]
            terms = scratch("terms", (cut.turns * cut.stacks, total.size), x.dtype)
            apart = terms.reshape(cut.turns, cut.stacks, *at.shape, numbers // columns, columns, cout)
            np.matmul(left, right, np.moveaxis(apart, (0, 1), (-5, -4)))
            for term in terms:
                np.add(total, term, total)

    with blas.single:  # its threads would add in another order, where `each` does the pieces one by one
        each(piece, len(pieces))
    for other in totals[1:]:
        np.add(totals[0], other, totals[0])
    np.copyto(out, totals[0])
