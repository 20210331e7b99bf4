"""`get`, `serialize` and `deserialize` of losses, metrics, initializers and their like: one mechanism for all."""

import inspect
from collections.abc import Callable
from typing import Any

from kerasish.base.registry import exported
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object

WHAT = {"losses": "loss", "activations": "activation function"}
NAMES = ("get", "serialize", "deserialize")


def lookup_functions(kind: str, base_class: type | None = None) -> tuple[Callable, Callable, Callable]:
    """The three functions of `keras.<kind>`. Classes that a name stands for are instantiated by `get`.

    base_class: what `get` may give although it is not callable.
    """
    what = WHAT.get(kind, kind.removesuffix("s"))

    def known() -> dict[str, Any]:
        return {name: obj for name, obj in exported(f"keras.{kind}").items() if name not in NAMES}

    def serialize(obj: Any) -> Any:
        """The config of an object, from which `deserialize` makes it again."""
        config = serialize_keras_object(obj)
        is_function = isinstance(config, dict) and config.get("class_name") == "function"
        # a layer's config has the names of built-in activations, and whole configs of everything else
        if kind == "activations" and is_function and config["config"] in known():
            return config["config"]
        return config

    def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
        """The object of a config or a name. A name that is not known is given back."""
        table = known()
        if kind == "optimizers":  # in any case of letters
            table = {**{name.lower(): obj for name, obj in table.items()}, **table}
            if isinstance(config, dict) and str(config.get("class_name")).lower() in table:
                config = {**config, "class_name": config["class_name"].lower()}
        return deserialize_keras_object(config, module_objects=table, custom_objects=custom_objects)

    def get(identifier: Any) -> Any:
        """An object from a name, a config, a class, or the object itself; None stays None."""
        if identifier is None:
            return None
        if isinstance(identifier, str):
            obj = deserialize(identifier.lower() if kind == "optimizers" else identifier)
        elif isinstance(identifier, dict):
            obj = deserialize(identifier)
        else:
            obj = identifier
        if inspect.isclass(obj):
            obj = obj()
        if callable(obj) or (base_class is not None and isinstance(obj, base_class)):
            return obj
        raise ValueError(f"Could not interpret {what} identifier: {identifier!r}")

    return get, serialize, deserialize
