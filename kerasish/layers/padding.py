"""Zeros put around the inputs, and borders cut off them."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.spatial import Spatial, per_axis


def pairs(value: Any, rank: int, name: str) -> tuple:
    """(before, after) for each axis, from an int for all, an int for each axis, or a pair for each."""
    if hasattr(value, "__index__"):
        value = (value,) * rank
    if not hasattr(value, "__len__") or len(value) != rank:
        raise ValueError(
            f"`{name}` should be an int, or a tuple with one entry, an int or (before, after), for each of the {rank} "
            f"spatial axes. Received: {name}={value}"
        )
    return tuple(per_axis(v, 2, f"entry {i + 1} of {name}", allow_zero=True) for i, v in enumerate(value))


class BaseZeroPadding(Spatial):
    """Zeros around the inputs: subclasses say of what rank."""

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.padding = self._pairs(padding, "padding")
        self._take_format(data_format)

    def _pairs(self, value: Any, name: str) -> tuple:
        return pairs(value, self.rank, name)

    @property
    def _widths(self) -> tuple:
        return self.padding

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        return ops.pad(inputs, self._joined((0, 0), self._widths, (0, 0)))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        spatial, channels = self._split(input_shape)
        sizes = [None if d is None else d + lo + hi for d, (lo, hi) in zip(spatial, self._widths, strict=True)]
        return self._joined(input_shape[0], sizes, channels)


@export("keras.layers.ZeroPadding1D")
class ZeroPadding1D(BaseZeroPadding):
    """Zeros before and after sequences. padding: an int, or (before, after).

    >>> ZeroPadding1D((2, 0))(ops.ones((1, 4, 3))).shape
    (1, 6, 3)
    """

    rank = 1

    def _pairs(self, value: Any, name: str) -> tuple:
        return per_axis(value, 2, name, allow_zero=True)

    @property
    def _widths(self) -> tuple:
        return (self.padding,)


@export("keras.layers.ZeroPadding2D")
class ZeroPadding2D(BaseZeroPadding):
    """Zeros around images. padding: an int, (height, width), or ((top, bottom), (left, right)).

    >>> ZeroPadding2D(((1, 0), (2, 2)))(ops.ones((1, 4, 4, 3))).shape
    (1, 5, 8, 3)
    """

    rank = 2


@export("keras.layers.ZeroPadding3D")
class ZeroPadding3D(BaseZeroPadding):
    """Zeros around volumes. padding: an int, one for each axis, or (before, after) for each.

    >>> ZeroPadding3D(1)(ops.ones((1, 2, 2, 2, 3))).shape
    (1, 4, 4, 4, 3)
    """

    rank = 3


class BaseCropping(Spatial):
    """Borders cut off the inputs: subclasses say of what rank."""

    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.cropping = self._pairs(cropping, "cropping")
        self._take_format(data_format)

    def _pairs(self, value: Any, name: str) -> tuple:
        return pairs(value, self.rank, name)

    @property
    def _widths(self) -> tuple:
        return self.cropping

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        self._left(inputs.shape)  # which checks that something is
        spatial, _ = self._split(inputs.shape)
        cuts = [slice(lo, d - hi) for d, (lo, hi) in zip(spatial, self._widths, strict=True)]
        return inputs[self._joined(slice(None), cuts, slice(None))]

    def _left(self, shape: Any) -> list:
        """What is left of each spatial axis."""
        spatial, _ = self._split(shape)
        sizes = [None if d is None else d - lo - hi for d, (lo, hi) in zip(spatial, self._widths, strict=True)]
        if any(isinstance(n, int) and n <= 0 for n in sizes):
            raise ValueError(
                f"`cropping` of {type(self).__name__} must be smaller than the input, of which nothing would be left. "
                f"Received: an input of shape {tuple(shape)}, cropping={self.cropping}"
            )
        return sizes

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return self._joined(input_shape[0], self._left(input_shape), self._split(input_shape)[1])


@export("keras.layers.Cropping1D")
class Cropping1D(BaseCropping):
    """Steps cut off sequences. cropping: an int, or (at the start, at the end).

    >>> Cropping1D((1, 2))(ops.ones((1, 8, 3))).shape
    (1, 5, 3)
    """

    rank = 1
    _not_in_config = ("data_format",)

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any):
        super().__init__(cropping, "channels_last", **kwargs)

    def _pairs(self, value: Any, name: str) -> tuple:
        return per_axis(value, 2, name, allow_zero=True)

    @property
    def _widths(self) -> tuple:
        return (self.cropping,)


@export("keras.layers.Cropping2D")
class Cropping2D(BaseCropping):
    """Borders cut off images. cropping: an int, (height, width), or ((top, bottom), (left, right)).

    >>> Cropping2D(((1, 0), (2, 2)))(ops.ones((1, 8, 8, 3))).shape
    (1, 7, 4, 3)
    """

    rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any):
        super().__init__(cropping, data_format, **kwargs)


@export("keras.layers.Cropping3D")
class Cropping3D(BaseCropping):
    """Borders cut off volumes. cropping: an int, one for each axis, or (before, after) for each.

    >>> Cropping3D(1)(ops.ones((1, 4, 4, 4, 3))).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3

    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any):
        super().__init__(cropping, data_format, **kwargs)
