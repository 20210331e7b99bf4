"""Pooling over all of space: one number for each channel."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.spatial import Spatial


class BaseGlobalPooling(Spatial):
    """Each channel's largest or mean value: subclasses say which, and of what rank.

    keepdims: whether the spatial axes stay, with length 1.
    """

    pool: Any = None  # the op

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self._take_format(data_format)
        self.keepdims = keepdims

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        return type(self).pool(inputs, axis=self._axes, keepdims=self.keepdims)

    @property
    def _axes(self) -> tuple:
        return tuple(range(self._first_axis, self._first_axis + self.rank))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return self._joined(input_shape[0], [1] * self.rank if self.keepdims else [], self._split(input_shape)[1])


class BaseGlobalMaxPooling(BaseGlobalPooling):
    """Each channel's largest value: subclasses say of what rank."""

    pool = ops.max


class BaseGlobalAveragePooling(BaseGlobalPooling):
    """Each channel's mean: subclasses say of what rank."""

    pool = ops.mean


@export("keras.layers.GlobalMaxPooling1D", "keras.layers.GlobalMaxPool1D")
class GlobalMaxPooling1D(BaseGlobalMaxPooling):
    """The largest value of each channel over all steps.

    >>> GlobalMaxPooling1D()(ops.ones((2, 8, 3))).shape
    (2, 3)
    """

    rank = 1


@export("keras.layers.GlobalMaxPooling2D", "keras.layers.GlobalMaxPool2D")
class GlobalMaxPooling2D(BaseGlobalMaxPooling):
    """The largest value of each channel of an image.

    >>> GlobalMaxPooling2D(keepdims=True)(ops.ones((2, 8, 8, 3))).shape
    (2, 1, 1, 3)
    """

    rank = 2


@export("keras.layers.GlobalMaxPooling3D", "keras.layers.GlobalMaxPool3D")
class GlobalMaxPooling3D(BaseGlobalMaxPooling):
    """The largest value of each channel of a volume.

    >>> GlobalMaxPooling3D()(ops.ones((2, 4, 4, 4, 3))).shape
    (2, 3)
    """

    rank = 3


@export("keras.layers.GlobalAveragePooling1D", "keras.layers.GlobalAvgPool1D")
class GlobalAveragePooling1D(BaseGlobalAveragePooling):
    """The mean of each channel over all steps, or over those that a mask (batch, steps) keeps.

    >>> GlobalAveragePooling1D()(ops.ones((2, 8, 3))).shape
    (2, 3)
    """

    rank = 1

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return super().call(inputs)
        kept = ops.expand_dims(ops.cast(mask, "bool"), self._channel_axis)
        total = ops.sum(ops.where(kept, inputs, ops.zeros_like(inputs)), axis=self._axes, keepdims=self.keepdims)
        return total / ops.sum(ops.cast(kept, inputs.dtype), axis=self._axes, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        return None  # there are no steps any more


@export("keras.layers.GlobalAveragePooling2D", "keras.layers.GlobalAvgPool2D")
class GlobalAveragePooling2D(BaseGlobalAveragePooling):
    """The mean of each channel of an image.

    >>> GlobalAveragePooling2D()(ops.ones((2, 8, 8, 3))).shape
    (2, 3)
    """

    rank = 2


@export("keras.layers.GlobalAveragePooling3D", "keras.layers.GlobalAvgPool3D")
class GlobalAveragePooling3D(BaseGlobalAveragePooling):
    """The mean of each channel of a volume.

    >>> GlobalAveragePooling3D()(ops.ones((2, 4, 4, 4, 3))).shape
    (2, 3)
    """

    rank = 3
