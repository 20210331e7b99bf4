"""Images have 3 axes or, in a batch, 4; channels last or first. Inside, batches with channels last are worked on."""

from typing import Any, Callable

from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import tensor
from kerasish.ops.nn.windows import channels_first, channels_last, standard_format
from kerasish.ops.numpy.shaping import reshaped


def of_image_rank(images: Any, name: str = "images") -> Tensor:
    """The images as a tensor, refused unless they are one image or a batch."""
    x = tensor(images)
    if x.ndim not in (3, 4):
        raise ValueError(
            "Invalid images rank: expected rank 3 (single image) or rank 4 (batch of images). Received input with "
            f"shape: {name}.shape={tuple(x.shape)}"
        )
    return x


def channel_axis(data_format: str | None) -> int:
    """The axis of the channels, counted from the end."""
    return -1 if standard_format(data_format) == "channels_last" else -3


def spatial_axes(x: Tensor, data_format: str | None) -> tuple[int, int]:
    """The axes of height and width, counted from the front."""
    first = x.ndim - 3 if standard_format(data_format) == "channels_last" else x.ndim - 2
    return first, first + 1


def as_batch(x: Tensor, data_format: str | None) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """The images as a batch (n, h, w, c), and the way back to their own layout."""
    first = standard_format(data_format) == "channels_first"
    single = x.ndim == 3
    if single:
        x = reshaped(x, (1, *x.shape))
    if first:
        x = channels_last(x)

    def back(y: Tensor) -> Tensor:
        if first:
            y = channels_first(y)
        return reshaped(y, y.shape[1:]) if single else y

    return x, back
