"""Frames put around images, and parts cut out of them."""

from typing import Any

from kerasish.engine import primitives as P
from kerasish.engine.dims import Dim
from kerasish.engine.tensor import Tensor
from kerasish.ops.image.layout import of_image_rank, spatial_axes
from kerasish.ops.op import op


def _not_negative(**sizes: Any) -> None:
    for name, value in sizes.items():
        if value is not None and not isinstance(value, Dim) and value < 0:
            raise ValueError(f"{name} must be >= 0. Received: {name}={value}")


def _two_of_three(**sizes: Any) -> None:
    if list(sizes.values()).count(None) != 1:
        received = ", ".join(f"{name}={value}" for name, value in sizes.items())
        raise ValueError(f"Must specify exactly two of {', '.join(sizes)}. Received: {received}")


@op(tensors="images")
def pad_images(
    images: Any, top_padding: int | None = None, left_padding: int | None = None, bottom_padding: int | None = None,
    right_padding: int | None = None, target_height: int | None = None, target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:  # fmt: skip
    """Images in a frame of zeros. For each direction two of the sizes are given: before, after, and the new size."""
    x = of_image_rank(images)
    _two_of_three(top_padding=top_padding, bottom_padding=bottom_padding, target_height=target_height)
    _two_of_three(left_padding=left_padding, right_padding=right_padding, target_width=target_width)
    _not_negative(
        top_padding=top_padding, bottom_padding=bottom_padding, target_height=target_height,
        left_padding=left_padding, right_padding=right_padding, target_width=target_width,
    )  # fmt: skip
    axes = spatial_axes(x, data_format)
    widths: list = [(0, 0)] * x.ndim
    given = ((top_padding, bottom_padding, target_height), (left_padding, right_padding, target_width))
    for axis, names, (before, after, size) in zip(
        axes, (("top_padding", "bottom_padding"), ("left_padding", "right_padding")), given, strict=True
    ):
        if before is None:
            before = size - after - x.shape[axis].__index__()
        if after is None:
            after = size - before - x.shape[axis].__index__()
        _not_negative(**dict(zip(names, (before, after), strict=True)))
        widths[axis] = (int(before), int(after))
    return P.pad(x, widths=tuple(widths))


@op(tensors="images")
def crop_images(
    images: Any, top_cropping: int | None = None, left_cropping: int | None = None, bottom_cropping: int | None = None,
    right_cropping: int | None = None, target_height: int | None = None, target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:  # fmt: skip
    """Parts of images. For each direction two of the sizes are given: cut off before, after, and what remains."""
    x = of_image_rank(images)
    _two_of_three(top_cropping=top_cropping, bottom_cropping=bottom_cropping, target_height=target_height)
    _two_of_three(left_cropping=left_cropping, right_cropping=right_cropping, target_width=target_width)
    _not_negative(
        top_cropping=top_cropping, bottom_cropping=bottom_cropping, target_height=target_height,
        left_cropping=left_cropping, right_cropping=right_cropping, target_width=target_width,
    )  # fmt: skip
    index = [slice(0, d, 1) for d in x.shape]
    given = ((top_cropping, bottom_cropping, target_height), (left_cropping, right_cropping, target_width))
    for axis, names, (before, after, size) in zip(
        spatial_axes(x, data_format), (("top_cropping", "target_height"), ("left_cropping", "target_width")), given,
        strict=True,
    ):  # fmt: skip
        own = x.shape[axis]
        if before is None:
            before = own.__index__() - size - after
        if size is None:
            size = own - after - before
        _not_negative(**dict(zip(names, (before, size), strict=True)))
        if not isinstance(own, Dim) and not isinstance(size, Dim):
            if size > own:
                raise ValueError(f"The part must lie within the images. Received: {names[1]}={size}, of {own}")
            before = min(before, own - size)
        index[axis] = slice(before, before + size, 1)
    return P.slice_(x, index=tuple(index))
