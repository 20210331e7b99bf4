"""Masking: which time steps are padding."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.layer import Layer


@export("keras.layers.Masking")
class Masking(Layer):
    """Masks the time steps whose features all equal `mask_value`, and sets them to zero.

    >>> Masking()(ops.array([[[1.0], [0.0]]]))._keras_mask.numpy().tolist()
    [[True, False]]
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True
        self.built = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def _makes_mask(self) -> bool:
        return True

    def call(self, inputs: Any) -> Any:
        seen = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return ops.multiply(inputs, ops.cast(seen, inputs.dtype))
