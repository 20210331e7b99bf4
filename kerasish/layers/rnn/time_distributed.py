"""TimeDistributed: a layer applied to every time step."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.layer import Layer
from kerasish.layers.wrapper import Wrapper


@export("keras.layers.TimeDistributed")
class TimeDistributed(Wrapper):
    """The layer inside, for every step along axis 1.

    All steps are computed at once, as one larger batch, unless the layer changes state that depends on the batch (such
    as the moving statistics of BatchNormalization): then they follow one another.

    >>> from kerasish.layers.core import Dense
    >>> TimeDistributed(Dense(4))(ops.ones((2, 3, 5))).shape
    (2, 3, 4)
    """

    def __init__(self, layer: Any, **kwargs: Any):
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Please initialize `TimeDistributed` layer with a `keras.layers.Layer` instance. Received: {layer}"
            )
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if len(input_shape) < 3:
            raise ValueError(
                "`TimeDistributed` Layer should be passed an `input_shape` with at least 3 dimensions, received: "
                f"{input_shape}"
            )
        if not self.layer.built:
            self.layer.build((input_shape[0], *input_shape[2:]))
            self.layer.built = True

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        options = {"training": training} if self.layer._takes_training() and training is not None else {}
        if mask is not None:
            self._check_mask(inputs, mask)
            mask = ops.convert_to_tensor(mask) if self.layer._takes_mask() else None
        if training and self._changes_state():
            return self._one_by_one(inputs, mask, options)
        flat = ops.reshape(inputs, (-1, *inputs.shape[2:]))
        if mask is not None:
            options["mask"] = ops.reshape(mask, (-1, *mask.shape[2:]))
        y = self.layer(flat, **options)
        return ops.reshape(y, (-1, inputs.shape[1], *y.shape[1:]))

    def _one_by_one(self, inputs: Any, mask: Any, options: dict) -> Any:
        def step(carry: Any, row: Any) -> tuple:
            x, m = row if mask is not None else (row, None)
            return carry, self.layer(x, **options, **({} if m is None else {"mask": m}))

        xs = ops.moveaxis(inputs, 1, 0)
        _, y = ops.scan(step, [], xs if mask is None else (xs, ops.moveaxis(mask, 1, 0)))
        return ops.moveaxis(y, 0, 1)

    def _changes_state(self) -> bool:
        layers = self.layer._flatten_layers()
        return any(layer.trainable and layer._non_trainable_variables for layer in layers)

    @staticmethod
    def _check_mask(inputs: Any, mask: Any) -> None:
        if len(mask.shape) < 2:
            raise ValueError(
                "The `mask` passed to the `TimeDistributed` layer must be at least 2D (e.g., `(batch_size, timesteps)`), "
                f"but it has {len(mask.shape)} dimension(s) with shape {tuple(mask.shape)}."
            )
        for a, b in zip(inputs.shape[:2], mask.shape[:2], strict=True):
            if isinstance(a, int) and isinstance(b, int) and a != b:
                raise ValueError(
                    f"The `mask` passed to the `TimeDistributed` layer has a shape {tuple(mask.shape)} that is incompatible "
                    f"with the input shape {tuple(inputs.shape)}. The first two dimensions of the mask (batch size and "
                    "timesteps) must match the input's first two dimensions."
                )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return mask
