"""The state of an object tree, to and from a file.

What takes part offers some of: `save_own_variables(store)` and `load_own_variables(store)`, where a store is like a
dictionary of arrays; `save_assets(folder)` and `load_assets(folder)`; and `_saveable_children()`, which gives pairs of an
attribute's name and its value: an object that takes part, or a list, tuple or dictionary with such objects inside.
An object's place in the file is the path of attribute names that leads to it, as in Keras.
"""

import functools
import inspect
import os
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from kerasish.base.errors import UnsafeFileError
from kerasish.base.naming import to_snake_case
from kerasish.base.registry import lookup
from kerasish.saving.archive import ZipArchive, replacing
from kerasish.saving.hdf5 import H5Group, H5Reader, H5Writer, StoredArray

WEIGHTS_NAME = "model.weights.h5"

# Keras's base classes. Their instances take part though they may offer no method, since they may own objects that do.
BASES = ("keras.Layer", "keras.Operation", "keras.metrics.Metric", "keras.losses.Loss", "keras.optimizers.Optimizer")

# Attributes of models that are made of a graph or a stack of layers: the layers come first, these are left out
GRAPH = ("operations", "_operations", "_functional", "_stack")

METHODS = ("_saveable_children", "save_own_variables", "save_assets")

# Types that hold nothing to save and are met often
_PLAIN = (str, bytes, int, float, bool, complex, np.ndarray, np.generic, type(None))


# -- the tree ---------------------------------------------------------------------------------------------------------


def is_saveable(obj: Any) -> bool:
    """Whether an object takes part in saving."""
    if isinstance(obj, _PLAIN) or isinstance(obj, type):
        return False
    if any(hasattr(type(obj), method) for method in METHODS):
        return True
    return _is_one_of(obj, BASES)


def _is_one_of(obj: Any, paths: Iterable[str]) -> bool:
    return any(isinstance(obj, base) for base in map(lookup, paths) if base is not None)


@functools.cache
def _attributes_of_base(base: type) -> frozenset[str]:
    """The attributes that any instance of a base class has: nothing under them is looked at."""
    names = inspect.signature(base).parameters
    wanted = {"name": "reference", "learning_rate": 1.0}
    return frozenset(dir(base(**{k: v for k, v in wanted.items() if k in names})))


def attributes(obj: Any, skip: Iterable[str] = ()) -> Iterator[tuple[str, Any]]:
    """(name, value) of an object's attributes, properties included, in Keras's order: sorted, private ones last.

    Left out are dunder names, names in `skip`, and attributes that cannot be read.
    """
    left_out = set(skip)
    for name in sorted(dir(obj), key=lambda n: f"~{n}" if n.startswith("_") else n):
        if name.startswith("__") or name in left_out:
            continue
        try:
            yield name, getattr(obj, name)
        except Exception:  # a property may have any reason not to be there yet
            continue


def children(obj: Any) -> Iterator[tuple[str, Any, str | None]]:
    """(path, object, container) of what an object owns directly, contents of containers included.

    container is the path of the innermost container if that is itself in a container, else None: files of older
    versions of Keras have nothing there.
    """
    for name, child in _owned(obj):
        if is_saveable(child):
            yield name, child, None
        elif isinstance(child, (list, tuple, dict)):
            yield from _contents(child, name, None, set())


def _owned(obj: Any) -> Iterable[tuple[str, Any]]:
    if hasattr(obj, "_saveable_children"):
        return obj._saveable_children()
    base = next((base for base in map(lookup, BASES) if base is not None and isinstance(obj, base)), None)
    skip = set(_attributes_of_base(base)) if base is not None else set()
    if hasattr(obj, "layers") and (_is_one_of(obj, ("keras.Sequential",)) or getattr(obj, "_functional", None)):
        return [("layers", obj.layers), *attributes(obj, skip.union(GRAPH))]
    return attributes(obj, skip)


def _contents(container: Any, path: str, inside: str | None, seen: set[int]) -> Iterator[tuple[str, Any, str | None]]:
    if id(container) in seen:
        return
    seen.add(id(container))
    used: dict[str, int] = {}

    def named(name: str) -> str:
        used[name] = used.get(name, -1) + 1
        return f"{path}/{name}_{used[name]}" if used[name] else f"{path}/{name}"

    for item in list(container.values()) if isinstance(container, dict) else list(container):
        # not by the object's own name: that is made automatically and differs from one run to the next
        if is_saveable(item):
            yield named(to_snake_case(type(item).__name__)), item, inside
        elif isinstance(item, (list, tuple, dict)):
            inner = named("container")
            yield from _contents(item, inner, inner, seen)


# -- stores -----------------------------------------------------------------------------------------------------------


class WritingStore:
    """What an object puts its arrays into: `store["0"] = array`."""

    def __init__(self, writer: H5Writer, path: str):
        self._writer, self._path = writer, path
        self._names: set[str] = set()

    def __setitem__(self, name: str, value: Any) -> None:
        self._writer.array(f"{self._path}/{name}", value)
        self._names.add(name)

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def __len__(self) -> int:
        return len(self._names)

    def keys(self) -> list[str]:
        return sorted(self._names)


class ReadingStore:
    """What an object takes its arrays from: `store["0"]`.

    An array is read only if it is one that the object has use for: for the library's own classes, if one of the object's
    variables has its shape and can hold its values; for others, if it is stored in full.
    """

    def __init__(self, group: H5Group | None, obj: Any, path: str):
        self._group, self._object, self._path = group, obj, path
        self._expected = _expected(obj)

    def keys(self) -> list[str]:
        return [] if self._group is None else self._group.names()

    def __len__(self) -> int:
        return len(self.keys())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, name: str) -> bool:
        return self._group is not None and name in self._group

    def __getitem__(self, name: str) -> np.ndarray:
        stored = self._group.array(name) if self._group is not None else None
        if stored is None:
            raise KeyError(f"{self._path}/{name}")
        if self._expected is None:
            stored.check_expansion()
        elif not any(stored.shape == tuple(v.shape) and holds(v, stored) for v in self._expected):
            wanted = ", ".join(f"{v.name} {tuple(v.shape)} {v.dtype}" for v in self._expected)
            raise ValueError(
                f"The array {stored.where} has shape {stored.shape} and dtype {stored.dtype}, which none of the variables "
                f"of {described(self._object)} has: {wanted}. Give the layer the sizes that the file was saved with, or "
                "pass `skip_mismatch=True` to leave it as it is."
            )
        return stored.read()

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default

    def items(self) -> Iterator[tuple[str, np.ndarray]]:
        return ((name, self[name]) for name in self.keys())

    def values(self) -> Iterator[np.ndarray]:
        return (self[name] for name in self.keys())


def holds(variable: Any, stored: StoredArray) -> bool:
    """Whether a variable can take a stored array's values without losing what they are: no fractions into integers."""
    return np.can_cast(stored.dtype, np.dtype(str(variable.dtype)), "same_kind") or (
        stored.dtype.kind in "iu" and np.dtype(str(variable.dtype)).kind in "iu"
    )


def _expected(obj: Any) -> list | None:
    """The object's own variables if its arrays must be theirs, else None."""
    if not type(obj).load_own_variables.__module__.startswith("kerasish."):
        return None
    if hasattr(obj, "_non_trainable_variables"):  # a layer, whose `variables` has those of its layers, too
        found = [*obj._trainable_variables, *obj._non_trainable_variables]
    else:
        found = list(getattr(obj, "variables", ()))
    return found or None


def described(obj: Any) -> str:
    """An object for a message."""
    name = getattr(obj, "name", None)
    return f"{type(obj).__name__} {name!r}" if isinstance(name, str) else type(obj).__name__


# -- saving and loading a tree ----------------------------------------------------------------------------------------


def save_state(
    root: Any, weights: H5Writer | None = None, assets: str | None = None, skip: Iterable[Any] = ()
) -> None:
    """Write the variables of an object and all it owns; assets go into the folder `assets`."""
    seen = {id(obj) for obj in skip}

    def save(obj: Any, path: str) -> None:
        if id(obj) in seen:
            return
        seen.add(id(obj))
        if weights is not None and hasattr(obj, "save_own_variables"):
            place = f"{path}/vars" if path else "vars"
            name = getattr(obj, "name", None)
            if isinstance(name, str) and name:
                weights.group(place, {"name": name})
            obj.save_own_variables(WritingStore(weights, place))
        if assets is not None and hasattr(obj, "save_assets"):
            folder = os.path.join(assets, *path.split("/"))
            os.makedirs(folder, exist_ok=True)
            obj.save_assets(folder)
        for name, child, _ in children(obj):
            save(child, f"{path}/{name}" if path else name)

    save(root, "")


def load_state(
    root: Any,
    weights: H5Group | None = None,
    assets: str | None = None,
    skip_mismatch: bool = False,
    skip: Iterable[Any] = (),
) -> None:
    """Read the variables of an object and all it owns; assets are in the folder `assets`.

    What does not fit raises ValueError, or with skip_mismatch a warning, after everything else has been loaded.
    A file that is not safe raises UnsafeFileError at once.
    """
    done = {id(obj) for obj in skip}
    under_way: set[int] = set()  # an object may own one that refers back to it
    failed: dict[int, tuple[Any, Exception]] = {}
    unsaved: list[str] = []

    def load(obj: Any, path: str, failures: dict[int, tuple[Any, Exception]]) -> None:
        if id(obj) in done or id(obj) in under_way:
            return
        under_way.add(id(obj))
        problem = None
        try:
            if weights is not None and hasattr(obj, "load_own_variables"):
                obj.load_own_variables(ReadingStore(_group_for(weights, path), obj, path))
            if assets is not None and hasattr(obj, "load_assets"):
                folder = os.path.join(assets, *path.split("/"))
                obj.load_assets(folder if os.path.isdir(folder) else None)
        except UnsafeFileError:
            raise
        except Exception as e:  # whatever a user's method raises is reported with the others
            problem = e
        before = len(failures)
        for name, child, container in children(obj):
            below = f"{path}/{name}" if path else name
            inside = f"{path}/{container}" if path and container else container
            if inside and not _present(weights, assets, inside):
                aside: dict[int, tuple[Any, Exception]] = {}
                load(child, below, aside)
                if aside:
                    unsaved.append(inside)
            else:
                load(child, below, failures)
        # An object may be reachable by several paths and stored at another: what fails here may be found there.
        under_way.remove(id(obj))
        below_is_well = len(failures) <= before
        if problem is not None:
            failures[id(obj)] = (obj, problem)
            return
        failures.pop(id(obj), None)
        if below_is_well:
            done.add(id(obj))

    load(root, "", failed)
    if unsaved:
        warnings.warn(
            f"Nothing was saved of what is in the nested container {unsaved[0]!r}, and {len(unsaved)} objects in such "
            "containers keep the values they have: the file comes from a version of Keras that left them out.",
            stacklevel=4,
        )
    if failed:
        _report(failed, skip_mismatch)


def _present(weights: H5Group | None, assets: str | None, path: str) -> bool:
    in_weights = weights is not None and path in weights
    return in_weights or (assets is not None and os.path.exists(os.path.join(assets, *path.split("/"))))


def _group_for(root: H5Group, path: str) -> H5Group | None:
    """Where the variables of the object at a path are stored, or None."""
    group = root.group(f"{path}/vars" if path else "vars")
    if group is None and path and "_layer_checkpoint_dependencies" in root:  # Keras 2.13
        group = root.group(path.replace("layers", "_layer_checkpoint_dependencies") + "/vars")
    return group


def _report(failed: dict[int, tuple[Any, Exception]], warn_only: bool) -> None:
    example, error = next(iter(failed.values()))
    message = (
        f"A total of {len(failed)} objects could not be loaded. Example error message for object {example}:\n\n{error}"
        f"\n\nList of objects that could not be loaded:\n{[obj for obj, _ in failed.values()]}"
    )
    if not warn_only:
        raise ValueError(message)
    warnings.warn(message, stacklevel=4)


# -- files of weights alone -------------------------------------------------------------------------------------------


def save_weights_file(model: Any, path: str | os.PathLike, objects_to_skip: Iterable[Any] | None = None) -> None:
    """Write a `.weights.h5` file."""
    if not model.built:
        raise ValueError(
            "You are saving the weights of a model that has not yet been built, so it has none. Call it on some data or "
            "use `build()` first."
        )
    with replacing(path) as fresh, H5Writer(fresh) as writer:
        save_state(model, writer, skip=objects_to_skip or ())


def load_weights_file(
    model: Any, path: str | os.PathLike, skip_mismatch: bool = False, objects_to_skip: Iterable[Any] | None = None
) -> None:
    """Read a `.weights.h5` file, or the weights of a `.keras` file."""
    if not model.built:
        raise ValueError(
            "You are loading weights into a model that has not yet been built, so it has no variables to take them. "
            "Call it on some data or use `build()` first."
        )
    options = {"skip_mismatch": skip_mismatch, "skip": objects_to_skip or ()}
    if str(path).endswith(".keras"):
        with ZipArchive(path) as archive, archive.open(WEIGHTS_NAME) as file, H5Reader(file, str(path)) as reader:
            load_state(model, reader.root, **options)
    else:
        with H5Reader(path) as reader:
            load_state(model, reader.root, **options)
