"""`keras.layers.serialize` and `deserialize`."""

from typing import Any

from kerasish.base.registry import export
from kerasish.layers.layer import Layer
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


@export("keras.layers.serialize")
def serialize(layer: Layer) -> dict:
    """The config of a layer, from which `deserialize` makes it again, without its weights."""
    return serialize_keras_object(layer)


@export("keras.layers.deserialize")
def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Layer:
    """The layer of a config. What is not a layer's raises ValueError."""
    layer = deserialize_keras_object(config, custom_objects=custom_objects)
    if not isinstance(layer, Layer):
        raise ValueError(
            f"`keras.layers.deserialize` was passed a `config` object that is not a `keras.layers.Layer`. Received: {config}"
        )
    return layer
