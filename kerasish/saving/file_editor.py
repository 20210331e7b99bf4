"""KerasFileEditor: look into a file of weights, change it, and write it again, without its model."""

import json
from typing import Any

import numpy as np

from kerasish.base.registry import export
from kerasish.saving.archive import ZipArchive, replacing
from kerasish.saving.hdf5 import H5Group, H5Reader, H5Writer
from kerasish.saving.keras_format import CONFIG_NAME, METADATA_NAME
from kerasish.saving.weights import WEIGHTS_NAME, WritingStore, children


@export("keras.saving.KerasFileEditor")
class KerasFileEditor:
    """Inspects and edits a `.weights.h5` file, or the weights of a `.keras` file; for instance to make an old file fit a
    model that has changed since.

    filepath: the file. It is not changed; `save` writes another.

    Its contents are in `weights_dict`: nested dictionaries by the names of objects, with arrays by the names of weights.
    """

    def __init__(self, filepath: str):
        self.filepath = filepath = str(filepath)
        self.metadata: dict | None = None
        self.config: dict | None = None
        self.weights_dict: dict[str, Any] = {}
        self.object_metadata: dict[str, dict[str, str]] = {}
        if filepath.endswith(".keras"):
            with ZipArchive(filepath) as archive:
                self.metadata = json.loads(archive.read(METADATA_NAME))
                self.config = json.loads(archive.read(CONFIG_NAME))
                with archive.open(WEIGHTS_NAME) as file, H5Reader(file, filepath) as reader:
                    self._read(reader.root)
        elif filepath.endswith(".weights.h5"):
            with H5Reader(filepath) as reader:
                self._read(reader.root)
        else:
            raise ValueError(
                f"Invalid filename: expected a `.keras` or `.weights.h5` extension. Received: filepath={filepath}"
            )
        print(f"Keras model file '{filepath}'")
        if self.metadata is not None:
            print(f"Saved with Keras {self.metadata['keras_version']} - date: {self.metadata['date_saved']}")

    def _read(self, root: H5Group) -> None:
        for path, found in root.walk():
            parts = [p for p in path.split("/") if p != "vars"]
            if isinstance(found, H5Group):
                name = found.text("name")
                if name is not None:
                    self.object_metadata["/".join(parts)] = {"name": name}
                continue
            found.check_expansion()
            place = self.weights_dict
            for part in parts[:-1]:
                place = place.setdefault(part, {})
            place[parts[-1]] = found.read()

    def summary(self) -> None:
        """Print the structure of the file."""
        print("Weights structure")
        self._print(self.weights_dict, "  ", "")

    def _print(self, tree: dict, prefix: str, path: str) -> None:
        for i, (key, value) in enumerate(tree.items()):
            last = i == len(tree) - 1
            line = f"{prefix}{'└─' if last else '├─'} {key}"
            inner = f"{path}/{key}".lstrip("/")
            if isinstance(value, dict):
                name = self.object_metadata.get(inner, {}).get("name")
                print(f"{line} ('{name}')" if name else line)
                self._print(value, prefix + ("   " if last else "│  "), inner)
            else:
                print(f"{line}: shape={np.shape(value)}, dtype={np.asarray(value).dtype}")

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Print what differs from a model's weights.

        Returns `status` ("success" or "error"), `error_count` and `match_count`.
        """
        print("Running comparison")
        problems: list[str] = []
        matches = _compare(self.weights_dict, weight_shapes(reference_model), "", problems)
        for problem in problems:
            print(f"...{problem}")
        if problems:
            print(f"Found {len(problems)} error(s): saved file is not compatible with the reference model")
        else:
            print(f"Comparison successful: saved file is compatible with the reference model, {matches} matching weight(s)")
        return {
            "status": "error" if problems else "success",
            "error_count": len(problems),
            "match_count": matches,
        }

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Give an object, named by its name or its path, another name."""
        if "/" in new_name:
            raise ValueError(f"`new_name` should be a name, not a path. Received: new_name={new_name!r}")
        place, name = self._find(object_name)
        place[new_name] = place.pop(name)

    def delete_object(self, object_name: str) -> None:
        """Remove an object."""
        place, name = self._find(object_name)
        del place[name]

    def add_object(self, object_path: str, weights: dict[str, Any]) -> None:
        """Add an object at a path, with its weights by their names, usually "0", "1" and so on."""
        _check_weights(weights)
        *above, name = object_path.split("/")
        place = self.weights_dict
        for part in above:
            if part not in place:
                raise ValueError(f"Path '{'/'.join(above)}' not found in model.")
            place = place[part]
        place[name] = dict(weights)

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Remove a weight of an object."""
        place, name = self._find(object_name)
        if weight_name not in place[name]:
            raise ValueError(
                f"Weight {weight_name} not found in object {object_name}. Weights found: {list(place[name])}"
            )
        del place[name][weight_name]

    def add_weights(self, object_name: str, weights: dict[str, Any]) -> None:
        """Add weights to an object."""
        _check_weights(weights)
        place, name = self._find(object_name)
        place[name].update(weights)

    def save(self, filepath: str) -> None:
        """Write what the editor holds now as a `.weights.h5` file."""
        if not str(filepath).endswith(".weights.h5"):
            raise ValueError(
                f"Invalid `filepath` argument: expected a `.weights.h5` extension. Received: filepath={filepath}"
            )
        with replacing(filepath) as fresh, H5Writer(fresh) as writer:
            self._write(writer, self.weights_dict, "")

    resave_weights = save

    def _write(self, writer: H5Writer, tree: dict, path: str) -> None:
        place = f"{path}/vars" if path else "vars"
        store = WritingStore(writer, place)
        if path in self.object_metadata:
            writer.group(place, self.object_metadata[path])
        for name, value in tree.items():
            if isinstance(value, dict):
                self._write(writer, value, f"{path}/{name}" if path else name)
            else:
                store[name] = value

    def _find(self, name: str) -> tuple[dict, str]:
        """The dictionary that holds an object, and its name there."""
        if "/" in name:
            *above, last = name.split("/")
            place: Any = self.weights_dict
            for part in above:
                place = place.get(part) if isinstance(place, dict) else None
            if not isinstance(place, dict) or last not in place:
                raise ValueError(f"Path '{name}' not found in model.")
            return place, last
        found = list(_holders(self.weights_dict, name))
        if not found:
            raise ValueError(
                f"Source name '{name}' does not appear in the model. Use `editor.summary()` to list all objects."
            )
        if len(found) > 1:
            raise ValueError(f"Name '{name}' occurs more than once in the model; try passing a complete path")
        return found[0], name


def weight_shapes(obj: Any, seen: set[int] | None = None) -> dict[str, Any]:
    """The arrays that saving an object would store, by place: nested dictionaries of names."""
    seen = set() if seen is None else seen
    if id(obj) in seen:
        return {}
    seen.add(id(obj))
    spec: dict[str, Any] = {}
    if hasattr(obj, "save_own_variables"):
        obj.save_own_variables(spec)
    for path, child, _ in children(obj):
        inner = weight_shapes(child, seen)
        if inner:
            place = spec
            *above, name = path.split("/")
            for part in above:
                place = place.setdefault(part, {})
            place[name] = inner
    return spec


def _compare(file: dict, model: dict, path: str, problems: list[str]) -> int:
    """Note what differs; returns how many weights agree."""
    matches = 0
    for name in [*model, *(n for n in file if n not in model)]:
        inner = f"{path}/{name}"
        kind = "Object" if isinstance(model.get(name, file.get(name)), dict) else "Weight"
        if name not in file:
            problems.append(f"{kind} {inner} present in reference model, missing from saved file")
        elif name not in model:
            problems.append(f"{kind} {inner} present in saved file, missing from reference model")
        elif isinstance(model[name], dict) and isinstance(file[name], dict):
            matches += _compare(file[name], model[name], inner, problems)
        elif isinstance(model[name], dict) or isinstance(file[name], dict):
            problems.append(f"{inner} is an object in one and a weight in the other")
        elif np.shape(file[name]) != tuple(model[name].shape):
            problems.append(
                f"Weight shape mismatch for {inner}: in reference model {tuple(model[name].shape)}, in saved file "
                f"{np.shape(file[name])}"
            )
        else:
            matches += 1
    return matches


def _holders(tree: dict, name: str) -> Any:
    if name in tree:
        yield tree
    for value in tree.values():
        if isinstance(value, dict):
            yield from _holders(value, name)


def _check_weights(weights: Any) -> None:
    if not isinstance(weights, dict):
        raise ValueError(
            "Argument `weights` should be a dict where keys are weight names (usually '0', '1', etc.) and values are NumPy "
            f"arrays. Received: type(weights)={type(weights)}"
        )
