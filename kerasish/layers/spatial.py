"""What layers over space share: inputs (batch, *spatial, channels), or channels first, of the rank a class names."""

from typing import Any

from kerasish.base import config
from kerasish.layers.core import Weighted
from kerasish.layers.input_spec import InputSpec


def per_axis(value: Any, n: int, name: str, allow_zero: bool = False) -> tuple:
    """An int for every one of n axes, or one for each, as a tuple of ints; ValueError unless they are positive."""
    least = 0 if allow_zero else 1
    values = (value,) * n if hasattr(value, "__index__") else value
    try:
        values = tuple(v.__index__() for v in values)
    except (TypeError, AttributeError):
        values = ()
    if len(values) != n or min(values) < least:
        raise ValueError(
            f"The `{name}` argument must be an integer >= {least}, or a tuple of {n} of them, one for each axis. "
            f"Received: {name}={value}"
        )
    return values


def positive(value: Any, name: str) -> int:
    """A strictly positive int, or ValueError."""
    if not hasattr(value, "__index__") or value.__index__() <= 0:
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected a strictly positive integer. Received {name}={value}."
        )
    return value.__index__()


def padding_name(padding: Any, *more: str) -> str:
    """ "valid" or "same" (or one of `more`) in lower case, or ValueError."""
    known = ("valid", "same", *more)
    if not isinstance(padding, str) or padding.lower() not in known:
        raise ValueError(f"The `padding` argument must be one of {known}. Received: padding={padding!r}")
    return padding.lower()


def windows_along(size: Any, window: int, stride: int, padding: str) -> Any:
    """How many windows lie along an axis; None where its size is unknown, and less than 1 where none fits."""
    if size is None:
        return None
    return (size - window) // stride + 1 if padding == "valid" else (size - 1) // stride + 1


class Spatial(Weighted):
    """The base of layers over space: subclasses set `rank`, and `data_format` in their constructor.

    Between channels first and channels last lies only where the channels are: `_split` and `_joined` know.
    """

    rank = 2

    def _take_format(self, data_format: str | None, **spec: Any) -> None:
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(**(spec or {"ndim": self.rank + 2}))

    @property
    def _first_axis(self) -> int:
        """The first spatial axis."""
        return 2 if self.data_format == "channels_first" else 1

    @property
    def _channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else -1

    def _split(self, shape: Any) -> tuple:
        """The spatial sizes and the number of channels of an input shape."""
        shape = tuple(shape)
        if len(shape) != self.rank + 2:
            raise ValueError(
                f"{type(self).__name__} takes inputs of {self.rank + 2} axes: batch, {self.rank} of space, and channels. "
                f"Received: input_shape={shape}"
            )
        return shape[self._first_axis : self._first_axis + self.rank], shape[self._channel_axis]

    def _joined(self, batch: Any, spatial: Any, channels: Any) -> tuple:
        """A shape from its parts."""
        if self.data_format == "channels_first":
            return (batch, channels, *spatial)
        return (batch, *spatial, channels)

    def _windows(self, shape: Any, window: tuple, strides: tuple, padding: str) -> tuple:
        """How many windows lie along each spatial axis of inputs of this shape; ValueError if none fits."""
        spatial, _ = self._split(shape)
        outs = tuple(windows_along(*sizes, padding) for sizes in zip(spatial, window, strides, strict=True))
        if any(n is not None and n <= 0 for n in outs):
            raise ValueError(
                f"Computed output size would be zero or negative: the window of {type(self).__name__} does not fit into "
                f"the input. Received: input_shape={tuple(shape)}, window={window}, strides={strides}, "
                f"padding={padding!r}"
            )
        return outs
