"""Each place of the inputs several times."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.spatial import Spatial, per_axis


class BaseUpSampling(Spatial):
    """Each place so many times along each axis: subclasses say of what rank."""

    def __init__(self, size: Any = 2, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.size = self._checked(size)
        self._take_format(data_format)

    def _checked(self, size: Any) -> Any:
        return per_axis(size, self.rank, "size")

    @property
    def _sizes(self) -> tuple:
        return self.size

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        for axis, n in enumerate(self._sizes, self._first_axis):
            inputs = ops.repeat(inputs, n, axis=axis)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> tuple:
        spatial, channels = self._split(input_shape)
        sizes = [None if d is None else d * n for d, n in zip(spatial, self._sizes, strict=True)]
        return self._joined(input_shape[0], sizes, channels)


@export("keras.layers.UpSampling1D")
class UpSampling1D(BaseUpSampling):
    """Each step of sequences (batch, steps, channels) `size` times.

    >>> UpSampling1D(3)(ops.ones((1, 2, 4))).shape
    (1, 6, 4)
    """

    rank = 1
    _not_in_config = ("data_format",)

    def __init__(self, size: int = 2, **kwargs: Any):
        super().__init__(size, "channels_last", **kwargs)

    def _checked(self, size: Any) -> int:
        if not isinstance(size, int) or isinstance(size, bool):
            raise TypeError(f"Expected an integer value for `size`. Received: size={size} of type {type(size)}")
        return per_axis(size, 1, "size")[0]

    @property
    def _sizes(self) -> tuple:
        return (self.size,)


@export("keras.layers.UpSampling2D")
class UpSampling2D(BaseUpSampling):
    """Images `size` times as high and wide.

    interpolation: "nearest", or one of those of `ops.image.resize`: "bilinear", "bicubic", "lanczos3", "lanczos5".

    >>> UpSampling2D((2, 3))(ops.ones((1, 2, 2, 4))).shape
    (1, 4, 6, 4)
    """

    rank = 2

    def __init__(self, size: Any = 2, data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any):
        super().__init__(size, data_format, **kwargs)
        self.interpolation = interpolation.lower()

    def call(self, inputs: Any) -> Any:
        if self.interpolation == "nearest":
            return super().call(inputs)
        spatial, _ = self._split(inputs.shape)
        target = tuple(d * n for d, n in zip(spatial, self.size, strict=True))
        return ops.image.resize(inputs, target, interpolation=self.interpolation, data_format=self.data_format)


@export("keras.layers.UpSampling3D")
class UpSampling3D(BaseUpSampling):
    """Volumes `size` times as deep, high and wide.

    >>> UpSampling3D(2)(ops.ones((1, 2, 2, 2, 4))).shape
    (1, 4, 4, 4, 4)
    """

    rank = 3
