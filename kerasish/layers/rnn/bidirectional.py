"""Bidirectional: a recurrent layer in both directions."""

from typing import Any

import numpy as np

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.layer import Layer
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object

MODES = ("sum", "mul", "ave", "concat", None)


@export("keras.layers.Bidirectional")
class Bidirectional(Layer):
    """A recurrent layer over the sequence and, as a copy of its own, over the reversed one.

    merge_mode:     "concat", "sum", "mul", "ave"; None gives both outputs.
    weights:        arrays that both start with, those of the layer that goes forward first.
    backward_layer: what goes backwards, if it is not a copy of the layer.

    >>> from kerasish.layers.rnn.recurrent import GRU
    >>> Bidirectional(GRU(4))(ops.ones((2, 3, 5))).shape
    (2, 8)
    """

    def __init__(self, layer: Any, merge_mode: str | None = "concat", weights: Any = None, backward_layer: Any = None, **kwargs: Any):
        if not isinstance(layer, Layer):
            raise ValueError(f"Please initialize `Bidirectional` layer with a `keras.layers.Layer` instance. Received: {layer}")
        if backward_layer is not None and not isinstance(backward_layer, Layer):
            raise ValueError(f"`backward_layer` need to be a `keras.layers.Layer` instance. Received: {backward_layer}")
        if merge_mode not in MODES:
            raise ValueError(f"Invalid merge mode. Received: {merge_mode}. Merge mode should be one of {set(MODES)}.")
        super().__init__(**kwargs)
        config = serialize_keras_object(layer)
        self.forward_layer = self._copy(config, layer, "forward")
        if backward_layer is None:
            if not hasattr(layer, "go_backwards"):
                raise TypeError(
                    "`Bidirectional` needs a recurrent layer, which has the attributes `go_backwards`, "
                    f"`return_sequences`, `return_state` and `stateful`. Received: layer={layer}"
                )
            backward_layer = self._copy(config, layer, "backward", go_backwards=True)
        self.backward_layer = backward_layer
        self._verify()
        for part in (self.forward_layer, self.backward_layer):
            if hasattr(layer, "use_cudnn"):
                part.use_cudnn = layer.use_cudnn
            if hasattr(part, "zero_output_for_mask"):
                # masked steps count as zero, so that the outputs of both directions belong to the same steps
                part.zero_output_for_mask = layer.return_sequences
        self.merge_mode = merge_mode
        self.return_sequences, self.return_state = layer.return_sequences, layer.return_state
        self.stateful = layer.stateful
        self.supports_masking = True
        self.input_spec = layer.input_spec
        self._start = [np.asarray(w) for w in weights] if weights else None

    def _copy(self, config: dict, layer: Any, direction: str, **changes: Any) -> Any:
        """The layer again, named after its direction."""
        name = f"{direction}_{layer.name.removeprefix(f'{direction}_')}"
        config = {**config, "config": {**config["config"], **changes, "name": name}}
        config.pop("build_config", None)
        return deserialize_keras_object(config)

    def _verify(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                "Forward layer and backward layer should have different `go_backwards` value. Received: "
                f"forward_layer.go_backwards={forward.go_backwards}, backward_layer.go_backwards={backward.go_backwards}"
            )
        for name in ("stateful", "return_sequences", "return_state"):
            values = getattr(forward, name), getattr(backward, name)
            if values[0] != values[1]:
                raise ValueError(
                    "Forward layer and backward layer are expected to have the same value for attribute "
                    f'"{name}", got "{values[0]}" for forward layer and "{values[1]}" for backward layer'
                )

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)
                layer.built = True
        if self._start is not None:
            self.set_weights(self._start)
            self._start = None

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None) -> Any:
        options = {"training": training} if training is not None else {}
        forward, backward = dict(options), dict(options)
        if mask is not None:
            forward["mask"] = backward["mask"] = mask
        if initial_state is not None:
            half = len(initial_state) // 2
            forward["initial_state"], backward["initial_state"] = initial_state[:half], initial_state[half:]
        y, z = self.forward_layer(sequences, **forward), self.backward_layer(sequences, **backward)
        states = ()
        if self.return_state:
            states = (*y[1:], *z[1:])
            y, z = y[0], z[0]
        if self.return_sequences:
            z = ops.flip(z, axis=1)
        merged = self._merged(y, z)
        if not self.return_state:
            return merged
        return (*merged, *states) if self.merge_mode is None else (merged, *states)

    def _merged(self, y: Any, z: Any) -> Any:
        if self.merge_mode == "concat":
            return ops.concatenate([y, z], axis=-1)
        if self.merge_mode == "mul":
            return ops.multiply(y, z)
        if self.merge_mode is None:
            return (y, z)
        total = ops.add(y, z)
        return total if self.merge_mode == "sum" else ops.divide(total, 2)

    def compute_mask(self, sequences: Any, mask: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        kept = mask if self.return_sequences else None
        masks = [kept] if self.merge_mode else [kept, kept]
        if self.return_state:
            states = len(self.forward_layer.cell.get_initial_state(1))
            return [*masks, *[None] * (2 * states)]
        return masks[0] if len(masks) == 1 else masks

    def reset_state(self) -> None:
        """Set the states of stateful layers to zero."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    @property
    def states(self) -> Any:
        if self.forward_layer.states and self.backward_layer.states:
            return [*self.forward_layer.states, *self.backward_layer.states]
        return None

    _not_in_config = ("weights", "layer", "backward_layer")

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "layer": serialize_keras_object(self.forward_layer),
            "backward_layer": serialize_keras_object(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> Any:
        config = dict(config)
        for name in ("layer", "backward_layer"):
            if isinstance(config.get(name), dict):
                config[name] = deserialize_keras_object(config[name], custom_objects=custom_objects)
        return cls(**config)
