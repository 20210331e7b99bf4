"""`.keras` files: a zip archive, or a folder, of metadata.json, config.json, model.weights.h5 and assets/."""

import datetime
import json
import os
import warnings
from contextlib import ExitStack
from typing import Any, BinaryIO

from kerasish.base.errors import UnsafeFileError
from kerasish.base.lazy import Lazy
from kerasish.saving.archive import (
    Archive,
    FolderArchive,
    ZipArchive,
    files_below,
    replacing,
    scratch_file,
    write_folder,
    write_zip,
)
from kerasish.saving.hdf5 import H5Reader, H5Writer
from kerasish.saving.lambdas import warn_of_lambdas
from kerasish.saving.serialization import (
    KERAS_VERSION,
    ObjectSharingScope,
    deserialize_keras_object,
    serialize_keras_object,
    to_json,
)
from kerasish.saving.weights import WEIGHTS_NAME, load_state, save_state

tempfile = Lazy("tempfile")

CONFIG_NAME = "config.json"
METADATA_NAME = "metadata.json"
ASSETS_NAME = "assets"


def save(model: Any, target: str | os.PathLike | BinaryIO, zipped: bool = True) -> None:
    """Write a model as a `.keras` file, into a binary file object, or with `zipped=False` into a folder.

    Until everything has been written, nothing changes at `target`.
    """
    if not model.built:
        warnings.warn(
            "You are saving a model that has not yet been built. It might not contain any weights yet. Consider building "
            "the model first by calling it on some data.",
            stacklevel=3,
        )
    is_path = not hasattr(target, "write")
    if is_path and zipped and not str(target).endswith(".keras"):
        raise ValueError(f"Invalid `filepath` argument: expected a `.keras` extension. Received: filepath={target}")
    if is_path and not zipped and str(target).endswith(".keras"):
        raise ValueError(
            "When using `zipped=False`, the `filepath` argument should not end in `.keras`. "
            f"Received: filepath={target}"
        )
    if not is_path and not zipped:
        raise ValueError(f"With `zipped=False` a model is saved into a folder. Received: filepath={target!r}")
    folder = os.path.dirname(os.path.abspath(target)) if is_path else None  # type: ignore[arg-type]
    with ExitStack() as stack:
        weights = stack.enter_context(scratch_file(folder if folder and os.path.isdir(folder) else None))
        assets = stack.enter_context(tempfile.TemporaryDirectory())
        texts = _texts(model)
        with H5Writer(weights) as writer:
            save_state(model, writer, assets)
        parts = (texts, {WEIGHTS_NAME: weights}, {ASSETS_NAME: assets} if files_below(assets) else {})
        if not is_path:
            write_zip(target, *parts)  # type: ignore[arg-type]
        elif zipped:
            fresh = stack.enter_context(replacing(target))  # type: ignore[arg-type]
            with open(fresh, "wb") as file:
                write_zip(file, *parts)
        else:
            write_folder(str(target), *parts)


def _texts(model: Any) -> dict[str, str]:
    with ObjectSharingScope():
        config = serialize_keras_object(model)
    warn_of_lambdas(config)
    saved = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    return {
        METADATA_NAME: to_json({"keras_version": KERAS_VERSION, "date_saved": saved}),
        CONFIG_NAME: to_json(config),
    }


def load(
    source: str | os.PathLike | BinaryIO,
    custom_objects: dict[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Read a model from a `.keras` file, from a binary file object, or from a folder."""
    archive: Archive
    if hasattr(source, "read") or not os.path.isdir(source):  # type: ignore[arg-type]
        archive = ZipArchive(source, None if not hasattr(source, "read") else getattr(source, "name", "the file object"))
    else:
        archive = FolderArchive(source)  # type: ignore[arg-type]
    with archive:
        model = model_from_json_config(archive.read(CONFIG_NAME), archive.name, custom_objects, compile, safe_mode)
        _load_state(model, archive)
    return model


def model_from_json_config(
    text: bytes | str, name: str, custom_objects: dict[str, Any] | None, compile: bool, safe_mode: bool
) -> Any:
    """A model from the JSON text of its config, without its weights; `name` is the file's, for messages."""
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise ValueError(f"The config in {name!r} is not JSON ({e}): the file is damaged.") from e
    if not isinstance(config, dict) or "class_name" not in config:
        raise ValueError(f"The config in {name!r} does not describe a model. Received: {str(config)[:200]}")
    if not compile:
        config["compile_config"] = None
    try:
        with ObjectSharingScope():
            return deserialize_keras_object(config, custom_objects, safe_mode=safe_mode)
    except RecursionError as e:
        raise UnsafeFileError(f"The config in {name!r} is nested too deeply to be a model's.") from e


def _load_state(model: Any, archive: Archive) -> None:
    if WEIGHTS_NAME not in archive and WEIGHTS_NAME.replace(".h5", ".npz") in archive:
        raise UnsafeFileError(
            f"The weights of {archive.name!r} are pickled in an .npz file, and unpickling can run any code. Have the "
            "model saved again with its weights as HDF5, which is what `model.save()` does."
        )
    with ExitStack() as stack:
        assets = None
        if ASSETS_NAME in archive:
            assets = archive.extract(ASSETS_NAME, stack.enter_context(tempfile.TemporaryDirectory()))
        file = stack.enter_context(archive.open(WEIGHTS_NAME))
        reader = stack.enter_context(H5Reader(file, f"{archive.name}:{WEIGHTS_NAME}"))
        load_state(model, reader.root, assets)
