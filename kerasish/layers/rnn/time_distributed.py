"""TimeDistributed: a layer applied to every time step."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.wrapper import Wrapper


@export("keras.layers.TimeDistributed")
class TimeDistributed(Wrapper):
    """The layer inside, for every step along axis 1.

    >>> from kerasish.layers.core import Dense
    >>> TimeDistributed(Dense(4))(ops.ones((2, 3, 5))).shape
    (2, 3, 4)
    """

    def __init__(self, layer: Any, **kwargs: Any):
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if len(input_shape) < 3:
            raise ValueError(f"`TimeDistributed` Layer should be passed an `input_shape` with at least 3 dimensions, received: {input_shape}")
        if not self.layer.built:
            self.layer.build((input_shape[0], *input_shape[2:]))
            self.layer.built = True

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        names = {"training": training} if self.layer._takes_training() and training is not None else {}
        time = inputs.shape[1]
        flat = ops.reshape(inputs, (-1, *inputs.shape[2:]))
        if mask is not None and len(mask.shape) > 2 and self.layer.supports_masking:
            names["mask"] = ops.reshape(mask, (-1, *mask.shape[2:]))
        y = self.layer(flat, **names)
        return ops.reshape(y, (-1, time, *y.shape[1:]))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return mask
