"""Colors: grayscale, and hue, saturation and value (Smith 1978)."""

from typing import Any

import numpy as np

from kerasish.engine import primitives as P
from kerasish.engine.tensor import Tensor
from kerasish.ops import dtypes
from kerasish.ops.convert import floats, tensor
from kerasish.ops.image.layout import channel_axis, of_image_rank
from kerasish.ops.op import op

LUMA = (0.2989, 0.587, 0.114)


def _planes(x: Tensor, axis: int) -> list[Tensor]:
    """The three channels, the axis kept with size 1."""
    at = axis % x.ndim
    if x.shape[at] != 3:
        raise ValueError(f"Input images must have 3 channels, but received images with {x.shape[at]} channels.")
    index = [slice(0, d, 1) for d in x.shape]
    return [P.slice_(x, index=(*index[:at], slice(i, i + 1, 1), *index[at + 1 :])) for i in range(3)]


def _float_planes(images: Any, data_format: str | None) -> tuple[list[Tensor], int]:
    x = of_image_rank(images)
    if not dtypes.is_float(x.dtype):
        raise ValueError(f"Invalid images dtype: expected float dtype. Received: images.dtype={x.dtype.name}")
    axis = channel_axis(data_format)
    return _planes(x, axis), axis % x.ndim


@op(tensors="images", class_name="RGBToGrayscale")
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Tensor:
    """The luminance of RGB images, as images of one channel; those that have one already stay as they are."""
    x = of_image_rank(images)
    axis = channel_axis(data_format) % x.ndim
    if x.shape[axis] not in (1, 3):
        raise ValueError(
            "Invalid channel size: expected 3 (RGB) or 1 (Grayscale). "
            f"Received input with shape: images.shape={tuple(x.shape)}"
        )
    if x.shape[axis] == 1:
        return x
    y = floats(x)
    shape = [1] * x.ndim
    shape[axis] = 3
    weights = Tensor(np.reshape(np.asarray(LUMA, y.dtype), shape))
    return tensor(P.sum_(P.mul(y, weights), axis=(axis,), keepdims=True), x.dtype)


@op(tensors="images", class_name="RGBToHSV")
def rgb_to_hsv(images: Any, data_format: str | None = None) -> Tensor:
    """Red, green and blue in [0, 1] as hue, saturation and value, all in [0, 1]."""
    planes, axis = _float_planes(images, data_format)
    tiny = float(np.finfo(planes[0].dtype).eps)

    def number(value: float) -> Tensor:
        return P.scalar(planes[0], value)

    def choose(where: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return P.select(where, a, b)

    r, g, b = (choose(P.less(P.abs_(p), number(tiny)), P.full_like(p, 0), p) for p in planes)
    value = P.maximum(P.maximum(r, g), b)
    spread = P.sub(value, P.minimum(P.minimum(r, g), b))
    bright, colored = P.greater(value, number(0)), P.greater(spread, number(0))
    zero, one = P.full_like(value, 0), P.full_like(value, 1)
    saturation = choose(bright, P.div(spread, choose(bright, value, one)), zero)
    sixth = P.div(number(1 / 6), choose(colored, spread, one))
    from_red = P.mul(sixth, P.sub(g, b))
    from_green = P.add(P.mul(sixth, P.sub(b, r)), number(2 / 6))
    from_blue = P.add(P.mul(sixth, P.sub(r, g)), number(4 / 6))
    hue = choose(P.equal(value, r), from_red, choose(P.equal(value, g), from_green, from_blue))
    hue = choose(P.less(hue, number(0)), P.add(hue, number(1)), hue)
    return P.concat(choose(colored, hue, zero), saturation, value, axis=axis)


@op(tensors="images", class_name="HSVToRGB")
def hsv_to_rgb(images: Any, data_format: str | None = None) -> Tensor:
    """The inverse of `rgb_to_hsv`; a hue outside [0, 1] goes round."""
    (hue, saturation, value), axis = _float_planes(images, data_format)

    def number(v: float) -> Tensor:
        return P.scalar(hue, v)

    def clipped(x: Tensor) -> Tensor:
        return P.minimum(P.maximum(x, number(0)), number(1))

    angle = P.mul(P.mod(hue, number(1)), number(6))
    red = clipped(P.sub(P.abs_(P.sub(angle, number(3))), number(1)))
    green = clipped(P.sub(number(2), P.abs_(P.sub(angle, number(2)))))
    blue = clipped(P.sub(number(2), P.abs_(P.sub(angle, number(4)))))
    gray = P.sub(number(1), saturation)
    return P.concat(*[P.mul(value, P.add(gray, P.mul(saturation, c))) for c in (red, green, blue)], axis=axis)


