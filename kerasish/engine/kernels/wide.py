"""Convolution with stride one and without patches, for layers where laying out patches costs as much as multiplying them.

Images are written one after the other with zeros between their lines, and between images, and are then one long matrix
(places, channels). In it, the window of place p meets tap t at place p + (a number that depends on t alone), wherever p is.
Zeros at the end of a line are also those before the next, so a line is hardly longer than the image's. What is computed for
the places between lines is dropped.

The taps of one line of the kernel meet places side by side, which are one row of numbers in memory: for every third place,
with lines of three taps, these rows are a matrix (places / 3, taps x channels) that is there already. So a line of the
kernel is a product for each of three turns. The lines' results, which are for windows a fixed distance apart, are added.
The products are stacks of small ones (see stacks.py). The images are divided into runs, one for each thread, and a run into
parts that stay in the cache; all that is done for a run is a sequence (sequence.py).
"""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from kerasish.engine.kernels import blas
from kerasish.engine.kernels.scratch import ones, scratch
from kerasish.engine.kernels.sequence import clear, together
from kerasish.engine.kernels.stacks import SMALL
from kerasish.engine.kernels.threads import ranges

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


@lru_cache(maxsize=256)
def parts(
    n: int, spatial: tuple, size: tuple, padding: tuple, dilation: tuple, place_bytes: int, shares: int
) -> tuple[Part, ...]:
    """Cut n images into parts of about TILE_BYTES, of which `shares` threads can have equal shares: several images, or some
    lines of one."""
    layout = wide(spatial, size, padding, dilation)
    assert layout is not None
    many = TILE_BYTES // place_bytes  # places
    if n >= shares and layout.image <= many:
        count = -(-n * layout.image // many)
        whole = slice(None)
        return tuple(Part(slice(*cut), whole, whole, layout) for cut in ranges(n, -(-count // shares) * shares))
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
    return tuple(Part(slice(i, i + 1), *band) for i in range(n) for band in found)


def spread(do: Any, x: Array, layout: Wide, before: int, after: int, memory: Array) -> Array:
    """x (n, *spatial, c) as a long matrix (places, c) with rows of zeros around, in `memory`; x itself if it is one."""
    n, channels = len(x), x.shape[-1]
    if not before and not after and x.shape[1:-1] == layout.pitches and x.flags.c_contiguous:
        return x.reshape(-1, channels)
    end = before + n * layout.image
    matrix = memory[: (end + after) * channels].reshape(-1, channels)
    for rest in matrix[:before], matrix[end:]:
        clear(do, rest)
    block = matrix[before:end].reshape(n, *layout.pitches, channels)
    for axis, length in enumerate(x.shape[1:-1], 1):
        every = (slice(None),) * axis
        clear(do, block[(*every, slice(length, None))])
        block = block[(*every, slice(0, length))]
    do.copy(x, block)
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


class _Job(NamedTuple):
    """What a thread does of a convolution: run `number` of `count`, each of some parts."""

    number: int
    count: int
    size: tuple
    padding: tuple
    dilation: tuple

    @property
    def at(self) -> Lines:
        return lines(self.size, self.dilation)

    def parts(self, x: Array, place_numbers: int, most: int) -> list[tuple[Part, Rows]]:
        """The run's parts and how their places are cut, for places of so many numbers, and rows of products at most."""
        whole = parts(
            len(x), x.shape[1:-1], self.size, self.padding, self.dilation, place_numbers * x.itemsize, self.count
        )
        found = []
        first, last = (len(whole) * i // self.count for i in (self.number, self.number + 1))
        for part in whole[first:last]:
            n, layout = part.images.stop - part.images.start, part.layout
            found.append((part, _cut((n - 1) * layout.image + layout.last, self.at.taps, most)))
        return found

    def windows_of(self, do: Any, x: Array, part: Part, cut: Rows, memory: Array) -> Array:
        """The windows of a part's images, (lines, turns, stacks, rows, numbers)."""
        layout, n = part.layout, part.images.stop - part.images.start
        missing = cut.places + layout.reach - layout.lead - n * layout.image
        matrix = spread(do, x[part.images, part.source], layout, layout.lead, max(0, missing), memory)
        return _windows_of(matrix, cut, self.at, self.dilation, layout)


def _jobs(count: int, size: tuple, padding: tuple, dilation: tuple) -> list[_Job]:
    return [_Job(i, count, size, padding, dilation) for i in range(count)]


def _places(jobs: list[tuple[Part, Rows]]) -> int:
    """The places of the longest matrix of these parts."""
    sizes = [
        max(layout.lead + (images.stop - images.start) * layout.image, cut.places + layout.reach)
        for (images, _, _, layout), cut in jobs
    ]
    return max(sizes, default=0)


def conv(x: Array, w: Array, padding: tuple, dilation: tuple, out: Array, count: int) -> None:
    """The convolution of x with w, into `out`, by so many threads."""
    size, (cin, cout) = w.shape[:-2], w.shape[-2:]
    at, jobs = lines(size, dilation), _jobs(count, size, padding, dilation)
    n_lines = math.prod(at.shape)
    kernel = scratch("wide kernel", (n_lines, at.taps * cin, cout), x.dtype)
    np.copyto(kernel.reshape(w.shape), w)
    places = max(_places(_conv_parts(job, x, kernel)) for job in jobs)
    sources = scratch("wide x", (count, places * cin), x.dtype)
    results = scratch("wide y", (count, places * n_lines * cout), x.dtype)
    together(_conv, jobs, sources, results, x, kernel, out)


def _conv_parts(job: _Job, x: Array, kernel: Array) -> list[tuple[Part, Rows]]:
    n_lines, numbers, cout = kernel.shape
    return job.parts(x, x.shape[-1] + n_lines * cout, SMALL // (numbers * cout))


def _conv(do: Any, job: _Job, sources: Array, results: Array, x: Array, kernel: Array, out: Array) -> None:
    n_lines, _, cout = kernel.shape
    for part, cut in _conv_parts(job, x, kernel):
        layout, n = part.layout, part.images.stop - part.images.start
        found = job.windows_of(do, x, part, cut, sources[job.number])
        length = max(cut.places, n * layout.image)
        y = results[job.number][: n_lines * length * cout].reshape(n_lines, length, cout)
        for line, index in enumerate(np.ndindex(*job.at.shape)):
            target = y[line, : cut.places].reshape(cut.stacks, cut.rows, cut.turns, cout)
            for turn in range(cut.turns):
                do.product(found[index][turn], kernel[line], target[:, :, turn])
        windows = (n - 1) * layout.image + layout.last
        first, *rest = (line[:windows] for line in y)
        for other in rest:
            do.call(np.add, first, other, first)
        do.copy(inside(y[0], n, layout), out[part.images, part.rows])


def inside(matrix: Array, n: int, layout: Wide) -> Array:
    """The windows (n, *outs, c) in a long matrix."""
    block = matrix[: n * layout.image].reshape(n, *layout.pitches, -1)
    return block[(slice(None), *(slice(0, o) for o in layout.outs))]


def kernel_grad(x: Array, dy: Array, padding: tuple, dilation: tuple, out: Array, count: int) -> None:
    """The adjoint in w, into `out`, by so many threads, each with a sum of its own."""
    size = out.shape[:-2]
    jobs = _jobs(count, size, padding, dilation)
    plans = [_grad_parts(job, x, dy) for job in jobs]
    places = max(map(_places, plans))
    sources = scratch("wide x", (count, places * x.shape[-1]), x.dtype)
    slopes = scratch("wide dy", (count, places * dy.shape[-1]), x.dtype)
    most = max(cut.turns * cut.stacks for plan in plans for _, cut in plan)
    terms = scratch("wide terms", (count, most + 1, out.size), x.dtype)
    totals = scratch("wide totals", (count, out.size), x.dtype)
    totals.fill(0)
    together(_grad, jobs, sources, slopes, terms, totals, x, dy)
    np.sum(totals.reshape(count, *out.shape), 0, out=out)


def _columns(job: _Job, cin: int) -> int:
    """Numbers of a line of the kernel that are summed up in one product."""
    numbers = job.at.taps * cin
    return next((c for c in GOOD_COLUMNS if numbers % c == 0), numbers)


def _grad_parts(job: _Job, x: Array, dy: Array) -> list[tuple[Part, Rows]]:
    cin, cout = x.shape[-1], dy.shape[-1]
    return job.parts(x, 2 * (cin + cout), SMALL // (_columns(job, cin) * cout))


def _grad(
    do: Any, job: _Job, sources: Array, slopes: Array, terms: Array, totals: Array, x: Array, dy: Array
) -> None:
    cin, cout = x.shape[-1], dy.shape[-1]
    numbers, columns, total = job.at.taps * cin, _columns(job, cin), totals[job.number][None]
    added = terms[job.number][-1:]
    for part, cut in _grad_parts(job, x, dy):
        n, layout = part.images.stop - part.images.start, part.layout
        found = job.windows_of(do, x, part, cut, sources[job.number])
        missing = max(0, cut.places - n * layout.image)
        right = _rows_of(spread(do, dy[part.images, part.rows], layout, 0, missing, slopes[job.number]), cut)
        here = terms[job.number][: cut.turns * cut.stacks]
        apart = here.reshape(cut.turns, cut.stacks, -1, numbers, cout)
        for line, index in enumerate(np.ndindex(*job.at.shape)):
            for turn in range(cut.turns):
                left = found[index][turn].swapaxes(1, 2)  # (stacks, numbers, rows)
                for start in range(0, numbers, columns):
                    some = slice(start, start + columns)
                    do.product(left[:, some], right[turn], apart[turn, :, line, some])
        do.product(ones(len(here), x.dtype)[None], here, added)
        do.call(np.add, total, added, total)


__all__ = ["conv", "kernel_grad", "lines", "pays", "wide"]
