"""Resizing as products with a matrix of weights along every axis.

The weights are those of Keras on JAX: the centre of each new pixel is looked up in the old axis, and the pixels near it
are averaged by a kernel, which antialiasing widens when the axis shrinks.
"""

import functools
from typing import Any, Callable, Sequence

import numpy as np

from kerasish.engine import primitives as P
from kerasish.engine.core import suspended
from kerasish.engine.dims import Dim, same
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import axis_of, floats, tensor
from kerasish.ops.core import saturate_cast
from kerasish.ops.image.layout import of_image_rank, spatial_axes
from kerasish.ops.numpy import abs, arange, logical_and, maximum, sin, sum, where
from kerasish.ops.numpy import round as rounded
from kerasish.ops.numpy.shaping import permuted, reshaped
from kerasish.ops.op import op

# -- kernels: the weight of a pixel by its distance, which is not negative ---------------------------------------------


def _triangle(x: Tensor) -> Tensor:
    return maximum(1 - x, 0)


def _cubic(x: Tensor) -> Tensor:
    """Keys's cubic convolution (1981) with a = -1/2."""
    near = ((1.5 * x - 2.5) * x) * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return where(x >= 2, 0.0, where(x >= 1, far, near))


def _lanczos(radius: float) -> Callable[[Tensor], Tensor]:
    def kernel(x: Tensor) -> Tensor:
        safe = where(x > 1e-3, x, 1.0)
        wave = radius * sin(np.pi * x) * sin(np.pi * x / radius) / (np.pi**2 * safe * safe)
        return where(x > radius, 0.0, where(x > 1e-3, wave, 1.0))

    return kernel


KERNELS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": _triangle,
    "bilinear": _triangle,
    "trilinear": _triangle,
    "cubic": _cubic,
    "bicubic": _cubic,
    "tricubic": _cubic,
    "lanczos3": _lanczos(3.0),
    "lanczos5": _lanczos(5.0),
}
FEW = 6  # rows that are mixed one by one
INTERPOLATIONS = ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic")


def weights(old: int, new: int, scale: Any, translation: Any, method: str, antialias: bool, dtype: Any) -> Tensor:
    """(old, new): what every old pixel contributes to every new one, when x becomes scale * x + translation."""
    scale, translation = tensor(scale, dtype), tensor(translation, dtype)
    centre = (arange(new, dtype=dtype) + 0.5 - translation) / scale - 0.5
    width = maximum(1 / scale, 1.0) if antialias else 1.0
    distance = abs(reshaped(centre, (1, new)) - reshaped(arange(old, dtype=dtype), (old, 1))) / width
    w = KERNELS[method](distance)
    total = sum(w, axis=0, keepdims=True)
    seen = abs(total) > 1000 * float(np.finfo(dtype).eps)
    w = where(seen, w / where(seen, total, 1.0), 0.0)
    inside = logical_and(centre >= -0.5, centre <= old - 0.5)
    return where(reshaped(inside, (1, new)), w, 0.0)


@functools.lru_cache(maxsize=256)
def _resizing_weights(old: int, new: int, method: str, antialias: bool, dtype: str) -> np.ndarray:
    with suspended():
        return np.asarray(weights(old, new, new / old, 0.0, method, antialias, np.dtype("float64"))).astype(dtype)


@functools.lru_cache(maxsize=256)
def _resizing_taps(old: int, new: int, method: str, antialias: bool, dtype: str) -> list[tuple]:
    """The same weights as pairs (places, weights) of which each new pixel has one: few, where a kernel is narrow."""
    w = _resizing_weights(old, new, method, antialias, dtype)
    used = w != 0
    first, last = used.argmax(axis=0), old - 1 - used[::-1].argmax(axis=0)
    count = int((last - first).max()) + 1
    first = np.minimum(first, old - count)
    places = [first + k for k in range(count)]
    return [(at.astype("int32"), w[at, np.arange(new)]) for at in places]


def along(x: Tensor, w: Tensor, axis: int) -> Tensor:
    """The product of an axis with a matrix (old, new)."""
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    old, new = w.shape
    if not after:
        return reshaped(P.matmul(reshaped(x, (-1, old)), w), (*before, new))
    if len(after) == 1 and not isinstance(after[0], Dim) and after[0] <= 4:
        # few channels behind it: one large product is quicker than many narrow ones
        order = (*range(axis), axis + 1, axis)
        return permuted(along(permuted(x, order), w, axis + 1), order)
    flat = reshaped(x, (*before[:1], -1, old, *after)) if len(before) > 1 else x
    flat = reshaped(flat, (*flat.shape[: flat.ndim - 1 - len(after)], old, -1))
    out = P.matmul(P.transpose(w, axes=(1, 0)), flat)
    return reshaped(out, (*before, new, *after))


def _nearest(x: Tensor, axis: int, old: int, new: int) -> Tensor:
    # in single precision, which decides where a middle falls exactly between two pixels
    step = np.float32(old) * (np.float32(1) / np.float32(new))
    at = np.minimum(np.floor((np.arange(new, dtype="float32") + np.float32(0.5)) * step), old - 1)
    return P.take(x, Tensor(at.astype("int32")), axis=axis)


def resized(x: Tensor, axis: int, new: int, method: str, antialias: bool = False) -> Tensor:
    """A floating-point tensor ("nearest": of any dtype) with an axis brought to a new size."""
    if same(x.shape[axis], new):
        return x
    old = x.shape[axis].__index__()
    if method == "nearest":
        return _nearest(x, axis, old, new)
    how = (old, new, method, antialias, x.dtype.name)
    taps = _resizing_taps(*how)
    behind = x.shape[axis + 1 :]
    if len(behind) < 2 or len(taps) > FEW or 4 * len(taps) > old:
        return along(x, Tensor(_resizing_weights(*how)), axis)
    # whole rows are mixed: few are wanted for each new one, and a product would look at all of them
    parts = [
        P.mul(P.take(x, Tensor(at), axis=axis), Tensor(w.reshape(-1, *[1] * len(behind)))) for at, w in taps
    ]
    return functools.reduce(P.add, parts)


# -- the ops ----------------------------------------------------------------------------------------------------------


def _fitted(height: int, width: int, new: tuple, choose: Callable) -> tuple[int, int]:
    """The height and width nearest to these with the proportions of `new`; min cuts, max extends."""
    return choose(height, int(float(width * new[0]) / new[1])), choose(width, int(float(height * new[1]) / new[0]))


def _cropped(x: Tensor, axes: tuple, new: tuple) -> Tensor:
    height, width = (x.shape[a].__index__() for a in axes)
    sizes = _fitted(height, width, new, lambda own, fit: max(min(own, fit), 1))
    index = [slice(0, d, 1) for d in x.shape]
    for axis, own, size in zip(axes, (height, width), sizes, strict=True):
        start = (own - size) // 2
        index[axis] = slice(start, start + size, 1)
    return P.slice_(x, index=tuple(index))


def _padded(x: Tensor, axes: tuple, new: tuple, value: float) -> Tensor:
    height, width = (x.shape[a].__index__() for a in axes)
    widths = [(0, 0)] * x.ndim
    for axis, own, size in zip(axes, (height, width), _fitted(height, width, new, max), strict=True):
        widths[axis] = ((size - own) // 2,) * 2
        if size - own > 1:
            break  # as in Keras, only one axis is extended
    return P.pad(x, widths=tuple(widths), value=value)


@op(tensors="images")
def resize(
    images: Any, size: Sequence[int], interpolation: str = "bilinear", antialias: bool = False,
    crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False, fill_mode: str = "constant",
    fill_value: float = 0.0, data_format: str | None = None,
) -> Tensor:  # fmt: skip
    """Images of another size (height, width); integers are rounded and kept within their dtype.

    interpolation:        "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
    antialias:            whether a shrinking image is smoothed first.
    crop_to_aspect_ratio: keep the proportions by cutting off what sticks out.
    pad_to_aspect_ratio:  keep the proportions by a frame of `fill_value`.
    """
    if len(size) != 2:
        raise ValueError(f"Expected `size` to be a tuple of 2 integers. Received: size={size}")
    if size[0] <= 0 or size[1] <= 0:
        raise ValueError(f"`size` must have positive height and width. Received: size={size}")
    x = of_image_rank(images)
    if pad_to_aspect_ratio and crop_to_aspect_ratio:
        raise ValueError("Only one of `pad_to_aspect_ratio` & `crop_to_aspect_ratio` can be `True`.")
    if interpolation not in INTERPOLATIONS:
        raise ValueError(
            f"Invalid value for argument `interpolation`. Expected of one {INTERPOLATIONS}. "
            f"Received: interpolation={interpolation}"
        )
    if fill_mode != "constant":
        raise ValueError(
            f"Invalid value for argument `fill_mode`. Only `'constant'` is supported. Received: fill_mode={fill_mode}"
        )
    new = (int(size[0]), int(size[1]))
    axes = spatial_axes(x, data_format)
    dtype = x.dtype
    if interpolation != "nearest" or pad_to_aspect_ratio:
        x = floats(x)
    if crop_to_aspect_ratio:
        x = _cropped(x, axes, new)
    elif pad_to_aspect_ratio:
        x = _padded(x, axes, new, fill_value)
    # the axis that shrinks most goes first, so that the other one has less to do
    growth = [n / d if isinstance(d, int) else 1.0 for n, d in zip(new, (x.shape[a] for a in axes), strict=True)]
    for axis, n in sorted(zip(axes, new, strict=True), key=lambda pair: growth[axes.index(pair[0])]):
        x = resized(x, axis, n, interpolation, antialias)
    if x.dtype == dtype:
        return x
    return saturate_cast(rounded(x) if dtype.kind in "iu" else x, dtype)


@op(tensors="images output_shape scale translation")
def scale_and_translate(
    images: Any, output_shape: Sequence[int], scale: Any, translation: Any, spatial_dims: Sequence[int], method: str,
    antialias: bool = True,
) -> Tensor:  # fmt: skip
    """Images with the axes in `spatial_dims` scaled and then moved, in a frame of another shape.

    scale, translation: one number for each of the axes, in pixels of the result.
    method:             "linear", "cubic", "lanczos3" or "lanczos5", also by their names of two and three dimensions.
    """
    if method not in KERNELS:
        raise ValueError(
            f"Invalid value for argument `method`. Expected of one {set(KERNELS)}. Received: method={method}"
        )
    x = floats(images)
    shape = tuple(output_shape)
    if len(shape) != x.ndim:
        raise ValueError(
            f"`output_shape` must have as many entries as the images have axes. Received: output_shape={shape}"
        )
    scale, translation = (tensor(v, x.dtype) for v in (scale, translation))
    for i, d in enumerate(spatial_dims):
        axis = axis_of(d, x.ndim, "spatial_dims")
        one = (P.reshape(P.slice_(v, index=(slice(i, i + 1, 1),)), shape=()) for v in (scale, translation))
        w = weights(x.shape[axis].__index__(), int(shape[axis]), *one, method, antialias, x.dtype)
        x = along(x, w, axis)
    return x
