"""`save_model`, `load_model`, `save_weights`, `load_weights`: the format is chosen by the name of the file."""

import logging
import os
from collections.abc import Iterable
from typing import Any

from kerasish.base.registry import export
from kerasish.saving import keras_format, legacy_h5, weights
from kerasish.saving.archive import confirm_overwrite, is_zip

log = logging.getLogger("kerasish")

H5_SUFFIXES = (".h5", ".hdf5")


@export("keras.saving.save_model", "keras.models.save_model")
def save_model(model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
    """Save a whole model: architecture, weights, and, if it is compiled, how and the optimizer's state.

    filepath:  a path that ends in `.keras` (or in `.h5` for the older format), or a binary file object to write
               the `.keras` format into.
    overwrite: False to be asked on the terminal before a file is replaced.
    zipped:    False to write a folder instead of a `.keras` file.

    The file appears at its place only when it is complete. Raises ValueError for another suffix.
    """
    include_optimizer = kwargs.pop("include_optimizer", True)
    save_format = kwargs.pop("save_format", None)
    is_file = hasattr(filepath, "write")
    path = "" if is_file else os.fspath(filepath)
    is_h5 = path.endswith(H5_SUFFIXES)
    if save_format:
        if not (is_h5 or path.endswith(".keras")):
            raise ValueError(
                "The `save_format` argument is deprecated in Keras 3. Remove it and pass a file path that ends in "
                f"`.keras` or `.h5`. Received: save_format={save_format}"
            )
        log.warning("`save_format` is deprecated: the format follows from the file path. Received: %r", save_format)
    if kwargs:
        raise ValueError(f"The following argument(s) are not supported: {list(kwargs)}")
    _refuse_remote(path)
    if not is_file and not overwrite and os.path.exists(path) and not confirm_overwrite(path):
        return
    if zipped is None:
        zipped = True
    if is_file or not zipped or path.endswith(".keras"):
        keras_format.save(model, filepath, zipped=zipped)
    elif is_h5:
        log.warning(
            "You are saving your model as an HDF5 file via `model.save()` or `keras.saving.save_model(model)`. This file "
            "format is considered legacy. We recommend using instead the native Keras format, e.g. "
            "`model.save('my_model.keras')`."
        )
        legacy_h5.save(model, path, include_optimizer)
    else:
        raise ValueError(
            "Invalid filepath extension for saving. Please add either a `.keras` extension for the native Keras format "
            f"(recommended) or a `.h5` extension. Received: filepath={filepath}."
        )


@export("keras.saving.load_model", "keras.models.load_model")
def load_model(
    filepath: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Load a model that `model.save()` wrote, here or in Keras.

    filepath:       a `.keras` file, the folder that `zipped=False` writes, an `.h5` file, or a binary file object.
    custom_objects: your classes and functions by name, if they are not registered.
    compile:        whether to compile the model as it was, and restore the optimizer's state.
    safe_mode:      whether layers may not open other files that the model names. Code in files is never run.

    Raises UnsafeFileError, a ValueError, for a file that holds what models have no use for.
    """
    if hasattr(filepath, "read"):
        return keras_format.load(filepath, custom_objects, compile, safe_mode)
    path = os.fspath(filepath)
    _refuse_remote(path)
    is_folder = os.path.isfile(os.path.join(path, keras_format.CONFIG_NAME))
    if is_folder or (path.endswith(".keras") and is_zip(path)):
        return keras_format.load(path, custom_objects, compile, safe_mode)
    if path.endswith(H5_SUFFIXES):
        return legacy_h5.load(path, custom_objects, compile, safe_mode)
    if path.endswith(".keras"):
        state = "is no zip archive, or is damaged" if os.path.exists(path) else "does not exist"
        raise ValueError(
            f"File not found: filepath={filepath}. Please ensure the file is an accessible `.keras` zip file: this one "
            f"{state}."
        )
    raise ValueError(
        f"File format not supported: filepath={filepath}. Keras 3 only supports V3 `.keras` files and legacy H5 format "
        "files (`.h5` extension). The SavedModel format is not supported."
    )


@export("keras.saving.save_weights")
def save_weights(
    model: Any, filepath: str | os.PathLike, overwrite: bool = True, max_shard_size: float | None = None, **kwargs: Any
) -> None:
    """Save a model's weights, and the optimizer's state if it is compiled, as a `.weights.h5` file.

    objects_to_skip: layers and other parts to leave out.
    """
    objects_to_skip: Iterable[Any] | None = kwargs.pop("objects_to_skip", None)
    if kwargs:
        raise TypeError(f"save_weights() got unexpected keyword arguments: {list(kwargs)}")
    path = os.fspath(filepath)
    if max_shard_size is not None:
        raise ValueError(
            "Weights in several files are not supported. Leave `max_shard_size` out; one `.weights.h5` file may have any "
            f"size. Received: max_shard_size={max_shard_size}"
        )
    if not path.endswith(".weights.h5"):
        raise ValueError(f"The filename must end in `.weights.h5`. Received: filepath={path}")
    _refuse_remote(path)
    if not overwrite and os.path.exists(path) and not confirm_overwrite(path):
        return
    weights.save_weights_file(model, path, objects_to_skip)


@export("keras.saving.load_weights")
def load_weights(model: Any, filepath: str | os.PathLike, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Load a model's weights from a `.weights.h5`, `.keras` or older `.h5` file.

    skip_mismatch:   leave parts that do not fit as they are, with a warning, instead of raising ValueError.
    by_name:         for `.h5` files: match layers by their names instead of their order.
    objects_to_skip: for `.weights.h5` files: layers and other parts to leave as they are.
    """
    path = os.fspath(filepath)
    objects_to_skip = kwargs.pop("objects_to_skip", None)
    by_name = kwargs.pop("by_name", None)
    if kwargs:
        raise ValueError(f"Invalid keyword arguments: {kwargs}")
    _refuse_remote(path)
    is_weights = path.endswith(".weights.h5")
    if objects_to_skip is not None and not is_weights:
        raise ValueError(f"`objects_to_skip` only supports loading '.weights.h5' files. Received: {filepath}")
    if by_name is not None and (is_weights or path.endswith(".keras")):
        raise ValueError(f"`by_name` only supports loading legacy '.h5' or '.hdf5' files. Received: {filepath}")
    if is_weights or path.endswith(".keras"):
        weights.load_weights_file(model, path, skip_mismatch, objects_to_skip)
    elif path.endswith(H5_SUFFIXES):
        legacy_h5.load_weights_file(model, path, bool(by_name), skip_mismatch)
    else:
        raise ValueError(
            f"File format not supported: filepath={filepath}. Keras 3 only supports V3 `.keras` and `.weights.h5` files, "
            "or legacy V1/V2 `.h5` files."
        )


def _refuse_remote(path: str) -> None:
    scheme, found, _ = path.partition("://")
    if found and scheme.isalnum():
        raise ValueError(
            f"Files are read and written on this machine alone. Received: filepath={path}. Download or upload it "
            f"yourself, with the tools of {scheme}."
        )
