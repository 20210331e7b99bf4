"""Pooling over windows, over all of space, and into a given size."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.spatial import Spatial, padding_name, per_axis


class BasePooling(Spatial):
    """Each window's largest or mean value: subclasses say which, and of what rank.

    pool_size:  the window's size: an int, or one for each axis.
    strides:    likewise; None: the windows lie side by side.
    padding:    "valid" (only whole windows) or "same" (as many windows as there are strides in the input).
    """

    pool: Any = None  # the op

    def __init__(
        self, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None,
        name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(name=name, **kwargs)
        self.pool_size = per_axis(pool_size, self.rank, "pool_size")
        self.strides = per_axis(pool_size if strides is None else strides, self.rank, "strides")
        self.padding = padding_name(padding)
        self._take_format(data_format)

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        return type(self).pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        outs = self._windows(input_shape, self.pool_size, self.strides, self.padding)
        return self._joined(input_shape[0], outs, self._split(input_shape)[1])


class BaseMaxPooling(BasePooling):
    """Each window's largest value: subclasses say of what rank."""

    pool = ops.max_pool

    def __init__(
        self, pool_size: Any = 2, strides: Any = None, padding: str = "valid", data_format: str | None = None,
        name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class BaseAveragePooling(BasePooling):
    """Each window's mean, padding not counted: subclasses say of what rank."""

    pool = ops.average_pool


@export("keras.layers.MaxPooling1D", "keras.layers.MaxPool1D")
class MaxPooling1D(BaseMaxPooling):
    """The largest value of each window of steps.

    >>> MaxPooling1D(2)(ops.ones((1, 8, 3))).shape
    (1, 4, 3)
    """

    rank = 1


@export("keras.layers.MaxPooling2D", "keras.layers.MaxPool2D")
class MaxPooling2D(BaseMaxPooling):
    """The largest value of each window of an image.

    >>> MaxPooling2D((2, 2))(ops.ones((1, 8, 6, 3))).shape
    (1, 4, 3, 3)
    """

    rank = 2


@export("keras.layers.MaxPooling3D", "keras.layers.MaxPool3D")
class MaxPooling3D(BaseMaxPooling):
    """The largest value of each window of a volume.

    >>> MaxPooling3D(2)(ops.ones((1, 4, 4, 4, 3))).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3


@export("keras.layers.AveragePooling1D", "keras.layers.AvgPool1D")
class AveragePooling1D(BaseAveragePooling):
    """The mean of each window of steps.

    >>> AveragePooling1D(3, strides=1, padding="same")(ops.ones((1, 8, 3))).shape
    (1, 8, 3)
    """

    rank = 1


@export("keras.layers.AveragePooling2D", "keras.layers.AvgPool2D")
class AveragePooling2D(BaseAveragePooling):
    """The mean of each window of an image.

    >>> AveragePooling2D(2)(ops.ones((1, 8, 6, 3))).shape
    (1, 4, 3, 3)
    """

    rank = 2


@export("keras.layers.AveragePooling3D", "keras.layers.AvgPool3D")
class AveragePooling3D(BaseAveragePooling):
    """The mean of each window of a volume.

    >>> AveragePooling3D(2)(ops.ones((1, 4, 4, 4, 3))).shape
    (1, 2, 2, 2, 3)
    """

    rank = 3
