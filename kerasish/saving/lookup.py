"""`get`, `serialize` and `deserialize` of losses, metrics, initializers and their like: one mechanism for all."""

import inspect
from typing import Any, Callable

from kerasish.base.registry import get_registered_object, resolve
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


def lookup_functions(kind: str, base_class: type | None = None) -> tuple[Callable, Callable, Callable]:
    """The three functions of `keras.<kind>`. Classes that a name stands for are instantiated by `get`."""
    what = kind.removesuffix("s").removesuffix("se") if kind == "losses" else kind.removesuffix("s")
    if kind == "losses":
        what = "loss"

    def serialize(obj: Any) -> Any:
        """The config of an object, from which `deserialize` makes it again."""
        config = serialize_keras_object(obj)
        if isinstance(config, dict) and config.get("class_name") == "function" and config.get("registered_name") in (
            None, config.get("config"),
        ):  # fmt: skip
            return config["config"]
        return config

    def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
        """The object of a config or a name."""
        if isinstance(config, str):
            found = (custom_objects or {}).get(config) or resolve(kind, config) or get_registered_object(config)
            if found is None:
                raise ValueError(f"Could not interpret {what} identifier: {config!r}. It is no name in keras.{kind}.")
            return found
        return deserialize_keras_object(config, custom_objects=custom_objects)

    def get(identifier: Any) -> Any:
        """An object from a name, a config, a class, or the object itself; None stays None."""
        if identifier is None:
            return None
        if isinstance(identifier, str):
            obj = resolve(kind, identifier) or get_registered_object(identifier)
        elif isinstance(identifier, dict):
            obj = deserialize(identifier)
        else:
            obj = identifier
        if callable(obj) or (base_class is not None and isinstance(obj, base_class)):
            return obj() if inspect.isclass(obj) else obj
        raise ValueError(f"Could not interpret {what} identifier: {identifier!r}")

    return get, serialize, deserialize
