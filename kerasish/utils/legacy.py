"""`keras.utils.legacy`: older places of two functions."""

from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize_keras_object", "serialize_keras_object"]
