"""Values of another range."""

from typing import Any

from kerasish import ops
from kerasish.base import config
from kerasish.base.registry import export
from kerasish.layers.layer import Layer


@export("keras.layers.Rescaling")
class Rescaling(Layer):
    """inputs * scale + offset, in the compute dtype; while training and otherwise.

    scale, offset: numbers, or one for each channel.

    >>> import numpy as np
    >>> np.asarray(Rescaling(1 / 4, offset=-1.0)(np.array([[0, 2, 8]], "uint8")))
    array([[-1. , -0.5,  1. ]], dtype=float32)
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, self.compute_dtype)
        scale, offset = (ops.cast(v, x.dtype) for v in (self.scale, self.offset))
        if len(scale.shape) and config.image_data_format() == "channels_first":
            scale = ops.reshape(scale, (*scale.shape, *[1] * (3 - len(scale.shape))))
        return x * scale + offset
