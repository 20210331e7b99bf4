"""Layers that hold other layers: wrappers and pipelines."""

from typing import Any

from kerasish.base.registry import export
from kerasish.layers.layer import Layer
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


@export("keras.layers.Wrapper")
class Wrapper(Layer):
    """The base of layers that change what another layer does: it is `layer`, and is built with the wrapper."""

    def __init__(self, layer: Any, **kwargs: Any):
        if not isinstance(layer, Layer):
            raise ValueError(f"Layer {layer} supplied to Wrapper isn't a supported layer type. Please ensure wrapped layer is a valid Keras layer.")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True

    def get_config(self) -> dict:
        return {**Layer.get_config(self), "layer": serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> Any:
        config = dict(config)
        layer = deserialize_keras_object(config.pop("layer"), custom_objects=custom_objects)
        return cls(layer, **config)


@export("keras.layers.Pipeline")
class Pipeline(Layer):
    """Layers one after the other, for preprocessing: like a Sequential model, but a layer that need not be built.

    >>> from kerasish.layers import Rescaling
    >>> float(Pipeline([Rescaling(2.0), Rescaling(1.0, offset=1.0)])(3.0))
    7.0
    """

    def __init__(self, layers: Any, name: str | None = None):
        super().__init__(name=name)
        self._pipeline_layers = list(layers)

    @property
    def layers(self) -> list:
        return list(self._pipeline_layers)

    def call(self, inputs: Any, training: Any = True, mask: Any = None) -> Any:
        for layer in self._pipeline_layers:
            inputs = layer(inputs)
        return inputs

    def get_config(self) -> dict:
        return {"layers": [serialize_keras_object(layer) for layer in self._pipeline_layers], "name": self.name}

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> Any:
        layers = [deserialize_keras_object(c, custom_objects=custom_objects) for c in config["layers"]]
        return cls(layers, name=config.get("name"))
