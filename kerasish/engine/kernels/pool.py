"""Pooling in any rank, channels last, with explicit padding that is never counted nor chosen.

Sums and maxima are taken one axis after the other. A maximum belongs to the first place of its window (in the order of
memory) that holds it.
"""

import math
from functools import lru_cache, partial
from typing import Any, Callable, Iterator

import numpy as np

from kerasish.engine.kernels.scratch import fresh, scratch
from kerasish.engine.kernels.threads import each, in_order, ranges
from kerasish.engine.kernels.windows import Loader, shifts, tiles, window_view, windows

Array = np.ndarray
TILE_BYTES = 1 << 19  # of one tap over a tile
WORTH_SHARING = 1 << 20  # elements; less is done by one thread
RUNS = 2  # of tiles, which threads may share


def max_pool(x: Array, size: tuple, strides: tuple, padding: tuple, out: Array | None = None) -> Array:
    """The greatest value of each window of x (n, *spatial, c): (n, *outs, c)."""
    return _pool(x, size, strides, padding, np.maximum, _lowest(x.dtype), out)


def avg_pool(x: Array, size: tuple, strides: tuple, padding: tuple, out: Array | None = None) -> Array:
    """The mean of each window of x, over the places that are not padding."""
    if x.dtype == np.float16:
        y = avg_pool(x.astype(np.float32), size, strides, padding).astype(np.float16)
        return y if out is None else _copied(y, out)
    out = _pool(x, size, strides, padding, np.add, 0, out)
    return np.multiply(out, _shares(x.shape[1:-1], size, strides, padding, x.dtype), out)


def avg_pool_grad(
    dy: Array, shape: tuple, size: tuple, strides: tuple, padding: tuple, out: Array | None = None
) -> Array:
    """The adjoint of avg_pool: dy (n, *outs, c) spread over an input of `shape`."""
    if dy.dtype == np.float16:
        y = avg_pool_grad(dy.astype(np.float32), shape, size, strides, padding).astype(np.float16)
        return y if out is None else _copied(y, out)
    if out is None:
        out = np.empty(shape, dy.dtype)
    share = _shares(shape[1:-1], size, strides, padding, dy.dtype)
    at = windows(shape[1:-1], size, strides, padding, (1,) * len(size))
    for images, _ in tiles(shape[0], at.outs, _budget(shape[-1], dy.dtype)):
        t = scratch("share", (images.stop - images.start, *dy.shape[1:]), dy.dtype)
        np.multiply(dy[images], share, t)
        for axis in range(len(size), 0, -1):
            t = _spread(t, axis, at.padded[axis - 1], size[axis - 1], strides[axis - 1])
        target = out[images]
        if not at.plain:  # what negative padding cropped has no gradient
            target.fill(0)
        np.copyto(target[at.crop], t[at.inner])
    return out


def max_pool_grad(
    dy: Array, x: Array, y: Array, size: tuple, strides: tuple, padding: tuple, out: Array | None = None
) -> Array:
    """The gradient of y = max_pool(x) in x: each element of dy goes to the place that its maximum was taken from."""
    if out is None:
        out = np.empty(x.shape, dy.dtype)
    if not dy.size or not x.size:
        out.fill(0)
        return out
    one = (1,) * len(size)
    at = windows(x.shape[1:-1], size, strides, padding, one)
    places = shifts(at.outs, size, strides, one)
    apart = all(k <= s for k, s in zip(size, strides, strict=True))  # no two windows share a place
    gaps = size != strides or any(o * s < d for o, s, d in zip(at.outs, strides, at.padded, strict=True))
    plan = _plan(x, at.outs)

    def side_by_side(start: int, stop: int) -> None:
        for images, _ in plan[start:stop]:
            if gaps:
                out[images].fill(0)
            _deal(dy[images], x[images], y[images], out[images], places)

    def piece(start: int, stop: int) -> None:
        for images, block, hits in _hits(x, y, size, strides, padding, plan[start:stop]):
            dx = scratch("spread", block.shape, dy.dtype)
            dx.fill(0)
            parts = scratch("parts", hits.shape, dy.dtype)
            np.copyto(parts, hits)  # a cast of its own and a product are faster than a mixed product
            np.multiply(parts, dy[images], parts)
            for place, part in zip(places, parts, strict=True):
                np.add(dx[place], part, dx[place])
            target = out[images]
            if not at.plain:  # what negative padding cropped has no gradient
                target.fill(0)
            np.copyto(target[at.crop], dx[at.inner])

    _shared(side_by_side if at.plain and apart else piece, len(plan), x.size)
    return out


def _deal(dy: Array, x: Array, y: Array, out: Array, places: list) -> None:
    """max_pool_grad where no two windows share a place: what a place does not take is left to the places after it.

    Each is copied, so that all that is computed runs over long rows.
    """
    rest = dy
    for place in places[:-1]:
        part = scratch("part", dy.shape, dy.dtype)
        tap = part if x.dtype == dy.dtype else scratch("tap", dy.shape, x.dtype)
        np.copyto(tap, x[place])
        hit = np.equal(tap, y, out=scratch("hit", dy.shape, bool))
        np.multiply(rest, hit, part)
        np.copyto(out[place], part)
        rest = np.subtract(rest, part, out=scratch("rest", dy.shape, dy.dtype))
    np.copyto(out[places[-1]], rest)


def _plan(x: Array, outs: tuple) -> tuple:
    """Tiles of whole images, in equal shares for threads where these pay."""
    shares = RUNS if len(x) >= RUNS and x.size >= WORTH_SHARING else 1
    return tiles(len(x), outs, _budget(x.shape[-1], x.dtype), shares)


def _shared(piece: Callable[[int, int], None], count: int, elements: int) -> None:
    """Do tiles 0 to `count` by `piece(start, stop)`, several runs of them at a time where that is worth it."""
    runs = ranges(count, RUNS if elements >= WORTH_SHARING else 1)
    each(lambda i: piece(*runs[i]), len(runs))


def max_pool_gather(
    dd: Array, x: Array, y: Array, size: tuple, strides: tuple, padding: tuple, out: Array | None = None
) -> Array:
    """What `dd` holds where the maxima of x were: the adjoint of max_pool_grad in dy."""
    if out is None:
        out = np.empty(y.shape, dd.dtype)
    out.fill(0)
    if not out.size or not x.size:
        return out
    one = (1,) * len(size)
    at = windows(x.shape[1:-1], size, strides, padding, one)
    places = shifts(at.outs, size, strides, one)
    load = Loader(dd, at, len(x), "padded dd")
    plan = tiles(len(x), at.outs, _budget(x.shape[-1], x.dtype))
    for images, _, hits in _hits(x, y, size, strides, padding, plan):
        block, target = load(images), out[images]
        term = scratch("term", target.shape, dd.dtype)
        for place, hit in zip(places, hits, strict=True):
            np.multiply(block[place], hit, term)
            np.add(target, term, target)
    return out


def _hits(
    x: Array, y: Array, size: tuple, strides: tuple, padding: tuple, plan: tuple
) -> Iterator[tuple[slice, Array, Array]]:
    """For blocks of images: which, the padded block, and masks (taps, n, *outs, c) of where the maxima were."""
    one = (1,) * len(size)
    at = windows(x.shape[1:-1], size, strides, padding, one)
    taps, inner = math.prod(size), len(size) + 1
    order = (*range(inner, inner + len(size)), *range(inner), inner + len(size))
    load = Loader(x, at, plan[0][0].stop - plan[0][0].start, fill=_lowest(x.dtype))
    for images, _ in plan:
        block = load(images)
        view = window_view(block, at.outs, size, strides, one).transpose(order)
        # by tap: all that follows then runs over long rows
        planes = scratch("planes", view.shape, x.dtype)
        np.copyto(planes, view)
        best = y[images]
        hits = scratch("hits", (taps, *best.shape), bool)
        free = scratch("free", best.shape, bool)  # windows whose maximum has not been met yet
        np.equal(planes.reshape(hits.shape), best, hits)
        np.logical_not(hits[0], free)
        for hit in hits[1:-1]:
            np.logical_and(hit, free, hit)
            np.logical_xor(free, hit, free)
        if taps > 1:
            np.logical_and(hits[-1], free, hits[-1])
        yield images, block, hits


def _copied(y: Array, out: Array) -> Array:
    np.copyto(out, y)
    return out


def _lowest(dtype: np.dtype) -> Any:
    return -np.inf if dtype.kind == "f" else False if dtype.kind == "b" else np.iinfo(dtype).min


def _budget(channels: int, dtype: np.dtype) -> int:
    return max(1, TILE_BYTES // (max(channels, 1) * dtype.itemsize))


def _pool(
    x: Array, size: tuple, strides: tuple, padding: tuple, ufunc: Callable, fill: Any, out: Array | None
) -> Array:
    """Reduce every window by `ufunc`, over a few images at a time."""
    at = windows(x.shape[1:-1], size, strides, padding, (1,) * len(size))
    if out is None:
        out = np.empty((x.shape[0], *at.outs, x.shape[-1]), x.dtype)
    if not out.size:
        return out
    plan = _plan(x, at.outs)

    def piece(start: int, stop: int) -> None:
        load = Loader(x, at, plan[0][0].stop, fill=fill)
        for images, _ in plan[start:stop]:
            for call in _reductions(load(images), out[images], at.outs, size, strides, ufunc, scratch):
                call()

    _shared(piece, len(plan), x.size)
    return out


def _reductions(
    t: Array, out: Array, outs: tuple, size: tuple, strides: tuple, ufunc: Callable, memory: Callable
) -> Iterator[Callable[[], Any]]:
    """The calls that reduce the windows of t, padded, into out: one axis after the other. `memory` is as `scratch`."""
    for axis, (o, k, s) in enumerate(zip(outs, size, strides, strict=True), 1):
        shape = (*t.shape[:axis], o, *t.shape[axis + 1 :])
        into = out if axis == len(size) else memory(f"axis {axis}", shape, t.dtype)
        lead = (slice(None),) * axis
        first, *rest = (t[(*lead, slice(j, j + (o - 1) * s + 1, s))] for j in range(k))
        if not rest:
            yield partial(np.copyto, into, first)
        for i, part in enumerate(rest):
            yield partial(ufunc, into if i else first, part, out=into)
        t = into


def _bound_pool(
    x: Array, out: Array, size: tuple, strides: tuple, padding: tuple, ufunc: Callable, fill: Any
) -> list[Callable[[], Any]] | None:
    """The calls of `_pool` for arrays that stay where they are; None if they are so large that several threads do them."""
    if not out.size or x.size >= WORTH_SHARING:
        return None
    at = windows(x.shape[1:-1], size, strides, padding, (1,) * len(size))
    load, every = Loader(x, at, len(x), fill=fill, memory=fresh), slice(0, len(x))
    block = load(every)
    calls: list[Callable[[], Any]] = [] if load.direct else [partial(load, every)]
    for images, _ in _plan(x, at.outs):
        calls += _reductions(block[images], out[images], at.outs, size, strides, ufunc, fresh)
    return calls


def bound_max_pool(x: Array, out: Array, size: tuple, strides: tuple, padding: tuple) -> Callable[[], Any]:
    calls = _bound_pool(x, out, size, strides, padding, np.maximum, _lowest(x.dtype))
    return partial(max_pool, x, size, strides, padding, out) if calls is None else in_order(*calls)


def bound_avg_pool(x: Array, out: Array, size: tuple, strides: tuple, padding: tuple) -> Callable[[], Any]:
    calls = _bound_pool(x, out, size, strides, padding, np.add, 0)
    if calls is None:
        return partial(avg_pool, x, size, strides, padding, out)
    return in_order(*calls, partial(np.multiply, out, _shares(x.shape[1:-1], size, strides, padding, x.dtype), out))


def _spread(t: Array, axis: int, d: int, k: int, s: int) -> Array:
    """The adjoint of summing windows of k, s apart, along an axis of length d."""
    dx = scratch(f"axis {axis}", (*t.shape[:axis], d, *t.shape[axis + 1 :]), t.dtype)
    dx.fill(0)
    for j in range(k):
        part = dx[(*(slice(None),) * axis, slice(j, j + (t.shape[axis] - 1) * s + 1, s))]
        if k <= s:
            np.copyto(part, t)
        else:
            np.add(part, t, part)
    return dx


@lru_cache(maxsize=256)
def _shares(spatial: tuple, size: tuple, strides: tuple, padding: tuple, dtype: np.dtype) -> Array:
    """One over the number of places in each window that are not padding: (1, *outs, 1)."""
    counts = np.ones((1,) * len(size))
    for axis, (d, k, s, (lo, hi)) in enumerate(zip(spatial, size, strides, padding, strict=True)):
        inside = np.pad(np.ones(d + min(lo, 0) + min(hi, 0)), (max(lo, 0), max(hi, 0)))
        sums = np.lib.stride_tricks.sliding_window_view(inside, k)[::s].sum(1)
        counts = counts * sums.reshape([-1 if i == axis else 1 for i in range(len(size))])
    share = (1 / np.maximum(counts, 1)).astype(dtype)[None, ..., None]
    share.flags.writeable = False
    return share
