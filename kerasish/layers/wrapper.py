"""The base of layers around a layer."""

from typing import Any

from kerasish.base.registry import export
from kerasish.layers.layer import Layer
from kerasish.saving.serialization import deserialize_keras_object


@export("keras.layers.Wrapper")
class Wrapper(Layer):
    """The base of layers around one other layer, which is their attribute `layer`."""

    def __init__(self, layer: Any, **kwargs: Any):
        if not isinstance(layer, Layer):
            raise ValueError(f"A wrapper takes a layer. Received: layer={layer} of type {type(layer)}")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> Any:
        config = dict(config)
        layer = deserialize_keras_object(config.pop("layer"), custom_objects=custom_objects)
        return cls(layer, **config)
