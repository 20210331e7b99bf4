"""Lambda: a function as a layer."""

import inspect
from typing import Any, Callable

from kerasish import dtype_policies
from kerasish.base.registry import export
from kerasish.layers.layer import Layer
from kerasish.saving.lambdas import serialize_lambda, without_lambdas
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


@export("keras.layers.Lambda")
class Lambda(Layer):
    """A function as a layer. To load a saved one, its function must be registered, or passed under the layer's name:
    `load_model(path, custom_objects={"my_lambda": function})`."""

    def __init__(self, function: Callable, output_shape: Any = None, mask: Any = None, arguments: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.function, self.mask, self.arguments = function, mask, arguments or {}
        self._output_shape = output_shape
        if mask is not None:
            self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        extra = dict(self.arguments)
        code = getattr(self.function, "__code__", None)
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()
        if "mask" in names:
            extra["mask"] = mask
        if "training" in names:
            extra["training"] = training
        return self.function(inputs, **extra)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict:
        parts = {"function": self.function, "output_shape": self._output_shape, "mask": self.mask}
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": dtype_policies.serialize(self.dtype_policy),
            **{k: _part_of_lambda(v) for k, v in parts.items() if v is not None},
            "arguments": serialize_keras_object(dict(self.arguments)),
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None, safe_mode: Any = None) -> Any:
        # a lambda in a file is bytecode, and refused; unless the user passes the function, under the layer's name
        config = without_lambdas({"class_name": "Lambda", "config": config}, custom_objects)["config"]
        for key in ("function", "output_shape", "mask", "arguments"):
            if key in config:
                config[key] = deserialize_keras_object(config[key], custom_objects=custom_objects)
        if isinstance(config.get("output_shape"), list):
            config["output_shape"] = tuple(config["output_shape"])
        return super().from_config(config)


def _part_of_lambda(value: Any) -> Any:
    is_lambda = inspect.isfunction(value) and value.__name__ == "<lambda>"
    return serialize_lambda(value) if is_lambda else serialize_keras_object(value)
