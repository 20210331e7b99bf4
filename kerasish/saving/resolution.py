"""Which class or function a config means. Answers come from the registry alone: nothing is imported, whatever a file says."""

import inspect
from typing import Any

from kerasish.base.errors import UnsafeFileError
from kerasish.base.registry import exported, get_registered_object, lookup, modules

# Where a function in a config may come from. Others of the public API read and write files or change settings.
FUNCTION_KINDS = (
    "activations",
    "constraints",
    "initializers",
    "losses",
    "metrics",
    "optimizers",
    "regularizers",
    "ops",
)

# Where a class is looked for that comes without a module, as in `.h5` files; layers and models first
CLASS_KINDS = (
    "layers",
    "models",
    "initializers",
    "regularizers",
    "constraints",
    "optimizers",
    "optimizers.schedules",
    "losses",
    "metrics",
    "dtype_policies",
    "random",
)


def short(value: Any, limit: int = 1000) -> str:
    """A repr for messages, cut where it gets long."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}…"


class ConfigError(TypeError):
    """A config that no object can be made of; its message tells all, and needs no other around it."""


def find_class(config: dict, custom_objects: dict[str, Any]) -> Any:
    """The class that an object's config names.

    Raises TypeError if there is none, ValueError if the config asks for what is not part of a model.
    """
    name, module = config["class_name"], config.get("module")
    registered_name = config.get("registered_name", name)
    if not isinstance(registered_name, str | None):
        raise TypeError(f"`registered_name` should be a string or None. Config: {short(config)}")
    custom = get_registered_object(registered_name, custom_objects=custom_objects)
    if custom is not None:
        return custom
    found = None
    if "module" not in config:
        found = find_by_name(name)
    elif isinstance(module, str) and _is_keras(module):
        found = lookup(f"{module}.{name}") or find_internal(module, name)
        if found is not None and not (inspect.isclass(found) and hasattr(found, "from_config")):
            raise UnsafeFileError(
                f"'{module}.{name}' can't be part of a model: it is not a layer, a loss, a metric or another class that "
                f"is made from a config. Config: {short(config)}"
            )
        if found is not None and registered_name not in (None, "", name):
            raise ValueError(
                f"The config says registered_name={registered_name!r}, but '{module}.{name}' is built in and has no "
                "registered name. Import the module that registers your class before you load the file, or remove the "
                f"`registered_name`. Config: {short(config)}"
            )
    if found is None:
        raise _not_found("class", name, config)
    return found


def find_function(config: dict, custom_objects: dict[str, Any]) -> Any:
    """The function that a function's config names. Raises like `find_class`."""
    name, module = config["config"], config.get("module")
    if not isinstance(name, str):
        raise TypeError(f"A function's config should be its name. Received: {short(config)}")
    custom = get_registered_object(name, custom_objects=custom_objects)
    if custom is not None:
        return custom
    if module == "builtins":
        for kind in FUNCTION_KINDS:
            found = exported(f"keras.{kind}").get(name)
            if found is not None and not inspect.isclass(found):
                return found
        # Keras up to 3.6 wrote `name` for functions that were registered as `package>name`
        if ">" not in name:
            for registered, found in custom_objects.items():
                if registered.endswith(f">{name}"):
                    return found
    elif isinstance(module, str) and _is_keras(module):
        kind = module.split(".")[1] if "." in module else ""
        found = lookup(f"{module}.{name}")
        if found is not None and kind not in FUNCTION_KINDS:
            raise UnsafeFileError(
                f"'{module}.{name}' can't be part of a model: it is no function of tensors. Functions in a config come "
                f"from keras.{', keras.'.join(FUNCTION_KINDS)}, or are registered. Config: {short(config)}"
            )
        if found is not None:
            return found
    raise _not_found("function", name, config)


def find_by_name(name: str, kinds: tuple[str, ...] = CLASS_KINDS) -> Any | None:
    """The built-in class of a name that comes without a module."""
    for kind in kinds:
        found = lookup(f"keras.{kind}.{name}")
        if inspect.isclass(found):
            return found
    return find_internal("keras.src", name) or find_internal("keras.src.ops", name)


def _is_keras(module: str) -> bool:
    return module == "keras" or module.startswith("keras.")


def find_internal(module: str, name: str) -> Any | None:
    """A class by one of Keras's internal module names, which differ from version to version.

    `keras.src.layers.core.dense.Dense` is keras.layers.Dense; `keras.src.engine.functional.Functional` is Functional.
    """
    parts = module.split(".")
    inner = parts[2:] if parts[1:2] == ["src"] else parts[1:]
    if inner and inner[0] == "ops":
        places = [m for m in modules() if m.startswith("keras.src.ops")]
    else:
        places = [f"keras.{kind}" for kind in inner[:1]] + ["keras"]
        places += [m for m in modules() if m.startswith("keras.src.") and not m.startswith("keras.src.ops")]
    for place in places:
        found = lookup(f"{place}.{name}")
        if inspect.isclass(found) and hasattr(found, "from_config"):
            return found
    return None


def _not_found(kind: str, name: str, config: dict) -> ConfigError:
    return ConfigError(
        f"Could not locate {kind} {name!r}. If it is yours, decorate it with "
        "`@keras.saving.register_keras_serializable()` and import the module that defines it before you load the file, "
        f"or pass it as custom_objects={{{name!r}: …}}. Config: {short(config)}"
    )
