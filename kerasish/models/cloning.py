"""clone_model and model_from_json: models made again from their descriptions, with weights of their own."""

import inspect
import json
from typing import Any, Callable

from kerasish.base import tree
from kerasish.base.registry import export
from kerasish.layers.input_layer import InputLayer
from kerasish.layers.layer import Layer
from kerasish.models.model import Functional, Model, made_like_functional
from kerasish.models.sequential import Sequential
from kerasish.ops.symbolic import KerasTensor
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


@export("keras.models.clone_model")
def clone_model(
    model: Any, input_tensors: Any = None, clone_function: Callable | None = None, call_function: Callable | None = None,
    recursive: bool = False, **kwargs: Any,
) -> Any:  # fmt: skip
    """A model of the same layers, made anew from their configs, with fresh weights, compiled as the model is.

    input_tensors:  symbolic inputs of the new model, in the structure of the model's; else they are made anew, too.
    clone_function: makes the new layer of a layer, which may be another one, or the layer itself to share its weights.
    call_function:  calls a new layer: call_function(layer, *args, **kwargs). For functional models alone.
    recursive:      clone_function (and call_function) see the layers of models inside this one, not those models.

    A model that is a class with a `call` is made from its config, and takes none of these.

    >>> from kerasish import Input, layers
    >>> model = Sequential([Input((2,)), layers.Dense(3, name="dense")])
    >>> clone_model(model, clone_function=lambda layer: layers.Dense(4, name=layer.name)).output_shape
    (None, 4)
    """
    if kwargs:
        raise ValueError(f"Unexpected keyword argument(s): {tuple(kwargs)}")
    if isinstance(model, Sequential):
        if call_function is not None:
            raise ValueError(
                "`call_function` argument is not supported with Sequential models, whose layers are listed, not called. "
                f"Received model of type '{type(model).__name__}', with call_function={call_function}"
            )
        clone = _clone_sequential(model, input_tensors, _maker(clone_function, None, recursive))
    elif isinstance(model, Model) and model._functional is not None:
        clone = _clone_functional(model, input_tensors, _maker(clone_function, call_function, recursive), call_function)
    else:
        return _clone_subclassed(model, input_tensors, clone_function, call_function)
    if not model.trainable:
        clone.trainable = False
    if model.compiled:
        config = model.get_compile_config()
        if config:
            clone.compile_from_config(config)
    return clone


def _maker(clone_function: Callable | None, call_function: Callable | None, recursive: bool) -> Callable:
    """What makes the new layer of a layer."""

    def make(layer: Layer) -> Any:
        if recursive and isinstance(layer, Model) and (isinstance(layer, Sequential) or layer._functional is not None):
            call = None if isinstance(layer, Sequential) else call_function
            return clone_model(layer, clone_function=clone_function, call_function=call, recursive=True)
        if clone_function is None or isinstance(layer, InputLayer):
            return type(layer).from_config(layer.get_config())
        return clone_function(layer)

    return make


def _clone_sequential(model: Sequential, input_tensors: Any, make: Callable) -> Sequential:
    given = tree.flatten(input_tensors) if input_tensors is not None else []
    if given and (len(given) > 1 or not isinstance(given[0], KerasTensor)):
        raise ValueError(
            f"Argument `input_tensors` must be a KerasTensor. Received invalid value: input_tensors={input_tensors}"
        )
    layers = [make(layer) for layer in model._stack if not isinstance(layer, InputLayer)]
    entry = given or [make(layer) for layer in model._stack[:1] if isinstance(layer, InputLayer)]
    cls = type(model) if _made_like_sequential(type(model)) else Sequential
    return cls([*entry, *layers], name=model.name)


def _clone_functional(model: Model, input_tensors: Any, make: Callable, call_function: Callable | None) -> Model:
    function = model._functional
    if input_tensors is None:
        inputs = tree.map_structure(_new_input, function._inputs_struct)
    else:
        wrong = [x for x in tree.flatten(input_tensors) if not isinstance(x, KerasTensor)]
        if wrong:
            raise ValueError(
                f"All entries in `input_tensors` must be KerasTensors. Received invalid values: inputs_tensors={wrong}"
            )
        inputs = input_tensors
        try:
            tree.assert_same_structure(inputs, function._inputs_struct)
        except (TypeError, ValueError) as e:
            raise ValueError(
                "`input_tensors` must have the same structure as model.input\n"
                f"Reference structure: {function._inputs_struct}\nReceived structure: {inputs}"
            ) from e
    clones: dict[int, Any] = {}

    def call(operation: Any) -> Callable:
        if not isinstance(operation, Layer):
            return operation  # has no state
        if id(operation) not in clones:
            clones[id(operation)] = make(operation)
        layer = clones[id(operation)]
        if call_function is None:
            return layer
        return lambda *args, **kwargs: call_function(layer, *args, **kwargs)

    outputs = function.run(inputs, call)
    cls = type(model) if made_like_functional(type(model)) else Functional
    return cls(inputs=inputs, outputs=outputs, name=model.name)


def _new_input(t: KerasTensor) -> KerasTensor:
    layer = t._keras_history.operation
    if isinstance(layer, InputLayer):
        return InputLayer.from_config(layer.get_config()).output
    return InputLayer(batch_shape=t.shape, dtype=t.dtype, name=layer.name).output


def _made_like_sequential(cls: type) -> bool:
    """Whether a class is made from layers and a name, so that the clone may be of the same class."""
    parameters = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    return {"layers", "name"} <= set(parameters) or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _clone_subclassed(model: Any, input_tensors: Any, clone_function: Any, call_function: Any) -> Any:
    kind = type(model).__name__
    if clone_function is not None or input_tensors is not None:
        raise ValueError(
            "Arguments `clone_function` and `input_tensors` are only supported for Sequential models or Functional models. "
            f"Received model of type '{kind}', with clone_function={clone_function} and input_tensors={input_tensors}"
        )
    if call_function is not None:
        raise ValueError(
            "Argument `call_function` is only supported for Functional models. "
            f"Received model of type '{kind}', with call_function={call_function}"
        )
    if not isinstance(model, Layer):
        raise ValueError(f"Only models can be cloned. Received: {model} of type {type(model)}")
    return deserialize_keras_object(serialize_keras_object(model), custom_objects={kind: type(model)})


@export("keras.models.model_from_json")
def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The model that `model.to_json()` describes, compiled as that was, with fresh weights.

    custom_objects: your classes and functions by name, unless they are registered.

    >>> from kerasish import Input, layers
    >>> model = Sequential([Input((2,)), layers.Dense(3)], name="small")
    >>> model_from_json(model.to_json()).name
    'small'
    """
    return deserialize_keras_object(json.loads(json_string), custom_objects=custom_objects)
