"""Whole models and weights in `.h5` files, the format of Keras 1 and 2 that Keras 3 still reads and writes.

Attributes hold the model's config and how it was compiled; the group `model_weights` has a group a layer, with the
names of its arrays in order as an attribute; `optimizer_weights` has the optimizer's.
"""

import inspect
import json
import logging
import os
import warnings
from collections.abc import Sequence
from typing import Any

from kerasish.base.config import backend
from kerasish.base.errors import UnsafeFileError
from kerasish.base.registry import (
    CustomObjectScope,
    get_custom_objects,
    get_registered_name,
    lookup,
    resolve,
    scoped_objects,
)
from kerasish.saving.archive import replacing
from kerasish.saving.hdf5 import H5Group, H5Reader, H5Writer, StoredArray
from kerasish.saving.lambdas import warn_of_lambdas, without_lambdas
from kerasish.saving.resolution import find_by_name, find_internal
from kerasish.saving.serialization import (
    KERAS_VERSION,
    SafeModeScope,
    class_reference,
    deserialize_keras_object,
    to_json,
)
from kerasish.saving.weights import holds

log = logging.getLogger("kerasish")

WEIGHTS = "model_weights"
OPTIMIZER = "optimizer_weights"
TOP_LEVEL = "top_level_model_weights"

# Keys of today's configs that this format does not have
MODERN_KEYS = {"module", "registered_name", "build_config", "compile_config", "shared_object_id"}

# The module of operations, and what tells a layer's config from an operation's
OPS = "keras.src.ops"
LAYER_MARKS = {"trainable", "layers", "batch_shape", "batch_input_shape"}

# Where a layer's config may hold another layer's
LAYER_KEYS = ("layer", "forward_layer", "backward_layer", "cell")


# -- saving -----------------------------------------------------------------------------------------------------------


def save(model: Any, path: str | os.PathLike, include_optimizer: bool = True) -> None:
    """Write a whole model as an `.h5` file; missing folders are made."""
    folder = os.path.dirname(os.path.realpath(path))
    os.makedirs(folder, exist_ok=True)
    config = {"class_name": get_registered_name(type(model)), "config": to_legacy(model.get_config())}
    warn_of_lambdas(config)
    texts = {"keras_version": KERAS_VERSION, "backend": backend(), "model_config": to_json(config)}
    optimizer = getattr(model, "optimizer", None) if include_optimizer else None
    if optimizer and model.compiled:
        texts["training_config"] = to_json(_training_config(model))
    with replacing(path) as fresh, H5Writer(fresh) as writer:
        for name, text in texts.items():
            writer.text("", name, text)
        save_weights(writer, model, WEIGHTS)
        if optimizer and optimizer.variables:
            _save_variables(writer, OPTIMIZER, optimizer.variables)


def save_weights(writer: H5Writer, model: Any, path: str) -> None:
    """Write a model's weights below a group, a group a layer."""
    writer.texts(path, "layer_names", [layer.name for layer in model.layers])
    writer.text(path, "backend", backend())
    writer.text(path, "keras_version", KERAS_VERSION)
    for layer in sorted(model.layers, key=lambda layer: layer.name):
        _save_variables(writer, f"{path}/{layer.name}", _weights(layer))
    _save_variables(writer, f"{path}/{TOP_LEVEL}", _own_weights(model))


def _save_variables(writer: H5Writer, path: str, variables: Sequence[Any]) -> None:
    names: list[str] = []
    for v in variables:
        name, n = v.path, 0
        while name in names:  # two layers of one name below a third
            n += 1
            name = f"{v.path}_{n}"
        names.append(name)
    writer.texts(path, "weight_names", names)
    for name, v in zip(names, variables, strict=True):
        writer.array(f"{path}/{name}", v)


def to_legacy(config: Any) -> Any:
    """A model's config with its layers in this format's form, models inside models included."""
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        return config
    return {**config, "layers": [_legacy_layer(layer) for layer in config["layers"]]}


def _legacy_layer(layer: dict) -> dict:
    if str(layer.get("module")).startswith(OPS):
        return layer  # `Add` without its module would be the layer
    rest = {k: v for k, v in layer.items() if k not in MODERN_KEYS and k not in ("class_name", "config")}
    name = layer.get("registered_name") or layer["class_name"]
    return {"class_name": name, "config": to_legacy(layer["config"]), **rest}


def _training_config(model: Any) -> dict:
    config = {k: _legacy_object(v) for k, v in model.get_compile_config().items()}
    config["loss"] = _named_losses(config.get("loss"))
    return {**{k: v for k, v in config.items() if k != "optimizer"}, "optimizer_config": config["optimizer"]}


def _legacy_object(value: Any) -> Any:
    """Losses, metrics and optimizers in this format's form: functions by their names."""
    if isinstance(value, (list, tuple)):
        return [_legacy_object(v) for v in value]
    if not isinstance(value, dict):
        return value
    if "class_name" not in value or "config" not in value:
        return {k: _legacy_object(v) for k, v in value.items()}
    if value["class_name"] == "function":
        return value["config"]
    return {"class_name": value.get("registered_name") or value["class_name"], "config": value["config"]}


def _named_losses(value: Any) -> Any:
    """Losses with the short names of functions spelt out: of "mse" and its like, Keras can't make the loss again."""
    if isinstance(value, list):
        return [_named_losses(v) for v in value]
    if isinstance(value, dict) and "class_name" not in value:
        return {k: _named_losses(v) for k, v in value.items()}
    function = resolve("losses", value) if isinstance(value, str) else None
    return function.__name__ if inspect.isfunction(function) else value


# -- loading ----------------------------------------------------------------------------------------------------------


def load(
    path: str | os.PathLike, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Read a whole model from an `.h5` file."""
    known = {**(custom_objects or {}), **get_custom_objects(), **scoped_objects()}
    with H5Reader(path) as reader:
        config = _json(reader.root, "model_config")
        if config is None:
            raise ValueError(
                f"No model config found in the file at {path}. It may hold weights alone: make the model and use its "
                "`load_weights()`."
            )
        try:
            model = model_from_config(config, known, safe_mode)
        except RecursionError as e:
            raise UnsafeFileError(f"The config in {str(path)!r} is nested too deeply to be a model's.") from e
        group = reader.root.group(WEIGHTS)
        if group is None:
            raise ValueError(f"The file at {path} has the config of a model and no weights.")
        load_weights(group, model)
        if compile:
            training_config = _json(reader.root, "training_config")
            if training_config is None:
                log.warning(
                    "No training configuration found in the save file, so the model was *not* compiled. Compile it "
                    "manually."
                )
                return model
            with CustomObjectScope(known), SafeModeScope(safe_mode):
                model.compile(**compile_arguments(without_lambdas(training_config, known)))
            _load_optimizer(reader.root, model)
    return model


def _json(root: H5Group, name: str) -> Any:
    text = root.text(name)
    if text is None:
        return None
    try:
        return json.loads(text, object_hook=_hook)
    except (ValueError, RecursionError) as e:
        raise ValueError(f"The attribute {name!r} is not JSON ({e}): the file is damaged.") from e


def _hook(value: dict) -> Any:
    """Values that this format writes in ways of its own."""
    kind = value.get("class_name")
    if kind == "__tuple__" and isinstance(value.get("items"), list):
        return tuple(value["items"])
    if kind == "__bytes__" and isinstance(value.get("value"), str):
        return value["value"].encode("utf-8")
    if kind == "__ellipsis__" and "config" not in value:
        return Ellipsis
    return value


def model_from_config(config: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True) -> Any:
    """A model, uncompiled and without its weights, from a config in this format's form."""
    if isinstance(config, list):
        raise TypeError(
            "`model_from_config` expects a dictionary, not a list. Did you mean to use `Sequential.from_config(config)`? "
            f"Received: config={str(config)[:200]}"
        )
    if not isinstance(config, dict) or "config" not in config or "class_name" not in config:
        raise ValueError(
            "The provided configuration is not a valid Keras configuration: expected a dictionary with the keys "
            f"'class_name' and 'config'. Received: config={str(config)[:200]}"
        )
    known = custom_objects or {}
    return deserialize_keras_object(from_legacy(without_lambdas(config, known), known), known, safe_mode=safe_mode)


def from_legacy(config: dict, custom_objects: dict[str, Any]) -> dict:
    """A layer's or model's config in today's form, with what older versions called otherwise."""
    if not isinstance(config, dict) or "config" not in config or "class_name" not in config:
        return config
    config = dict(config)
    name = config["class_name"]
    if "module" not in config:
        cls = None if name in custom_objects else _built_in(name, config["config"])
        if cls is None:
            config.update(module=None, registered_name=name)
        else:
            config.update(class_reference(cls), registered_name=None)
    if isinstance(config.get("inbound_nodes"), list):
        config["inbound_nodes"] = [_modern_node(node) for node in config["inbound_nodes"]]
    inner = config["config"]
    if isinstance(inner, list) and name == "Sequential":  # before Keras 2.2.3
        inner = {"name": "sequential", "layers": inner}
    if isinstance(inner, dict):
        config["config"] = _modern_arguments(dict(inner), name, custom_objects)
    return config


def _built_in(name: str, inner: Any) -> Any | None:
    """The class of a name: a layer's, or that of an operation of the same name, whose configs have less."""
    is_operation = isinstance(inner, dict) and not LAYER_MARKS & inner.keys()
    return (is_operation and find_internal(OPS, name)) or find_by_name(name)


def _modern_node(node: Any) -> Any:
    """How a layer was called; before Keras 3, a list of the inputs, each [layer, node, tensor, keyword arguments]."""
    if not isinstance(node, list):
        return node
    tensors = [
        {"class_name": "__keras_tensor__", "config": {"shape": [], "dtype": "float32", "keras_history": history[:3]}}
        for history in node
    ]
    kwargs = node[-1][3] if node and len(node[-1]) > 3 else {}
    return {"args": [tensors[0] if len(tensors) == 1 else tensors] if tensors else [], "kwargs": kwargs}


def _modern_arguments(inner: dict, class_name: str, custom_objects: dict[str, Any]) -> dict:
    shape = inner.pop("batch_input_shape", None)
    if shape is not None:
        if class_name == "InputLayer":
            inner["batch_shape"] = shape
        else:
            inner["input_shape"] = tuple(shape[1:])
    axis = inner.get("axis")
    if isinstance(axis, list) and len(axis) == 1:
        axis = axis[0]
    if isinstance(axis, float):
        axis = int(axis)
    if axis is not None:
        inner["axis"] = axis
    if isinstance(inner.get("layers"), list):
        inner["layers"] = [from_legacy(layer, custom_objects) for layer in inner["layers"]]
    for key in LAYER_KEYS:
        if key in inner:
            inner[key] = from_legacy(inner[key], custom_objects)
    return inner


def compile_arguments(config: dict) -> dict[str, Any]:
    """The arguments of `model.compile` from a training config."""
    optimizer = _compile_object("optimizers", config["optimizer_config"])
    return {
        "optimizer": optimizer,
        "loss": _compile_object("losses", config.get("loss")),
        "metrics": _compile_object("metrics", config.get("metrics")),
        "weighted_metrics": _compile_object("metrics", config.get("weighted_metrics")),
        "loss_weights": config.get("loss_weights"),
    }


def _compile_object(kind: str, value: Any) -> Any:
    """A loss, metric or optimizer, or a structure of them. Names of built-in ones stay names: `compile` knows them."""
    if isinstance(value, (list, tuple)):
        return [_compile_object(kind, v) for v in value]
    if isinstance(value, dict) and "class_name" not in value:
        return {k: _compile_object(kind, v) for k, v in value.items()}
    if isinstance(value, dict) and "module" not in value:
        cls = lookup(f"keras.{kind}.{value['class_name']}")
        if cls is None:
            value = {**value, "module": None, "registered_name": value["class_name"]}
        else:
            value = {**value, **class_reference(cls), "registered_name": None}
    return deserialize_keras_object(value)


def _load_optimizer(root: H5Group, model: Any) -> None:
    group = root.group(OPTIMIZER)
    if group is None:
        return
    model.optimizer.build(model.trainable_variables)
    stored = _stored(group)
    variables = list(model.optimizer.variables)
    if len(stored) != len(variables) or any(
        s.shape != tuple(v.shape) or not holds(v, s) for s, v in zip(stored, variables, strict=True)
    ):
        log.warning(
            "Error in loading the saved optimizer state. As a result, your model is starting with a freshly initialized "
            "optimizer."
        )
        return
    for s, v in zip(stored, variables, strict=True):
        v.assign(s.read())


# -- weights ----------------------------------------------------------------------------------------------------------


def load_weights_file(model: Any, path: str | os.PathLike, by_name: bool = False, skip_mismatch: bool = False) -> None:
    """Read the weights of an `.h5` file that holds weights alone or a whole model."""
    with H5Reader(path) as reader:
        group = reader.root
        if not group.texts("layer_names") and WEIGHTS in group:
            group = group.group(WEIGHTS)
        (load_weights_by_name if by_name else load_weights)(group, model, skip_mismatch)


def load_weights(group: H5Group, model: Any, skip_mismatch: bool = False) -> None:
    """Give the layers their weights, in the order of the layers."""
    layers = [layer for layer in model.layers if _weights(layer)]
    saved = []
    for name in group.texts("layer_names"):
        stored = _stored(_layer_group(group, name))
        if stored:
            saved.append((name, stored))
    if len(saved) != len(layers):
        raise ValueError(
            f"Layer count mismatch when loading weights from file. Model expected {len(layers)} layers, found "
            f"{len(saved)} saved layers."
        )
    for k, ((name, stored), layer) in enumerate(zip(saved, layers, strict=True)):
        variables = _weights(layer)
        if len(stored) != len(variables):
            raise ValueError(
                f"Weight count mismatch for layer #{k} (named {layer.name} in the current model, {name} in the save "
                f"file). Layer expects {len(variables)} weight(s). Received {len(stored)} saved weight(s)"
            )
        _assign(layer, variables, stored, f"layer #{k} (named {layer.name})", skip_mismatch)
    if TOP_LEVEL in group:
        stored, variables = _stored(_layer_group(group, TOP_LEVEL)), _own_weights(model)
        if len(stored) != len(variables):
            raise ValueError(
                "Weight count mismatch for top-level weights when loading weights from file. Model expects "
                f"{len(variables)} top-level weight(s). Received {len(stored)} saved top-level weight(s)"
            )
        _assign(model, variables, stored, "top-level model", skip_mismatch)


def load_weights_by_name(group: H5Group, model: Any, skip_mismatch: bool = False) -> None:
    """Give weights to the layers whose names are in the file; the others keep theirs."""
    for k, name in enumerate(group.texts("layer_names")):
        stored = _stored(_layer_group(group, name))
        for layer in model.layers:
            if layer.name != name:
                continue
            variables, what = _weights(layer), f"layer #{k} (named {layer.name})"
            if _count_fits(len(variables), len(stored), what, "Layer", skip_mismatch):
                _assign(layer, variables, stored, what, skip_mismatch)
    if TOP_LEVEL in group:
        stored, variables = _stored(_layer_group(group, TOP_LEVEL)), _own_weights(model)
        if _count_fits(len(variables), len(stored), "top-level weights of model", "Model", skip_mismatch):
            _assign(model, variables, stored, "top-level model", skip_mismatch)


def _count_fits(expected: int, received: int, what: str, kind: str, skip_mismatch: bool) -> bool:
    if expected == received:
        return True
    problem = f"{kind} expects {expected} weight(s). Received {received} saved weight(s)"
    if not skip_mismatch:
        raise ValueError(f"Weight count mismatch for {what}. {problem}")
    warnings.warn(
        f"Skipping loading of weights for {what} due to mismatch in number of weights. {problem}", stacklevel=4
    )
    return False


def _assign(owner: Any, variables: Sequence[Any], stored: Sequence[StoredArray], what: str, skip_mismatch: bool) -> None:
    """Read arrays into variables; shapes and kinds of values are compared before anything is read."""
    for v, s in zip(variables, stored, strict=True):
        if s.shape == tuple(v.shape) and holds(v, s):
            continue
        problem = (
            f"for weight {v.path}. Weight expects shape {tuple(v.shape)} and dtype {v.dtype}. Received saved weight with "
            f"shape {s.shape} and dtype {s.dtype}"
        )
        if not skip_mismatch:
            raise ValueError(f"Shape mismatch in {what} {problem}")
        warnings.warn(f"Skipping loading weights for {what} due to mismatch in shape {problem}", stacklevel=4)
    for v, s in zip(variables, stored, strict=True):
        if s.shape == tuple(v.shape) and holds(v, s):
            v.assign(s.read())
    if variables and hasattr(owner, "finalize_state"):
        owner.finalize_state()


def _layer_group(group: H5Group, name: str) -> H5Group:
    found = group.group(name)
    if found is None:
        raise ValueError(f"The file names a layer {name!r} and has nothing for it: it is damaged.")
    return found


def _stored(group: H5Group) -> list[StoredArray]:
    """The arrays of a layer's group, in the order of its `weight_names`."""
    arrays = []
    for name in group.texts("weight_names"):
        array = group.array(name)
        if array is None:
            raise ValueError(f"The file names a weight {group.path}/{name} and has nothing for it: it is damaged.")
        arrays.append(array)
    return arrays


def _weights(layer: Any) -> list:
    """A layer's weights in this format's order: trainable ones first."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _own_weights(model: Any) -> list:
    """The weights that belong to the model and to none of its layers."""
    weights = {id(w) for w in model.weights}
    own = [*getattr(model, "_trainable_variables", ()), *getattr(model, "_non_trainable_variables", ())]
    return [v for v in own if id(v) in weights]
