"""Depthwise convolution: every channel has kernels of its own, so there is no matrix product, only sums of shifted
products. They are made over whole lines (positions x channels) that lie together in memory, a tile at a time.

The adjoint in x needs nothing here: it is a depthwise convolution itself (see conv_input_grad).
"""

from typing import Iterator

import numpy as np

from kerasish.engine.kernels.scratch import ones, scratch
from kerasish.engine.kernels.windows import Loader, shifts, tiles, windows

Array = np.ndarray
TILE_BYTES = 1 << 18


def conv(x: Array, w: Array, strides: tuple, padding: tuple, dilation: tuple, out: Array) -> None:
    """x (n, *spatial, c), w (*size, 1, c * multiplier), into out (n, *outs, c * multiplier)."""
    size, width = w.shape[:-2], out.shape[-2]
    rows = np.tile(w.reshape(-1, w.shape[-1]), (1, width))  # (taps, width * channels)
    for target, lines in _tiles(x, out.shape, size, strides, padding, dilation):
        y = target_lines = out[target]
        if not out.flags.c_contiguous or len(target) > len(size) + 1:
            y = scratch("product", target_lines.shape, out.dtype)
        flat = y.reshape(*y.shape[:-2], -1)
        term = scratch("term", flat.shape, out.dtype)
        for tap, line in enumerate(lines):
            row = rows[tap, : flat.shape[-1]]
            if tap == 0:
                np.multiply(line, row, flat)
            else:
                np.multiply(line, row, term)
                np.add(flat, term, flat)
        if y is not target_lines:
            np.copyto(target_lines, y)


def kernel_grad(x: Array, dy: Array, strides: tuple, padding: tuple, dilation: tuple, out: Array) -> None:
    """Into out (*size, 1, c * multiplier)."""
    size, channels = out.shape[:-2], out.shape[-1]
    total = np.zeros((out.size // channels, channels), x.dtype)
    for target, lines in _tiles(x, dy.shape, size, strides, padding, dilation):
        ds = dy[target]
        flat = ds.reshape(*ds.shape[:-2], -1)
        term = scratch("term", flat.shape, x.dtype)
        positions = term.reshape(-1, channels)
        sum_ = ones(len(positions), x.dtype)
        for tap, line in enumerate(lines):
            np.multiply(line, flat, term)
            total[tap] += np.dot(sum_, positions)
    np.copyto(out, total.reshape(out.shape))


def _tiles(
    x: Array, shape: tuple, size: tuple, strides: tuple, padding: tuple, dilation: tuple
) -> Iterator[tuple[tuple, list[Array]]]:
    """For each tile: its place in a result of `shape`, and the part of x that meets it by each tap, as lines."""
    at = windows(x.shape[1:-1], size, strides, padding, dilation)
    channels, outs, last = shape[-1], shape[1:-1], strides[-1]
    times = channels // x.shape[-1]
    plan = tiles(shape[0], outs, max(1, TILE_BYTES // (channels * x.itemsize)))
    load = Loader(x, at, plan[0][0].stop)
    places = shifts(outs, size, strides, dilation)
    full = tuple(slice(0, o) for o in outs)
    for images, parts in plan:
        block = load(images)
        # With a stride along the last axis, that is dealt out to `last` arrays first, so that lines lie together again
        phases = []
        for p in range(last):
            phase = block[..., p::last, :]
            if times > 1 or last > 1:
                copy = scratch(f"phase{p}", (*phase.shape, times), x.dtype)
                np.copyto(copy, phase[..., None])
                phase = copy
            phases.append(phase.reshape(*phase.shape[: len(size)], -1))
        for index, _ in parts:
            cut = index[1:] + full[len(index[1:]) :] if index else full
            lines = [_line(phases, place, cut, strides, channels) for place in places]
            yield (images, *index[1:]), lines


def _line(phases: list[Array], place: tuple, cut: tuple, strides: tuple, channels: int) -> Array:
    """The part of the input that one tap needs for the windows in `cut`."""
    every, *lead, last = place
    rows = tuple(
        slice(p.start + c.start * s, p.start + (c.stop - 1) * s + 1, s)
        for p, c, s in zip(lead, cut, strides, strict=False)
    )
    offset, phase = divmod(last.start, strides[-1])
    return phases[phase][(every, *rows, slice((offset + cut[-1].start) * channels, (offset + cut[-1].stop) * channels))]
