"""Objects to configs (what JSON can hold) and back, in Keras's forms.

An object is `{"module": …, "class_name": …, "config": {…}, "registered_name": …}`, with `build_config` and
`compile_config` where it has them; what JSON lacks has a class name of the form `__numpy__`.
"""

import inspect
import json
import threading
import types
import warnings
from typing import Any

import numpy as np

from kerasish.base.errors import UnsafeFileError
from kerasish.base.registry import (
    CustomObjectScope,
    canonical_path,
    export,
    get_custom_objects,
    get_registered_name,
    scoped_objects,
)
from kerasish.engine.tensor import Tensor
from kerasish.ops.symbolic import KerasTensor
from kerasish.saving.lambdas import LAMBDA_FIX, refuse_lambda, serialize_lambda, without_lambdas
from kerasish.saving.resolution import ConfigError, find_class, find_function, short

# The version of Keras whose files these are
KERAS_VERSION = "3.15.1"

PLAIN_TYPES = (str, int, float, bool)

_state = threading.local()


# -- scopes -----------------------------------------------------------------------------------------------------------


class _Scope:
    """Sets an attribute of this thread's state inside a `with` block."""

    name = ""

    def __init__(self, value: Any):
        self.value = value

    def __enter__(self) -> Any:
        self._outer = getattr(_state, self.name, None)
        setattr(_state, self.name, self.value)
        return self.value

    def __exit__(self, *exc: object) -> None:
        setattr(_state, self.name, self._outer)


class SafeModeScope(_Scope):
    """Inside, `in_safe_mode()` is the given value."""

    name = "safe_mode"

    def __init__(self, safe_mode: bool | None = True):
        super().__init__(safe_mode)


class ObjectSharingScope(_Scope):
    """Inside, an object that is met twice gets one config with a `shared_object_id`, and is one object when read."""

    name = "shared"

    def __init__(self) -> None:
        super().__init__(_Shared())


class _Shared:
    def __init__(self) -> None:
        self.configs: dict[int, dict] = {}  # by the id of the object
        self.objects: dict[int, Any] = {}  # by the id in the file
        self.keep: list = []  # an object must outlive its id
        self.count = 0

    def record_config(self, obj: Any, config: dict) -> None:
        first = self.configs.setdefault(id(obj), config)
        self.keep.append(obj)
        if first is not config:
            if "shared_object_id" not in first:
                self.count += 1
                first["shared_object_id"] = self.count
            config["shared_object_id"] = first["shared_object_id"]


def in_safe_mode() -> bool | None:
    """Whether a model is being read in safe mode: True or False while it is, else what was set globally or None.

    Code that would open a file named by a config asks this and refuses if it is True.
    """
    return getattr(_state, "safe_mode", None)


@export("keras.config.enable_unsafe_deserialization")
def enable_unsafe_deserialization() -> None:
    """Safe mode off for this thread: configs may name vocabulary files outside of the model's own file.

    In Keras this also runs the bytecode of lambdas found in files. Here nothing does; a warning says what to do instead.
    """
    warnings.warn(
        "Lambdas in model files are never run, whatever is enabled: their bytecode could do anything. " + LAMBDA_FIX,
        stacklevel=2,
    )
    _state.safe_mode = False


# -- to configs -------------------------------------------------------------------------------------------------------


@export("keras.saving.serialize_keras_object", "keras.utils.serialize_keras_object")
def serialize_keras_object(obj: Any) -> Any:
    """The config of an object: a structure of what JSON can hold, from which `deserialize_keras_object` makes it again.

    Takes Keras objects, functions, tensors, arrays, slices, bytes and nested structures of them. Raises TypeError for
    an object without `get_config()`.

    >>> serialize_keras_object([1, slice(None, 3), b"ab"])[1]["class_name"]
    '__slice__'
    """
    if obj is None or isinstance(obj, PLAIN_TYPES):
        return obj
    if isinstance(obj, (list, tuple)):
        items = [serialize_keras_object(x) for x in obj]
        return tuple(items) if isinstance(obj, tuple) else items
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    for kind, special in _SPECIAL.items():
        if isinstance(obj, kind):
            return special(obj)
    if type(obj).__module__ == "numpy":
        return _array_config(obj)
    if isinstance(obj, types.FunctionType) and obj.__name__ == "<lambda>":
        warnings.warn(
            "A lambda is being saved. Files with lambdas can't be loaded as they are. " + LAMBDA_FIX, stacklevel=2
        )
        return {"class_name": "__lambda__", "config": {"value": tuple(serialize_lambda(obj)["config"].values())}}
    config = _object_config(obj)
    for part in ("build_config", "compile_config"):
        get = getattr(obj, f"get_{part}", None)
        value = get() if get is not None else None
        if value is not None:
            config[part] = serialize_keras_object(dict(value))
    shared = getattr(_state, "shared", None)
    if shared is not None:
        shared.record_config(obj, config)
    return config


def _object_config(obj: Any) -> dict:
    """What stands for an object with `get_config()`, or for one that is known by its name."""
    if isinstance(obj, types.FunctionType) or not hasattr(obj, "get_config"):
        if not hasattr(obj, "__name__"):
            raise TypeError(
                f"Cannot serialize object {short(obj, 200)} of type {type(obj)}. To be serializable, a class must "
                "implement the `get_config()` method."
            )
        class_name = type(obj).__name__
        return {
            "module": _module_of(type(obj)),
            "class_name": class_name,
            "config": _function_name(obj),
            "registered_name": class_name,
        }
    config = obj.get_config()
    if not isinstance(config, dict):
        raise TypeError(f"The `get_config()` method of {obj} should return a dict. It returned: {config}")
    return {**class_reference(type(obj)), "config": serialize_keras_object(config), "registered_name": _registered(obj)}


def class_reference(cls: type) -> dict:
    """The `module` and `class_name` under which a class is found again."""
    path = canonical_path(cls)
    if path is None:
        return {"module": _module_of(cls), "class_name": cls.__name__}
    module, _, name = path.rpartition(".")
    return {"module": module, "class_name": name}


def _registered(obj: Any) -> str | None:
    path = canonical_path(type(obj))
    if path is not None and not path.startswith("keras.src."):
        return None
    return get_registered_name(type(obj))


def _module_of(cls: type) -> str | None:
    return None if cls.__module__ == "__main__" else cls.__module__


def _function_name(obj: Any) -> str:
    path = canonical_path(obj)
    return path.rpartition(".")[2] if path else get_registered_name(obj)


def _slice_config(obj: slice) -> dict:
    parts = {k: serialize_keras_object(getattr(obj, k)) for k in ("start", "stop", "step")}
    return {"class_name": "__slice__", "config": parts}


def _keras_tensor_config(obj: KerasTensor) -> dict:
    history = getattr(obj, "_keras_history", None)
    if history:
        operation, *rest = history
        history = [operation.name, *rest]
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": tuple(obj.shape), "dtype": str(obj.dtype), "keras_history": history or None},
    }


def _tensor_config(obj: Tensor) -> dict:
    value = np.asarray(obj)
    return {"class_name": "__tensor__", "config": {"value": value.tolist(), "dtype": value.dtype.name}}


def _array_config(obj: Any) -> Any:
    if isinstance(obj, np.ufunc):
        raise TypeError(f"Cannot serialize {obj}. Use the function of the same name of `keras.ops`.")
    if getattr(obj, "ndim", 0) == 0:
        return obj.item()
    if obj.dtype.name not in _DTYPES:
        raise ValueError(f"Invalid dtype: {obj.dtype.name}. Only arrays of numbers can be part of a config.")
    return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}


_DTYPES = ("bool", *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)), "float16", "float32", "float64")

_SPECIAL = {
    bytes: lambda obj: {"class_name": "__bytes__", "config": {"value": obj.decode("utf-8")}},
    slice: _slice_config,
    type(Ellipsis): lambda obj: {"class_name": "__ellipsis__", "config": {}},
    KerasTensor: _keras_tensor_config,
    Tensor: _tensor_config,
}


def to_json(config: Any, **options: Any) -> str:
    """A config as JSON text; TypeError with the place of whatever JSON can't hold."""
    try:
        return json.dumps(config, **options)
    except TypeError as e:
        path = _unserializable(config, "")
        raise TypeError(
            f"The config can't be written as JSON ({e}), because of what stands at `{path.lstrip('.')}`. Have "
            "`get_config()` return plain values, or pass objects through `keras.saving.serialize_keras_object`."
        ) from e


def _unserializable(value: Any, path: str) -> str:
    """The path to the first value that JSON can't hold."""
    items = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    )
    for key, item in items:
        try:
            json.dumps(item)
        except TypeError:
            return _unserializable(item, f"{path}.{key}" if isinstance(key, str) else f"{path}[{key}]")
    return path


# -- from configs -----------------------------------------------------------------------------------------------------


@export("keras.saving.deserialize_keras_object", "keras.utils.deserialize_keras_object")
def deserialize_keras_object(
    config: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True, **kwargs: Any
) -> Any:
    """The object that a config from `serialize_keras_object` describes.

    custom_objects: your classes and functions by the names that the config uses, besides those that are registered.
    safe_mode:      whether objects may not open files that the config names. Lambdas are refused in any case.

    Classes come from the registry alone. Raises TypeError for a class or function that is not known, and ValueError
    for a config that asks for what is not part of a model.

    >>> deserialize_keras_object({"class_name": "__slice__", "config": {"start": 0, "stop": 2, "step": None}})
    slice(0, 2, None)
    """
    ambient = in_safe_mode()
    safe_mode = ambient if ambient is not None else safe_mode
    known = {**(custom_objects or {}), **scoped_objects(), **get_custom_objects()}
    if not getattr(_state, "reading", False):
        config = without_lambdas(config, known)
    with _Reading(True):
        module_objects = kwargs.pop("module_objects", None)
        if module_objects is not None:
            return _from_module_objects(config, module_objects, known, safe_mode)
        return _deserialize(config, known, safe_mode)


class _Reading(_Scope):
    """Inside, the config was looked through for lambdas already."""

    name = "reading"


def _deserialize(config: Any, known: dict[str, Any], safe_mode: bool) -> Any:
    if config is None:
        return None
    if isinstance(config, str) and known.get(config) is not None:
        return known[config]  # older formats hold functions by their names
    if isinstance(config, PLAIN_TYPES):
        return config
    if isinstance(config, (list, tuple)):
        return [_deserialize(x, known, safe_mode) for x in config]
    if not isinstance(config, dict):
        raise TypeError(f"Could not parse config: {short(config)}")
    if config.get("class_name") == "__tuple__" and "items" in config:  # older formats
        return tuple(_deserialize(x, known, safe_mode) for x in config["items"])
    if "class_name" not in config or "config" not in config:
        return {key: _deserialize(value, known, safe_mode) for key, value in config.items()}
    class_name, inner = config["class_name"], config["config"]
    if not isinstance(class_name, str):
        raise TypeError(f"`class_name` should be a string. Received: {short(config)}")
    if class_name in _VALUES:
        return _value(class_name, inner, config)
    if class_name == "__slice__":
        return slice(*(_deserialize(inner[k], known, safe_mode) for k in ("start", "stop", "step")))
    if class_name == "__typespec__":
        raise TypeError(f"TensorFlow's type specifications have no meaning here. Received: {short(config)}")
    if class_name == "__lambda__":  # one that came by another way than through `without_lambdas`
        refuse_lambda()
    if class_name == "function":
        return find_function(config, known)
    return _make(config, known, safe_mode)


def _make(config: dict, known: dict[str, Any], safe_mode: bool, cls: Any = None) -> Any:
    """An instance of the class that a config names (or of `cls`), built and compiled as the config says."""
    inner = config["config"] if config["config"] is not None else {}
    if not isinstance(inner, (dict, list)):
        raise TypeError(f"The config of a {config['class_name']} should be a dict. Received: {short(config)}")
    shared = getattr(_state, "shared", None)
    shared_id = config.get("shared_object_id")
    if shared is not None and shared_id is not None and shared.objects.get(shared_id) is not None:
        return shared.objects[shared_id]
    cls = cls or find_class(config, known)
    if isinstance(cls, types.FunctionType):
        return cls
    if not hasattr(cls, "from_config"):
        raise TypeError(
            f"A {config['class_name']} can't be made again, because its class has no `from_config()` method. "
            f"Config: {short(config)}"
        )
    with CustomObjectScope(known), SafeModeScope(safe_mode):
        try:
            instance = cls.from_config(dict(inner) if isinstance(inner, dict) else inner)
        except TypeError as e:
            for known_error in (e, e.__cause__):  # what is wrong further inside tells more than where it stands
                if isinstance(known_error, ConfigError):
                    raise known_error from None
            raise ConfigError(
                f"{cls} could not be deserialized properly: {e}\nIf its `get_config()` returns objects (layers, models "
                f"and the like), its `from_config()` has to deserialize each of them. Config: {short(config)}"
            ) from e
        build_config = config.get("build_config")
        if build_config and not instance.built:
            instance.build_from_config(build_config)
            instance.built = True
        compile_config = config.get("compile_config")
        if compile_config:
            instance.compile_from_config(compile_config)
            instance.compiled = True
    if shared is not None and shared_id is not None:
        shared.objects[shared_id] = instance
    return instance


def _value(class_name: str, inner: Any, config: dict) -> Any:
    try:
        return _VALUES[class_name](inner)
    except (TypeError, KeyError, AttributeError) as e:
        raise TypeError(f"Could not parse config ({e}): {short(config)}") from e


def _array(inner: dict) -> np.ndarray:
    if inner["dtype"] not in _DTYPES:
        raise UnsafeFileError(f"An array in a config holds numbers. Received: dtype={inner['dtype']!r}")
    return np.array(inner["value"], dtype=inner["dtype"])


def _keras_tensor(inner: dict) -> KerasTensor:
    tensor = KerasTensor(tuple(inner["shape"]), dtype=inner["dtype"])
    tensor._pre_serialization_keras_history = inner["keras_history"]
    return tensor


_VALUES = {
    "__numpy__": _array,
    "__tensor__": lambda inner: Tensor(_array(inner)),
    "__keras_tensor__": _keras_tensor,
    "__bytes__": lambda inner: inner["value"].encode("utf-8"),
    "__ellipsis__": lambda inner: Ellipsis,
}


def _from_module_objects(config: Any, module_objects: dict[str, Any], known: dict[str, Any], safe_mode: bool) -> Any:
    """Like `_deserialize`, but built-in names are looked up in a table, as `keras.losses.deserialize` and its like do."""
    if config is None or isinstance(config, (list, tuple)):
        return _deserialize(config, known, safe_mode)
    if isinstance(config, str):
        if known.get(config) is not None:
            return known[config]
        name, inner = config, None
    elif isinstance(config, dict):
        if "class_name" not in config:
            raise ValueError(f"Unknown `config` as a `dict`, config={short(config)}")
        inner = config.get("config")
        asked = (config["class_name"], config.get("registered_name"), inner if isinstance(inner, str) else None)
        if any(a in known for a in asked if a is not None):
            return _deserialize(config, known, safe_mode)
        if config["class_name"] == "function":
            name = inner if config.get("module") == "builtins" else config.get("registered_name")
        elif config.get("module", "_") is None:
            raise TypeError(
                f"Cannot deserialize object of type `{config['class_name']}`. If it is a class of yours, register it "
                "with the `@keras.saving.register_keras_serializable()` decorator."
            )
        else:
            name = config["class_name"]
    else:
        return config
    found = module_objects.get(name)
    if found is None:
        return name  # made already, or for the caller to judge
    if not inspect.isclass(found):
        return found
    return _make({"class_name": name, "config": inner}, known, safe_mode, cls=found)
