"""The registry: which class a name stands for.

Two tables. The public one is filled by `@export` when a module defines a class; it is also the allow-list of the loader:
a file can name nothing that is not in it. The custom one is filled by users (`register_keras_serializable`,
`CustomObjectScope`).
"""

import inspect
import threading
from typing import Any, Callable, TypeVar

from kerasish.base.naming import to_snake_case

T = TypeVar("T")

_public: dict[str, Any] = {}
_by_module: dict[str, dict[str, Any]] = {}
_with_aliases: dict[str, tuple[int, dict[str, Any]]] = {}
_later: dict[str, Callable[[], Any]] = {}
_canonical: dict[Any, str] = {}
_custom: dict[str, Any] = {}
_custom_names: dict[Any, str] = {}
_scoped = threading.local()


def export(*paths: str) -> Callable[[T], T]:
    """Give a class or function its public Keras path or paths; the first is the one written to files.

    In its module the object is also found by the snake case of its class name, so "glorot_uniform" finds GlorotUniform.
    """

    def register(obj: T) -> T:
        _canonical[obj] = paths[0]
        for path in paths:
            module, _, name = path.rpartition(".")
            _public[path] = obj
            _by_module.setdefault(module, {})[name] = obj
        return obj

    return register


def load_all() -> None:
    """Import everything that exports. The package's face says how, since its parts are loaded when they are used."""


def _load_rest() -> None:
    """What was looked for in vain may be in a part of the library that is not loaded yet."""
    global load_all
    load, load_all = load_all, lambda: None
    load()


def export_later(path: str, make: Callable[[], Any]) -> None:
    """Give what `make` will make, and export, a public path already: it is made when somebody looks it up."""
    _later[path] = make
    _by_module.setdefault(path.rpartition(".")[0], {})


def canonical_path(obj: Any) -> str | None:
    """The path that stands for `obj` in a file, or None if it is not one of ours."""
    try:
        return _canonical.get(obj)
    except TypeError:  # unhashable
        return None


def lookup(path: str) -> Any | None:
    """The public object at a full path such as "keras.layers.Dense", or None."""
    if path not in _public and path not in _later:
        _load_rest()
    if path in _later:
        _later.pop(path)()
    return _public.get(path)


def exported(module: str) -> dict[str, Any]:
    """Every name under a public module ("keras.losses"), snake-case aliases of classes included."""
    return dict(_names(module))


def _names(module: str) -> dict[str, Any]:
    """The names of a module, with classes under their snake-case and lower-case names, too, where those are free."""
    if module not in _by_module:
        _load_rest()
    names = _by_module.get(module, {})
    size, found = _with_aliases.get(module, (0, {}))
    if size != len(names):
        found = dict(names)
        for name, obj in names.items():
            if inspect.isclass(obj):
                found.setdefault(to_snake_case(name), obj)
                found.setdefault(name.lower(), obj)
        _with_aliases[module] = len(names), found
    return found


def modules() -> list[str]:
    """The public modules that have members."""
    _load_rest()
    return list(_by_module)


def resolve(kind: str, identifier: str) -> Any | None:
    """The object that a string such as "mse" or "glorot_uniform" means in `keras.<kind>`; custom objects come first."""
    custom = get_custom_objects().get(identifier) or scoped_objects().get(identifier)
    if custom is not None:
        return custom
    found = _names(f"keras.{kind}").get(identifier)
    if found is None and isinstance(identifier, str):
        _load_rest()
        found = _names(f"keras.{kind}").get(identifier)
    return found


# -- custom objects ---------------------------------------------------------------------------------------------------


@export("keras.saving.register_keras_serializable", "keras.utils.register_keras_serializable")
def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Register a user's class or function as `package>name`, so that saved models can refer to it."""

    def register(obj: T) -> T:
        class_name = name if name is not None else obj.__name__  # type: ignore[attr-defined]
        if inspect.isclass(obj) and not hasattr(obj, "get_config"):
            raise ValueError(
                f"Cannot register {obj.__name__}: a class that is to be saved needs a `get_config()` method. Add one."
            )
        registered = f"{package}>{class_name}"
        _custom[registered] = obj
        _custom_names[obj] = registered
        return obj

    return register


@export("keras.saving.get_custom_objects", "keras.utils.get_custom_objects")
def get_custom_objects() -> dict[str, Any]:
    """The live dictionary of globally registered custom objects."""
    return _custom


def scoped_objects() -> dict[str, Any]:
    """The custom objects of the `CustomObjectScope`s that are open in this thread."""
    return getattr(_scoped, "objects", {})


@export("keras.saving.get_registered_name", "keras.utils.get_registered_name")
def get_registered_name(obj: Any) -> str:
    """The name under which a custom object was registered, else its own name."""
    return _custom_names.get(obj, obj.__name__)


@export("keras.saving.get_registered_object", "keras.utils.get_registered_object")
def get_registered_object(
    name: str | None, custom_objects: dict[str, Any] | None = None, module_objects: dict[str, Any] | None = None
) -> Any | None:
    """The custom object registered or passed under `name`, or None."""
    for table in (scoped_objects(), _custom, custom_objects or {}, module_objects or {}):
        if name in table:
            return table[name]
    return None


@export(
    "keras.saving.CustomObjectScope",
    "keras.saving.custom_object_scope",
    "keras.utils.CustomObjectScope",
    "keras.utils.custom_object_scope",
)
class CustomObjectScope:
    """Make names known to the loader inside a `with` block: `with CustomObjectScope({"Mine": Mine}): …`"""

    def __init__(self, custom_objects: dict[str, Any]):
        self.custom_objects = custom_objects or {}

    def __enter__(self) -> "CustomObjectScope":
        self._outer = scoped_objects()
        _scoped.objects = {**self._outer, **self.custom_objects}
        return self

    def __exit__(self, *exc: Any) -> None:
        _scoped.objects = self._outer
