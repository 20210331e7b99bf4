"""Pooling into a given size, whatever the size of the inputs: the windows are as equal as they can be."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.spatial import Spatial, per_axis


class BaseAdaptivePooling(Spatial):
    """The largest or mean values of so many windows: subclasses say which, and of what rank.

    output_size: how many windows there are: an int, or one for each axis.
    """

    pool: Any = None  # the op

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(output_size, (list, tuple)) and not hasattr(output_size, "__index__"):
            raise TypeError(
                f"`output_size` must be an integer, or a tuple of {self.rank} of them. "
                f"Received: {output_size} of type {type(output_size)}"
            )
        self.output_size = per_axis(output_size, self.rank, "output_size")
        self._take_format(data_format)

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        return type(self).pool(inputs, self.output_size, self.data_format)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return self._joined(input_shape[0], self.output_size, self._split(input_shape)[1])


class BaseAdaptiveAveragePooling(BaseAdaptivePooling):
    """The mean values of so many windows: subclasses say of what rank."""

    pool = ops.adaptive_average_pool


class BaseAdaptiveMaxPooling(BaseAdaptivePooling):
    """The largest values of so many windows: subclasses say of what rank."""

    pool = ops.adaptive_max_pool


@export("keras.layers.AdaptiveAveragePooling1D")
class AdaptiveAveragePooling1D(BaseAdaptiveAveragePooling):
    """The means of so many windows of steps.

    >>> AdaptiveAveragePooling1D(3)(ops.ones((1, 8, 2))).shape
    (1, 3, 2)
    """

    rank = 1


@export("keras.layers.AdaptiveAveragePooling2D")
class AdaptiveAveragePooling2D(BaseAdaptiveAveragePooling):
    """The means of so many windows of an image.

    >>> AdaptiveAveragePooling2D((3, 2))(ops.ones((1, 8, 7, 2))).shape
    (1, 3, 2, 2)
    """

    rank = 2


@export("keras.layers.AdaptiveAveragePooling3D")
class AdaptiveAveragePooling3D(BaseAdaptiveAveragePooling):
    """The means of so many windows of a volume.

    >>> AdaptiveAveragePooling3D(2)(ops.ones((1, 5, 4, 3, 2))).shape
    (1, 2, 2, 2, 2)
    """

    rank = 3


@export("keras.layers.AdaptiveMaxPooling1D")
class AdaptiveMaxPooling1D(BaseAdaptiveMaxPooling):
    """The largest values of so many windows of steps.

    >>> AdaptiveMaxPooling1D(3)(ops.ones((1, 8, 2))).shape
    (1, 3, 2)
    """

    rank = 1


@export("keras.layers.AdaptiveMaxPooling2D")
class AdaptiveMaxPooling2D(BaseAdaptiveMaxPooling):
    """The largest values of so many windows of an image.

    >>> AdaptiveMaxPooling2D((3, 2))(ops.ones((1, 8, 7, 2))).shape
    (1, 3, 2, 2)
    """

    rank = 2


@export("keras.layers.AdaptiveMaxPooling3D")
class AdaptiveMaxPooling3D(BaseAdaptiveMaxPooling):
    """The largest values of so many windows of a volume.

    >>> AdaptiveMaxPooling3D(2)(ops.ones((1, 5, 4, 3, 2))).shape
    (1, 2, 2, 2, 2)
    """

    rank = 3
