"""Convolution in any rank, and its two adjoints. Channels last; kernels are (*spatial, in / groups, out).

    conv              y[o] = sum over taps t of  x[o * stride + t * dilation - padding] @ w[t]
    conv_input_grad   its adjoint in x; transposed convolution is the same thing
    conv_kernel_grad  its adjoint in w

Each of the three is differentiated by the other two. Padding is explicit, a pair for each axis, and negative padding
crops. Some go by long matrices (wide.py), one channel a group by einsum (depthwise.py), all else by patches.
"""

import math
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from kerasish.engine.kernels import depthwise, wide
from kerasish.engine.kernels.scratch import aligned, scratch, zeros
from kerasish.engine.kernels.stacks import bind_product, dot, moving_product
from kerasish.engine.kernels.threads import each, ranges
from kerasish.engine.kernels.windows import Loader, tiles, window_view, windows

Array = np.ndarray
WORTH_SHARING = 1 << 25  # operations, some 0.3 ms; less is done by one thread
WORTH_THE_CREW = 1 << 22  # multiplications of a product by itself, for which its threads are to be woken
RUNS = 2  # of tiles, which threads may share
TILE_BYTES = 1 << 20  # of patches: they are written, multiplied and forgotten within the cache
FEW_CHANNELS = 4  # up to here patches are laid out by tap, since runs of kernel width x channels are too short to copy


def conv(
    x: Array,
    w: Array,
    strides: tuple,
    padding: tuple,
    dilation: tuple,
    groups: int,
    out: Array | None = None,
) -> Array:
    """The convolution of x (n, *spatial, cin) with w (*size, cin / groups, cout): (n, *outs, cout)."""
    return conv_bias(x, w, None, strides, padding, dilation, groups, out=out)


def conv_bias(
    x: Array,
    w: Array,
    b: Array | None,
    strides: tuple,
    padding: tuple,
    dilation: tuple,
    groups: int,
    relu: bool = False,
    out: Array | None = None,
) -> Array:
    """conv(x, w) + b, then relu where asked for, while each tile is still in the cache."""
    if x.dtype == np.float16:
        b = None if b is None else b.astype(np.float32)
        y = conv_bias(
            x.astype(np.float32), w.astype(np.float32), b, strides, padding, dilation, groups, relu
        )  # fmt: skip
        return _put(y, x.dtype, out)
    size, cout = w.shape[:-2], w.shape[-1]
    at = windows(x.shape[1:-1], size, strides, padding, dilation)
    shape = (x.shape[0], *at.outs, cout)
    if out is None:
        out = np.empty(shape, x.dtype)
    if not out.size or not w.size or not x.size:
        out.fill(0)
        _finish(out, b, relu)
    elif groups == 1:
        _dense(x, w, b, strides, padding, dilation, relu, out)
    elif w.shape[-2] == 1:
        depthwise.conv(x, w, strides, padding, dilation, out)
        _finish(out, b, relu)
    elif cout == groups:
        _one_for_each_group(x, w, strides, padding, dilation, out)
        _finish(out, b, relu)
    else:
        _grouped(x, w, strides, padding, dilation, groups, out)
        _finish(out, b, relu)
    return out


def _put(y: Array, dtype: np.dtype, out: Array | None) -> Array:
    if out is None:
        return y.astype(dtype, copy=False)
    np.copyto(out, y, casting="same_kind")
    return out


def _finish(y: Array, b: Array | None, relu: bool) -> None:
    if b is not None:
        np.add(y, b, y)
    if relu:
        np.maximum(y, y.dtype.type(0), out=y)


class _Epilogue:
    """Bias and relu over tiles (positions, channels). The bias is repeated, since NumPy is slow over short rows."""

    def __init__(self, b: Array | None, relu: bool):
        self.relu, self.b = relu, b
        if b is not None:
            self.width = max(1, 1024 // b.size)
            self.row = np.tile(b, self.width)

    def __call__(self, y: Array) -> None:
        if self.b is not None:
            whole = len(y) - len(y) % self.width
            wide = y[:whole].reshape(-1, self.row.size)
            np.add(wide, self.row, wide)
            np.add(y[whole:], self.b, y[whole:])
        if self.relu:
            np.maximum(y, zeros(y.size, y.dtype).reshape(y.shape), out=y)


def _dense(
    x: Array, w: Array, b: Array | None, strides: tuple, padding: tuple, dilation: tuple, relu: bool, out: Array
) -> None:
    """One group: patches, a tile at a time, times the kernel as a matrix."""
    size, (cin, cout) = w.shape[:-2], w.shape[-2:]
    at = windows(x.shape[1:-1], size, strides, padding, dilation)
    operations = _operations(len(x), at.outs, size, cin, cout)
    if _stretches(x.shape, w.shape, x.dtype, strides, padding, dilation):
        wide.conv(x, w, padding, dilation, out, RUNS if operations >= WORTH_SHARING else 1)
        _finish(out, b, relu)
        return
    finish = _Epilogue(b, relu) if b is not None or relu else None
    taps = math.prod(size)
    k = taps * cin
    matrix = w.reshape(k, cout)  # for a single tap this may be a transposed view, which BLAS takes as it is
    pointwise = taps == 1 and all(s == 1 for s in strides)
    by_tap = cin <= FEW_CHANNELS and taps > 1
    n, inner = x.shape[0], len(size)
    plan = tiles(n, at.outs, max(1, TILE_BYTES // (k * x.itemsize)), RUNS if operations >= WORTH_SHARING else 1)
    contiguous = out.flags.c_contiguous
    flat = out.reshape(-1, cout) if contiguous else None

    def piece(start: int, stop: int) -> None:
        load = Loader(x, at, plan[0][0].stop)
        for images, parts in plan[start:stop]:
            block = load(images)
            if not pointwise:
                block = window_view(block, at.outs, size, strides, dilation)
            for index, rows in parts:
                part = block[index] if index else block
                count = rows.stop - rows.start
                if pointwise:
                    patches = part.reshape(-1, cin)
                elif by_tap:
                    patches = _by_tap(part, inner).reshape(k, count).T
                else:
                    patches = _by_position(part).reshape(count, k)
                y = flat[rows] if contiguous else scratch("product", (count, cout), out.dtype)
                dot(patches, matrix, y)
                if finish:
                    finish(y)
                if not contiguous:
                    target = out[(images, *index[1:])]
                    np.copyto(target, y.reshape(target.shape))

    _shared(piece, len(plan), operations)


def _operations(n: int, outs: tuple, size: tuple, cin: int, cout: int) -> int:
    """Of a convolution; those with few channels in take twice as long."""
    return 2 * n * math.prod(outs) * math.prod(size) * cin * cout * (2 if cin <= FEW_CHANNELS else 1)


def _stretches(shape: tuple, kernel: tuple, dtype: np.dtype, strides: tuple, padding: tuple, dilation: tuple) -> bool:
    """Whether a convolution of an input of that shape is done in long matrices rather than by patches."""
    size = kernel[:-2]
    if max(strides) > 1 or max(size) == 1 or dtype.char not in "fd":
        return False
    layout = wide.wide(shape[1:-1], size, padding, dilation)
    return layout is not None and wide.pays(shape[0], layout, wide.lines(size, dilation).taps, *kernel[-2:])


def _shared(piece: Callable[[int, int], None], count: int, operations: int) -> None:
    """Do tiles 0 to `count` by `piece(start, stop)`, several runs of them at a time where that is worth it."""
    if operations < WORTH_SHARING:
        piece(0, count)
        return
    runs = ranges(count, RUNS)
    each(lambda i: piece(*runs[i]), len(runs))


def bound_conv(
    x: Array, w: Array, out: Array, strides: tuple, padding: tuple, dilation: tuple, groups: int
) -> Callable[[], Any]:
    """conv of arrays that stay where they are; with all that is laid out for a small one prepared."""
    call = moving_conv(w, out, x.shape, strides, padding, dilation, groups, x)
    return partial(call, x)


def moving_conv(
    w: Array, out: Array, shape: tuple, strides: tuple, padding: tuple, dilation: tuple, groups: int,
    fixed: Array | None = None,
) -> Callable[[Array], Any]:  # fmt: skip
    """The same for an input of that shape which is given with each call, or is `fixed`."""
    size, (cin, cout) = w.shape[:-2], w.shape[-2:]
    at = windows(shape[1:-1], size, strides, padding, dilation)
    k = math.prod(size) * cin
    operations = _operations(shape[0], at.outs, size, cin, cout)

    def whole(x: Array) -> None:
        conv(x, w, strides, padding, dilation, groups, out=out)

    plain = groups == 1 and w.dtype.char in "fd" and all(a.flags.c_contiguous and a.size for a in (w, out))
    if not plain or not math.prod(shape) or not 0 < operations < WORTH_SHARING:
        return whole
    if _stretches(shape, w.shape, w.dtype, strides, padding, dilation):
        return whole
    matrix, flat = w.reshape(k, cout), out.reshape(-1, cout)
    if math.prod(size) == 1 and at.plain and max(strides) == 1:
        multiply = moving_product(len(flat), cin, cout)
        return lambda x: multiply(x.reshape(-1, cin), matrix, flat)
    plan = tiles(shape[0], at.outs, max(1, TILE_BYTES // (k * w.itemsize)), 1)
    if len(plan) > 1 or len(plan[0][1]) > 1:  # larger than a tile
        return whole
    block = None if at.plain else aligned((shape[0], *at.padded, cin), w.dtype)
    if block is not None:
        block.fill(0)
    order = _order(len(size), cin)
    view = None
    if block is not None or fixed is not None:
        view = window_view(fixed if block is None else block, at.outs, size, strides, dilation).transpose(order)
    patches = aligned(tuple((shape[0], *at.outs, *size, cin)[i] for i in order), w.dtype)
    rows = patches.reshape(-1, k) if order[0] == 0 else patches.reshape(k, -1).T
    if len(rows) * k * cout > WORTH_THE_CREW:
        multiply = bind_product(rows, matrix, flat)
    else:
        multiply = partial(dot, rows, matrix, flat)

    def run(x: Array) -> None:
        if block is not None:
            np.copyto(block[at.inner], x[at.crop])
        if view is not None:
            np.copyto(patches, view)
        elif x.flags.c_contiguous:
            np.copyto(patches, window_view(x, at.outs, size, strides, dilation).transpose(order))
        else:
            whole(x)
            return
        multiply()

    return run


def _order(inner: int, cin: int) -> tuple:
    """Of the axes (n, *outs, *size, c) of windows in patches: by tap if channels are few."""
    if cin > FEW_CHANNELS:
        return tuple(range(2 * inner + 2))
    return (*range(inner + 1, 2 * inner + 2), *range(inner + 1))


def _by_position(part: Array) -> Array:
    """Patches as rows: (n, *outs, *size, c) copied as it is."""
    patches = scratch("patches", part.shape, part.dtype)
    np.copyto(patches, part)
    return patches


def _by_tap(part: Array, inner: int) -> Array:
    """Patches as columns: (*size, c, n, *outs), so that the runs copied are as long as a line of windows."""
    return _by_position(part.transpose(_order(inner, 1)))


def _grouped(x: Array, w: Array, strides: tuple, padding: tuple, dilation: tuple, groups: int, out: Array) -> None:
    """Several groups: a product for each, made in one call."""
    size, (cin, cout) = w.shape[:-2], w.shape[-2:]
    at = windows(x.shape[1:-1], size, strides, padding, dilation)
    k = math.prod(size) * cin
    matrices = np.ascontiguousarray(w.reshape(k, groups, cout // groups).swapaxes(0, 1))
    plan = tiles(x.shape[0], at.outs, max(1, TILE_BYTES // (k * groups * x.itemsize)))
    load = Loader(x, at, plan[0][0].stop)
    for images, parts in plan:
        block = window_view(load(images), at.outs, size, strides, dilation)
        for index, rows in parts:
            part = block[index] if index else block
            patches = _by_group(part, groups).reshape(groups, rows.stop - rows.start, k)
            y = scratch("product", (groups, rows.stop - rows.start, cout // groups), out.dtype)
            np.matmul(patches, matrices, y)
            target = out[(images, *index[1:])]
            target = target.reshape(*target.shape[:-1], groups, -1)  # splitting an axis is always a view
            np.copyto(target, np.moveaxis(y.reshape(groups, *target.shape[:-2], -1), 0, -2))


def _one_for_each_group(x: Array, w: Array, strides: tuple, padding: tuple, dilation: tuple, out: Array) -> None:
    """Groups that make one channel each, as in the adjoint of a depthwise convolution with several kernels a channel."""
    size, (cin, groups) = w.shape[:-2], w.shape[-2:]
    y = scratch("each channel", (*out.shape[:-1], groups * cin), out.dtype)
    depthwise.conv(x, w.swapaxes(-1, -2).reshape(*size, 1, groups * cin), strides, padding, dilation, y)
    np.add.reduce(y.reshape(*out.shape, cin), -1, out=out)


def _by_group(part: Array, groups: int) -> Array:
    """Patches (groups, n, *outs, *size, c / groups)."""
    split = part.reshape(*part.shape[:-1], groups, -1)  # splitting the last axis is always a view
    return _by_position(np.moveaxis(split, -2, 0))


def conv_input_grad(
    dy: Array,
    w: Array,
    input_shape: tuple,
    strides: tuple,
    padding: tuple,
    dilation: tuple,
    groups: int,
    out: Array | None = None,
) -> Array:
    """The adjoint of conv in x: what dy (n, *outs, cout) spreads back to an input of `input_shape`."""
    dtype = dy.dtype
    if dtype == np.float16:
        dy, w = dy.astype(np.float32), w.astype(np.float32)
        y = conv_input_grad(dy, w, input_shape, strides, padding, dilation, groups)
        return _put(y, dtype, out)
    if out is None:
        out = np.empty(input_shape, dtype)
    size, (cin, cout) = w.shape[:-2], w.shape[-2:]
    apart = size == strides and max(dilation) == 1 and groups == 1 and out.flags.c_contiguous
    if apart and all(o * s == d for o, s, d in zip(dy.shape[1:-1], strides, input_shape[1:-1], strict=True)):
        if dy.size and out.size:
            _side_by_side(dy, w, out)
            return out
    # the kernel turned round, with the roles of its channels exchanged
    turned = np.flip(w, tuple(range(len(size)))).reshape(*size, cin, groups, cout // groups)
    turned = turned.swapaxes(-1, -3).reshape(*size, cout // groups, groups * cin)
    outs = dy.shape[1:-1]
    # With strides the input falls into phases; each is a convolution of dy, with stride one, by the taps that meet it.
    axes = [
        list(_phases(*axis)) for axis in zip(input_shape[1:-1], outs, size, strides, padding, dilation, strict=True)
    ]
    every = slice(None)
    one = (1,) * len(size)
    for phases in product(*axes):
        where, taps, back, steps = zip(*phases, strict=True)
        target = out[(every, *where)]
        kernel = turned[taps]
        if not kernel.size:
            target.fill(0)
        elif target.size:
            conv(dy, kernel, one, back, steps, groups, out=target)
    return out


def _side_by_side(dy: Array, w: Array, out: Array) -> None:
    """conv_input_grad where windows meet without a gap: for each line of the kernel one product, whose rows are lines of out."""
    size, (cin, cout) = w.shape[:-2], w.shape[-2:]
    *lead, last = size
    outs, row = dy.shape[1:-1], last * cin
    # out with the axes of windows and of taps apart: (slabs, tap, windows, tap, ..., line)
    slabs = len(dy) * math.prod(outs[:1] if lead else ())
    pairs = [length for pair in zip(lead, outs[1:-1], strict=False) for length in pair]
    target = out.reshape(slabs, *pairs, *lead[len(outs[1:-1]) :], outs[-1] * row)
    flat = np.ascontiguousarray(dy).reshape(slabs, -1, cout)
    matrices = np.ascontiguousarray(w.reshape(-1, row, cout).swapaxes(1, 2))
    taps = list(np.ndindex(*lead))
    operations = 2 * out.size * cout
    count = -(-dy.size // cout * row * dy.itemsize // TILE_BYTES)
    parts = ranges(slabs, count + count % RUNS if operations >= WORTH_SHARING else count)

    def piece(i: int) -> None:
        part = slice(*parts[i])
        rows = flat[part].reshape(-1, cout)
        y = scratch("product", (len(rows), row), out.dtype)
        for tap, matrix in zip(taps, matrices, strict=True):
            dot(rows, matrix, y)
            place = target[(part, *(at for t in tap for at in (t, slice(None))))]
            np.copyto(place, y.reshape(place.shape))

    each(piece, len(parts))


def _phases(d: int, o: int, k: int, s: int, pad: tuple, e: int) -> Any:
    """The phases of one axis: (places in the input, taps of the turned kernel, padding of dy, dilation).

    Place i of the input is p = i + lo in the padded one, and window j meets it by tap t where p = j * s + t * e.
    """
    lo = pad[0]
    g = math.gcd(s, e)
    for phase in range(s):
        first = -(-(lo - phase) // s)  # places are p = phase + s * (first, first + 1, ...)
        start = phase + s * first - lo
        count = -(-(d - start) // s) if start < d else 0
        met = [t for t in range(min(k, s // g)) if (t * e) % s == phase]
        if not met:
            yield slice(start, None, s), slice(0, 0), (0, 0), 1
            continue
        step = s // g
        taps = range(met[0], k, step)
        reach = (len(taps) - 1) * (e // g)
        shift = first - (met[0] * e - phase) // s
        # turned, tap t stands at k - 1 - t
        last = taps[-1]
        turned = slice(k - 1 - last, k - met[0], step)
        before = reach - shift
        yield slice(start, None, s), turned, (before, count + reach - before - o), e // g


def conv_kernel_grad(
    x: Array,
    dy: Array,
    kernel_shape: tuple,
    strides: tuple,
    padding: tuple,
    dilation: tuple,
    groups: int,
    out: Array | None = None,
) -> Array:
    """The adjoint of conv in w: a kernel of `kernel_shape`."""
    dtype = x.dtype
    if dtype == np.float16:
        x, dy = x.astype(np.float32), dy.astype(np.float32)
        y = conv_kernel_grad(x, dy, kernel_shape, strides, padding, dilation, groups)
        return _put(y, dtype, out)
    if out is None:
        out = np.empty(kernel_shape, dtype)
    if not dy.size or not x.size or not out.size:
        out.fill(0)
    elif groups > 1 and kernel_shape[-2] == 1:
        depthwise.kernel_grad(x, dy, strides, padding, dilation, out)
    elif groups == 1 and _stretches(x.shape, out.shape, x.dtype, strides, padding, dilation):
        operations = _operations(len(x), dy.shape[1:-1], out.shape[:-2], *out.shape[-2:])
        wide.kernel_grad(x, dy, padding, dilation, out, RUNS if operations >= WORTH_SHARING else 1)
    else:
        _kernel_grad(x, dy, strides, padding, dilation, groups, out)
    return out


def _kernel_grad(
    x: Array, dy: Array, strides: tuple, padding: tuple, dilation: tuple, groups: int, out: Array
) -> None:
    size, (cin, cout) = out.shape[:-2], out.shape[-2:]
    at = windows(x.shape[1:-1], size, strides, padding, dilation)
    taps = math.prod(size)
    k = taps * cin
    pointwise = taps == 1 and all(s == 1 for s in strides) and groups == 1
    by_tap = cin <= FEW_CHANNELS and taps > 1 and groups == 1
    inner = len(size)
    operations = _operations(x.shape[0], at.outs, size, cin, cout)
    shares = RUNS if operations >= WORTH_SHARING else 1
    plan = tiles(x.shape[0], at.outs, max(1, TILE_BYTES // (k * groups * x.itemsize)), shares)
    runs = ranges(len(plan), shares)
    flat = np.ascontiguousarray(dy).reshape(-1, cout)
    shape = (groups, k, cout // groups)
    totals = scratch("total", (len(runs), *shape), x.dtype)

    def piece(i: int) -> None:
        load = Loader(x, at, plan[0][0].stop)
        total, term = totals[i], scratch("term", shape, x.dtype)
        into = total
        for images, parts in plan[slice(*runs[i])]:
            block = load(images)
            if not pointwise:
                block = window_view(block, at.outs, size, strides, dilation)
            for index, rows in parts:
                part = block[index] if index else block
                count = rows.stop - rows.start
                if groups > 1:
                    patches = _by_group(part, groups).reshape(groups, count, k).swapaxes(1, 2)
                    ds = flat[rows].reshape(count, groups, -1).swapaxes(0, 1)
                    np.matmul(patches, ds, into)
                else:
                    if pointwise:
                        patches = part.reshape(-1, cin).T
                    elif by_tap:
                        patches = _by_tap(part, inner).reshape(k, count)
                    else:
                        patches = _by_position(part).reshape(count, k).T
                    dot(patches, flat[rows], into[0])
                if into is term:
                    np.add(total, term, total)
                into = term

    each(piece, len(runs))
    for other in totals[1:]:
        np.add(totals[0], other, totals[0])
    np.copyto(out.reshape(k, groups, -1) if out.flags.c_contiguous else out, _joined(totals[0], out))


def _joined(total: Array, out: Array) -> Array:
    joined = total.swapaxes(0, 1)
    return joined if out.flags.c_contiguous else joined.reshape(out.shape)
