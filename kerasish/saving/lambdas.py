"""Lambdas in model files. They are bytecode, which could do anything: written as Keras writes them, never read.

`without_lambdas` goes through a config before anything is made of it. A user who has the function can pass it under the
name of its layer, and the file loads.
"""

import marshal  # to write a lambda as Keras does; never to read one
import types
import warnings
from base64 import encodebytes
from collections.abc import Callable
from typing import Any

from kerasish.base.errors import UnsafeFileError
from kerasish.base.registry import get_custom_objects, scoped_objects

LAMBDA_FIX = (
    "Write it as a named function instead, decorate that with `@keras.saving.register_keras_serializable()`, and save "
    "the model again; or, to load the file as it is, pass the function under the name of its layer: "
    "`custom_objects={'<layer name>': function}`."
)


def serialize_lambda(function: types.FunctionType) -> dict:
    """A lambda as Keras stores it in a Lambda layer: its bytecode, which Keras runs with `safe_mode=False`, and nothing
    here ever does."""
    code = encodebytes(marshal.dumps(function.__code__)).decode("ascii")
    closure = tuple(c.cell_contents for c in function.__closure__) if function.__closure__ else None
    return {
        "class_name": "__lambda__",
        "config": {"code": code, "defaults": function.__defaults__, "closure": closure},
    }


def refuse_lambda(name: str | None = None) -> None:
    """Raise the error for a lambda in a file."""
    where = f"The layer {name!r} of the file" if name else "The file"
    raise UnsafeFileError(
        f"{where} holds the bytecode of a Python lambda. Running code from a file could do anything, so it is refused, "
        f"with `safe_mode=False` too. {LAMBDA_FIX}"
    )


def without_lambdas(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """`config` with every lambda replaced by the function the user passed under its layer's name; an error if there is
    one without.

    A layer's function is found under the layer's name, its `output_shape` and `mask` under `name.output_shape` and
    `name.mask`.
    """
    known = {**(custom_objects or {}), **scoped_objects(), **get_custom_objects()}

    def replace(layer: str | None, path: str | None) -> dict:
        if path not in known:
            refuse_lambda(layer)
        return {"module": "builtins", "class_name": "function", "config": path, "registered_name": "function"}

    return _each_lambda(config, replace)


def warn_of_lambdas(config: Any) -> None:
    """Tell who saves a model with lambdas what it takes to load it again."""
    found: list[str] = []
    _each_lambda(config, lambda layer, path: found.append(str(path)))
    if found:
        warnings.warn(
            f"The model holds lambdas, {', '.join(found)}, whose bytecode is saved and never loaded again here. {LAMBDA_FIX}",
            stacklevel=5,
        )


def _each_lambda(config: Any, replace: Callable[[str | None, str | None], Any]) -> Any:
    """`config` with `replace(layer, path)` in the place of every lambda."""

    def visit(value: Any, layer: str | None, path: str | None) -> Any:
        if isinstance(value, (list, tuple)):
            items = [visit(v, layer, path) for v in value]
            return tuple(items) if isinstance(value, tuple) else items
        if not isinstance(value, dict):
            return value
        if value.get("class_name") == "__lambda__":
            return replace(layer, path)
        inner = value.get("config")
        if isinstance(inner, dict) and isinstance(inner.get("name"), str):
            layer = path = inner["name"]
            if value.get("class_name") == "Lambda":
                value = {**value, "config": _modern_lambda(inner)}
        out = {}
        for key, item in value.items():
            named = f"{layer}.{key}" if layer and key in ("output_shape", "mask") else path
            out[key] = visit(item, layer, named)
        return out

    return visit(config, None, None)


def _modern_lambda(config: dict) -> dict:
    """A Lambda layer's config with its bytecode in today's form; old files hold it as a list and name its type beside."""
    out = {k: v for k, v in config.items() if k not in _LAMBDA_TYPES}
    for key in ("function", "output_shape", "mask"):
        if config.get(f"{key}_type") == "lambda" or (key == "function" and isinstance(config.get(key), list)):
            out[key] = {"class_name": "__lambda__", "config": {}}
    return out


_LAMBDA_TYPES = {"module", "function_type", "output_shape_type", "output_shape_module", "mask_type", "mask_module"}
