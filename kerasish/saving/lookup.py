"""`get`, `serialize` and `deserialize` of losses, metrics, initializers and their like: one mechanism for all."""

import inspect
from collections.abc import Callable
from typing import Any

from kerasish.base.registry import export, exported
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object

NAMES = ("get", "serialize", "deserialize")

# How Keras's messages and parameters name a member of a family, where it is not the family's name without the s
SINGULAR = {"losses": "loss", "optimizers.schedules": "learning_rate_schedule"}
WHAT = {"activations": "activation function"}
CONFIG_PARAMETER = {"losses": "name"}
WITHOUT_GET = {"optimizers.schedules"}


def lookup_functions(
    kind: str, base_class: type | None = None, names: Callable[[], dict[str, Any]] | None = None
) -> tuple[Callable, Callable, Callable]:
    """The public functions `get`, `serialize` and `deserialize` of `keras.<kind>`.

    base_class: what `get` may give although it is not callable.
    names:      the table of names, if it is not everything that is exported under `keras.<kind>`, classes also by their
                names in snake case.

    `get` takes a name, a config, a class or an object, makes an instance of a class, and raises ValueError for what is
    none of these; None stays None.
    """
    singular = SINGULAR.get(kind, kind.removesuffix("s"))
    what = WHAT.get(kind, singular)

    def known() -> dict[str, Any]:
        if names is not None:
            return names()
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
        if kind == "activations" and isinstance(config, dict) and config.get("class_name", "function") != "function":
            return deserialize_keras_object(config, custom_objects=custom_objects)  # an activation may be a layer
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
        raise ValueError(
            f"Could not interpret {what} identifier: {identifier!r}. Expected a name or a config of keras.{kind}, a "
            f"callable, or None; names of your own are found inside a `keras.saving.custom_object_scope`."
        )

    functions = (get, _named(serialize, singular), _named(deserialize, CONFIG_PARAMETER.get(kind, "config")))
    for function in functions:
        function.__module__ = f"kerasish.{kind}"
        function.__qualname__ = function.__name__
        if function is not get or kind not in WITHOUT_GET:
            export(f"keras.{kind}.{function.__name__}")(function)
    return functions


def _named(function: Callable, parameter: str) -> Callable:
    """The function with its first parameter called as Keras calls it."""
    signature = inspect.signature(function)
    first, *rest = signature.parameters.values()

    def renamed(*args: Any, **kwargs: Any) -> Any:
        if parameter in kwargs:
            args = (kwargs.pop(parameter), *args)
        return function(*args, **kwargs)

    renamed.__name__ = function.__name__
    renamed.__doc__ = function.__doc__
    renamed.__signature__ = signature.replace(parameters=[first.replace(name=parameter), *rest])  # type: ignore[attr-defined]
    return renamed
