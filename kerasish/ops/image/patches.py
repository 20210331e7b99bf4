"""Patches: windows of images or volumes, laid out as channels."""

import itertools
from typing import Any, Sequence

from kerasish.engine import primitives as P
from kerasish.engine.dims import product
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import tensor
from kerasish.ops.nn.windows import channels_first, channels_last, explicit_padding, per_axis, standard_format
from kerasish.ops.numpy.shaping import permuted, reshaped
from kerasish.ops.op import op, public


def _tiles(x: Tensor, size: tuple) -> Tensor:
    """Windows that neither overlap nor leave gaps: a change of axes."""
    n = len(size)
    counts = tuple(d // s for d, s in zip(x.shape[1:-1], size, strict=True))
    index = (slice(0, x.shape[0], 1), *[slice(0, c * s, 1) for c, s in zip(counts, size, strict=True)])
    x = P.slice_(x, index=(*index, slice(0, x.shape[-1], 1)))
    split = [d for pair in zip(counts, size, strict=True) for d in pair]
    x = reshaped(x, (x.shape[0], *split, x.shape[-1]))
    x = permuted(x, (0, *range(1, 2 * n + 1, 2), *range(2, 2 * n + 1, 2), 2 * n + 1))
    return reshaped(x, (x.shape[0], *counts, product(size) * x.shape[-1]))


def _windows(x: Tensor, size: tuple, strides: tuple, dilation: tuple, padding: str) -> Tensor:
    """(batch, *space, c) as (batch, *places, prod(size) * c)."""
    pads = explicit_padding(padding, x.shape[1:-1], size, strides, dilation)
    if any(p != (0, 0) for p in pads):
        x = P.pad(x, widths=((0, 0), *pads, (0, 0)))
    if strides == size and set(dilation) == {1}:
        return _tiles(x, size)
    axes = list(zip(x.shape[1:-1], size, strides, dilation, strict=True))
    counts = [(d - (k - 1) * e - 1) // s + 1 for d, k, s, e in axes]
    taps = []
    for offsets in itertools.product(*[range(k) for k in size]):
        index = [slice(0, x.shape[0], 1)]
        for o, count, (_, _, s, e) in zip(offsets, counts, axes, strict=True):
            index.append(slice(o * e, o * e + (count - 1) * s + 1, s))
        taps.append(P.slice_(x, index=(*index, slice(0, x.shape[-1], 1))))
    return P.concat(*taps, axis=x.ndim - 1) if len(taps) > 1 else taps[0]


@op(tensors="images")
def extract_patches(
    images: Any, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:  # fmt: skip
    """The windows of images as channels: (…, rows, columns, height * width * channels); of volumes with three sizes.

    strides: how far the windows are apart; by default they lie side by side.
    """
    if not isinstance(size, int):
        if not isinstance(size, (tuple, list)):
            raise TypeError(
                f"Invalid `size` argument. Expected an int or a tuple. Received: size={size} of type {type(size).__name__}"
            )
        if len(size) not in (2, 3):
            raise ValueError(
                f"Invalid `size` argument. Expected a tuple of length 2 or 3. Received: size={size} with length {len(size)}"
            )
    x = tensor(images)
    n = 2 if isinstance(size, int) else len(size)
    if x.ndim not in (n + 1, n + 2):
        raise ValueError(
            f"Expected {n + 1} axes (one image) or {n + 2} (a batch). Received: images.shape={tuple(x.shape)}"
        )
    first = standard_format(data_format) == "channels_first"
    single = x.ndim == n + 1
    if single:
        x = reshaped(x, (1, *x.shape))
    if first:
        x = channels_last(x)
    sizes = per_axis(size, n, "size")
    steps = per_axis(strides, n, "strides") if strides else sizes
    out = _windows(x, sizes, steps, per_axis(dilation_rate, n, "dilation_rate"), padding)
    if first:
        out = channels_first(out)
    return reshaped(out, out.shape[1:]) if single else out


def extract_patches_3d(
    volumes: Any, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:  # fmt: skip
    """The windows of volumes as channels; see `extract_patches`, whose Operation stands for both in files."""
    sizes: Sequence[int] = (size,) * 3 if isinstance(size, int) else size
    return extract_patches(volumes, sizes, strides, dilation_rate, padding, data_format)


public(extract_patches_3d, "extract_patches_3d", family="image")
