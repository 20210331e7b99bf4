"""Convolution in any rank, and its two adjoints. Channels last; kernels are (*spatial, in/groups, out).

Patches are copied into a matrix a tile at a time (so that the tile stays in cache) and multiplied by the kernel matrix.
Depthwise convolution sums shifted products instead. A 1x1 kernel is one matrix product over a view.
"""

import threading
from itertools import product

import numpy as np
from numpy.lib.stride_tricks import as_strided

Array = np.ndarray
TILE_BYTES = 1 << 19
_scratch = threading.local()


def scratch(name: str, shape: tuple, dtype: np.dtype) -> Array:
    """Memory of this thread that is reused from call to call."""
    need = int(np.prod(shape)) * dtype.itemsize
    pool = _scratch.__dict__
    if name not in pool or pool[name].nbytes < need:
        pool[name] = np.empty(need, np.uint8)
    return pool[name][:need].view(dtype).reshape(shape)


def padded(x: Array, padding: tuple, name: str = "padded") -> Array:
    """x with zeros around its spatial axes; negative padding crops. The result may be scratch memory."""
    if all(p == (0, 0) for p in padding):
        return x
    if any(p < 0 for pair in padding for p in pair):
        crop = tuple(slice(max(-lo, 0), d - max(-hi, 0)) for d, (lo, hi) in zip(x.shape[1:-1], padding, strict=True))
        x = x[(slice(None), *crop)]
        padding = tuple((max(lo, 0), max(hi, 0)) for lo, hi in padding)
    shape = (x.shape[0], *[lo + d + hi for d, (lo, hi) in zip(x.shape[1:-1], padding, strict=True)], x.shape[-1])
    out = scratch(name, shape, x.dtype)
    for axis, (lo, hi) in enumerate(padding, 1):  # only the border is cleared
        lead = (slice(None),) * axis
        out[(*lead, slice(0, lo))] = 0
        out[(*lead, slice(shape[axis] - hi, None))] = 0
    inner = tuple(slice(lo, lo + d) for d, (lo, _) in zip(x.shape[1:-1], padding, strict=True))
    out[(slice(None), *inner)] = x
    return out


def windows(x: Array, size: tuple, strides: tuple, dilation: tuple) -> Array:
    """A view (n, *out, *size, c) of every window of the padded x."""
    n, *spatial, c = x.shape
    outs = [(d - (k - 1) * e - 1) // s + 1 for d, k, s, e in zip(spatial, size, strides, dilation, strict=True)]
    st = x.strides
    return as_strided(
        x,
        (n, *outs, *size, c),
        (
            st[0],
            *[a * s for a, s in zip(st[1:-1], strides, strict=True)],
            *[a * e for a, e in zip(st[1:-1], dilation, strict=True)],
            st[-1],
        ),
        writeable=False,
    )


def _tiles(n: int, rows: int, row_bytes: int) -> list[slice]:
    """Cut n images of `rows` patches each so that a tile of patches fits the cache."""
    step = max(1, TILE_BYTES // max(1, rows * row_bytes))
    return [slice(i, min(i + step, n)) for i in range(0, n, step)]


def _finish(y: Array, out: Array | None) -> Array:
    if out is None:
        return y
    np.copyto(out, y)
    return out


def conv(
    x: Array, w: Array, strides: tuple, padding: tuple, dilation: tuple, groups: int, out: Array | None = None
) -> Array:
    size, (cin, cout) = w.shape[:-2], w.shape[-2:]
    if x.dtype == np.float16:
        y = conv(x.astype(np.float32), w.astype(np.float32), strides, padding, dilation, groups)
        return _finish(y.astype(np.float16), out)
    win = windows(padded(x, padding), size, strides, dilation)
    n, *spatial = win.shape[: 1 + len(size)]
    if out is None or not out.flags.c_contiguous:
        result = np.empty((n, *spatial, cout), x.dtype)
    else:
        result = out
    if result.size == 0 or win.size == 0:
        result.fill(0)
    elif groups == 1:
        taps = int(np.prod(size))
        k, rows = taps * cin, int(np.prod(spatial))
        matrix = w.reshape(k, cout)
        if not matrix.flags.c_contiguous:
            matrix = np.ascontiguousarray(matrix)
        flat = result.reshape(n * rows, cout)
        if taps == 1 and win.flags.c_contiguous:
            np.dot(win.reshape(n * rows, k), matrix, flat)
        else:
            for t in _tiles(n, rows, k * x.itemsize):
                block = win[t]
                patches = scratch("patches", block.shape, x.dtype)
                np.copyto(patches, block)
                np.dot(patches.reshape(-1, k), matrix, flat[t.start * rows : t.stop * rows])
    elif cin == 1 and cout % groups == 0:
        _depthwise(win, w, groups, result)
    else:
        per = cout // groups
        for g in range(groups):
            part = np.tensordot(
                win[..., g * cin : (g + 1) * cin], w[..., g * per : (g + 1) * per], axes=len(size) + 1
            )
            result[..., g * per : (g + 1) * per] = part
    return result if result is out else _finish(result, out)


def _taps(size: tuple) -> product:
    return product(*map(range, size))


def _depthwise(win: Array, w: Array, groups: int, out: Array) -> None:
    """Each channel by its own kernel(s): a sum of shifted products over the taps."""
    size = w.shape[:-2]
    lead = (slice(None),) * (1 + len(size))
    target = out.reshape(*out.shape[:-1], groups, -1)
    term = scratch("term", target.shape, out.dtype)
    for i, tap in enumerate(_taps(size)):
        xs, ws = win[(*lead, *tap)][..., None], w[tap].reshape(groups, -1)
        if i == 0:
            np.multiply(xs, ws, out=target)
        else:
            np.multiply(xs, ws, out=term)
            np.add(target, term, out=target)


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
    """The adjoint of conv in x: what dy spreads back to an input of `input_shape`. Transposed convolution, too."""
    size, (cin, cout) = w.shape[:-2], w.shape[-2:]
    if dy.dtype == np.float16:
        y = conv_input_grad(
            dy.astype(np.float32), w.astype(np.float32), input_shape, strides, padding, dilation, groups
        )
        return _finish(y.astype(np.float16), out)
    if all(s == 1 for s in strides) and groups == 1 and dy.size:
        # a convolution of dy with the kernel turned around
        reach = [(k - 1) * e for k, e in zip(size, dilation, strict=True)]
        back = tuple((r - lo, r - hi) for r, (lo, hi) in zip(reach, padding, strict=True))
        turned = np.flip(w, tuple(range(len(size)))).swapaxes(-1, -2)
        return conv(dy, np.ascontiguousarray(turned), strides, back, dilation, 1, out)
    n, *spatial, c = input_shape
    full = (n, *[lo + d + hi for d, (lo, hi) in zip(spatial, padding, strict=True)], c)
    dx = np.zeros(full, dy.dtype)
    outs = dy.shape[1:-1]
    for tap in _taps(size) if dy.size else ():
        where = tuple(
            slice(t * e, t * e + (o - 1) * s + 1, s) for t, e, s, o in zip(tap, dilation, strides, outs, strict=True)
        )
        if groups == 1:
            dx[(slice(None), *where)] += np.dot(dy.reshape(-1, cout), w[tap].T).reshape(*dy.shape[:-1], c)
        else:
            part = dy.reshape(*dy.shape[:-1], groups, 1, cout // groups)
            wt = w[tap].reshape(cin, groups, cout // groups).transpose(1, 0, 2)
            dx[(slice(None), *where)] += (part * wt).sum(-1).reshape(*dy.shape[:-1], c)
    inner = tuple(slice(max(lo, 0), max(lo, 0) + d) for d, (lo, _) in zip(spatial, padding, strict=True))
    if any(p < 0 for pair in padding for p in pair):
        y = np.zeros(input_shape, dy.dtype)
        crop = tuple(slice(max(-lo, 0), d - max(-hi, 0)) for d, (lo, hi) in zip(spatial, padding, strict=True))
        kept = tuple(
            slice(max(lo, 0), f - max(hi, 0)) for f, (lo, hi) in zip(full[1:-1], padding, strict=True)
        )
        y[(slice(None), *crop)] = dx[(slice(None), *kept)]
        return _finish(y, out)
    return _finish(dx[(slice(None), *inner)], out) if out is not None else np.ascontiguousarray(
        dx[(slice(None), *inner)]
    )


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
    """The adjoint of conv in w."""
    size, (cin, cout) = kernel_shape[:-2], kernel_shape[-2:]
    if x.dtype == np.float16:
        y = conv_kernel_grad(
            x.astype(np.float32), dy.astype(np.float32), kernel_shape, strides, padding, dilation, groups
        )
        return _finish(y.astype(np.float16), out)
    win = windows(padded(x, padding), size, strides, dilation)
    n, *spatial = dy.shape[:-1]
    # the last rows and columns of x that no window reaches contribute nothing
    win = win[(slice(None), *[slice(0, o) for o in spatial])]
    taps = int(np.prod(size))
    result = np.zeros(kernel_shape, x.dtype) if out is None else out
    if not dy.size or not win.size:
        result.fill(0)
        return result
    if groups == 1:
        k, rows = taps * cin, int(np.prod(spatial))
        total = np.zeros((k, cout), x.dtype)
        flat = np.ascontiguousarray(dy).reshape(n * rows, cout)
        for t in _tiles(n, rows, k * x.itemsize):
            block = win[t]
            patches = scratch("patches", block.shape, x.dtype)
            np.copyto(patches, block)
            total += np.dot(patches.reshape(-1, k).T, flat[t.start * rows : t.stop * rows])
        result[...] = total.reshape(kernel_shape)
        return result
    per = cout // groups
    lead = (slice(None),) * (1 + len(size))
    for tap in _taps(size):
        xs = win[(*lead, *tap)].reshape(-1, groups, cin)
        ds = dy.reshape(-1, groups, per)
        result[tap] = np.einsum("ngi,ngo->igo", xs, ds).reshape(cin, cout)
    return result
