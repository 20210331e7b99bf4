"""Sequential: layers one after the other."""

import contextlib
from typing import Any

from kerasish.base import naming
from kerasish.base.registry import export
from kerasish.engine.tensor import TensorSpec
from kerasish.engine.trace import infer
from kerasish.layers.building import tupled
from kerasish.layers.calls import shape_of
from kerasish.layers.input_layer import Input, InputLayer
from kerasish.layers.layer import Layer
from kerasish.models.model import Model
from kerasish.ops.function import Function
from kerasish.ops.symbolic import KerasTensor
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


@export("keras.Sequential", "keras.models.Sequential")
class Sequential(Model):
    """A stack of layers. It is built at once if it starts with an Input, else on its first data."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return object.__new__(cls)

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None):
        super().__init__(trainable=trainable, name=name)
        object.__setattr__(self, "_stack", [])
        for layer in layers or ():
            self.add(layer, rebuild=False)
        self._maybe_rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top."""
        if isinstance(layer, KerasTensor) and hasattr(layer, "_keras_history"):
            layer = layer._keras_history.operation
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Only instances of `keras.Layer` can be added to a Sequential model. Received: {layer} (of type {type(layer)})"
            )
        if any(layer.name == other.name for other in self._stack):
            raise ValueError(
                f"All layers added to a Sequential model should have unique names. Name '{layer.name}' is already the name "
                "of a layer in this model. Update the `name` argument to pass a unique name."
            )
        if isinstance(layer, InputLayer) and self._stack:
            raise ValueError(
                f"Sequential model '{self.name}' has already been configured to use input shape; an Input must come first."
            )
        if not self._stack and hasattr(layer, "_input_shape_arg") and not isinstance(layer, InputLayer):
            self._stack.append(Input(layer._input_shape_arg)._keras_history.operation)
        self._stack.append(layer)
        if not isinstance(layer, InputLayer):
            self._layers.append(layer)
        if rebuild:
            self._maybe_rebuild()

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the top layer off."""
        layer = self._stack.pop()
        self._layers[:] = [x for x in self._layers if x is not layer]
        object.__setattr__(self, "_functional", None)
        self.built = False
        self._functions.clear()
        if rebuild:
            self._maybe_rebuild()
        return layer

    def _maybe_rebuild(self) -> None:
        object.__setattr__(self, "_functional", None)
        self.built = False
        if self._stack and isinstance(self._stack[0], InputLayer) and len(self._stack) > 1:
            self._connect(self._stack[0].output)

    def _connect(self, x: KerasTensor) -> None:
        start = x
        with naming.name_scope(self.name) if self._outside_own_scope() else contextlib.nullcontext():
            for layer in self._stack[1:] if isinstance(self._stack[0], InputLayer) else self._stack:
                x = layer(x)
        object.__setattr__(self, "_functional", Function(start, x, name=f"{self.name}_graph"))
        object.__setattr__(self, "_build_shapes_dict", {"input_shape": start.shape})
        self.built = True

    def build(self, input_shape: Any = None) -> None:
        """Build for inputs of this shape, the batch axis included."""
        if self.built:
            return
        if not self._stack:
            raise ValueError(f"Sequential model {self.name} cannot be built because it has no layers. Call `model.add(layer)`.")
        if input_shape is None:
            raise ValueError("You must provide an `input_shape` argument.")
        shape = tupled(input_shape)
        entry = Input(batch_shape=shape, dtype=self._input_dtype)
        self._stack.insert(0, entry._keras_history.operation)
        self._connect(entry)
        object.__setattr__(self, "_shape_was_seen", True)

    _input_dtype: Any = None
    _shape_was_seen = False  # the input's shape was taken from data: other data may have other sizes

    def _build_on(self, x: Any) -> None:
        shape = (None, *x.shape[1:])
        kind = str(x.dtype)
        if not kind.startswith("float"):
            object.__setattr__(self, "_input_dtype", kind)
        self.build(shape)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        x = inputs
        if not self.built:
            if isinstance(x, KerasTensor):
                self.build(x.shape)
            else:
                self.build((None, *shape_of(x)[1:]))
        if self._functional is not None:
            x = self._standardized(x, sizes=not self._shape_was_seen)[0]
        for layer in self._stack:
            if not isinstance(layer, InputLayer):
                x = layer(x)
        return x

    def _maybe_build(self, args: tuple, kwargs: dict, names: tuple) -> None:
        if not self.built and args:
            x = args[0]
            object.__setattr__(self, "_input_dtype", None if str(x.dtype).startswith("float") else str(x.dtype))
            self.build((None, *shape_of(x)[1:]))

    @property
    def layers(self) -> list[Layer]:
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list:
        return Layer._flatten_layers(self, include_self, recursive)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(infer(self, TensorSpec(input_shape, self.compute_dtype)).shape)

    def get_config(self) -> dict:
        config: dict = Layer.get_config(self) if type(self) is not Sequential else {
            "name": self.name, "trainable": self.trainable,
            "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": self.dtype_policy.get_config(), "registered_name": None},
        }  # fmt: skip
        config["layers"] = [serialize_keras_object(layer) for layer in self._stack]
        if self._functional is not None:
            config["build_input_shape"] = tuple(self._functional.inputs[0].shape)
        return config

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> Any:
        if "layers" not in config:
            return cls(**config)
        model = cls(name=config.get("name"))
        for entry in config["layers"]:
            model.add(deserialize_keras_object(entry, custom_objects=custom_objects), rebuild=False)
        model._maybe_rebuild()
        if not model._functional and config.get("build_input_shape") and model._stack:
            shape = config["build_input_shape"]
            if isinstance(shape, (list, tuple)):
                model.build(tuple(shape))
        return model
