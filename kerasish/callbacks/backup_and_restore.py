"""BackupAndRestore: a run that was killed goes on where it was."""

import json
import os
import re
import warnings
from typing import Any, Sequence

import numpy as np

from kerasish.base.registry import export
from kerasish.callbacks.callback import Callback
from kerasish.callbacks.model_checkpoint import batches_passed, check_save_freq

METADATA = "training_metadata.json"
PREVIOUS_METADATA = f"{METADATA}.bkp"
KERAS_WEIGHTS = "latest.weights.h5"  # where Keras keeps them; its metadata does not name the file
_OUR_FILES = re.compile(
    r"backup-\d+\.(weights\.h5|npy)|training_metadata\.json(\.bkp|\.tmp|\.bkp\.tmp)?|latest\.weights\.h5(\.bkp)?"
)


@export("keras.callbacks.BackupAndRestore")
class BackupAndRestore(Callback):
    """Backs a training run up, and lets `fit` take it up again after an interruption, to the same bits.

    backup_dir: a directory for this run's backups alone. A new `fit` of the same model with the same arguments looks
        there and goes on from the last backup.
    save_freq: "epoch", or the number of batches from one backup to the next.
    double_checkpoint: keep the backup before the last, too, in case the last cannot be read.
    delete_checkpoint: remove the backups when the training is finished.

    The model must be built. What a backup holds and when it takes effect is told in this folder's README.md.

    >>> BackupAndRestore("backups", save_freq=100).save_freq
    100
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike,
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ):
        super().__init__()
        if not backup_dir:
            raise ValueError("`backup_dir` is empty. Pass the path of a directory for the backups of this run.")
        check_save_freq(save_freq)
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._callbacks: Sequence[Callback] = ()
        self._restored: list[dict[str, Any]] | None = None
        self._current_epoch = 0
        self._last_batch = -1
        self._batches_since_saving = 0
        self._generation = 0

    def set_callbacks(self, callbacks: Sequence[Callback]) -> None:
        """Receive the callbacks of the run, whose memory is backed up too."""
        self._callbacks = callbacks

    def _wants_batches(self) -> bool:
        return self.save_freq != "epoch"

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not self.model.built:
            raise ValueError(
                "BackupAndRestore needs a model that is built before `fit()`. Give its first layer an input shape, or "
                "call the model on a batch of data."
            )
        self._last_batch, self._batches_since_saving, self._restored = -1, 0, None
        paths = [os.path.join(self.backup_dir, name) for name in (METADATA, PREVIOUS_METADATA)]
        found = [path for path in paths if os.path.exists(path)]
        for path in found:
            try:
                self._load(path)
                return
            except Exception as error:  # whatever a damaged file leads to
                if path == found[-1]:
                    raise
                warnings.warn(f"The last backup cannot be read, the one before it is used: {error}", stacklevel=2)

    def restore_callbacks(self) -> None:
        """Give the other callbacks their memory back, after their own `on_train_begin`."""
        if self._restored is None:
            return
        others = [callback for callback, _ in self._with_memory()]
        names = [type(callback).__name__ for callback in others]
        if names != [entry["class"] for entry in self._restored]:
            warnings.warn(
                f"The callbacks are not those of the interrupted run: {names} instead of "
                f"{[entry['class'] for entry in self._restored]}. They start without memory of it.",
                stacklevel=2,
            )
            return
        for callback, entry in zip(others, self._restored, strict=True):
            callback.set_state(entry["state"])

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._current_epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.save_freq == "epoch":
            return
        self._batches_since_saving += batches_passed(self._last_batch, batch)
        self._last_batch = batch
        if self._batches_since_saving >= self.save_freq:
            self._batches_since_saving = 0
            self._save(self._current_epoch, batch)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch + 1, 0)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.delete_checkpoint and os.path.isdir(self.backup_dir):
            self._remove_files(keep=())
            if not os.listdir(self.backup_dir):  # never anything that is not ours
                os.rmdir(self.backup_dir)

    def _with_memory(self) -> list[tuple[Callback, dict[str, Any]]]:
        states = [(callback, callback.get_state()) for callback in self._callbacks if isinstance(callback, Callback)]
        return [(callback, state) for callback, state in states if state]

    # -- files -----------------------------------------------------------------------------------------------------

    def _save(self, epoch: int, batch: int) -> None:
        os.makedirs(self.backup_dir, exist_ok=True)
        self._generation += 1
        weights = f"backup-{self._generation}.weights.h5"
        arrays: list[np.ndarray] = []
        get_training_state = getattr(self.model, "get_training_state", dict)
        metadata = {
            "epoch": epoch,
            "batch": batch,
            "generation": self._generation,
            "stop_training": bool(getattr(self.model, "stop_training", False)),
            "weights": weights,
            "model": _encode(get_training_state(), arrays),
            "callbacks": [
                {"class": type(callback).__name__, "state": _encode(state, arrays)}
                for callback, state in self._with_memory()
            ],
            "arrays": f"backup-{self._generation}.npy" if arrays else None,
        }
        self.model.save_weights(self._path(weights), overwrite=True)
        if arrays:
            with open(self._path(metadata["arrays"]), "wb") as file:
                for array in arrays:
                    np.save(file, array, allow_pickle=False)
        for name in (weights, metadata["arrays"]):
            if name:
                _flush_to_disk(self._path(name))

        # The backup exists from the moment at which its metadata takes the place of the last backup's.
        current, temporary, previous = (self._path(name) for name in (METADATA, f"{METADATA}.tmp", PREVIOUS_METADATA))
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(metadata, file)
        _flush_to_disk(temporary)
        keep = {METADATA, *_files_of(metadata)}
        if self.double_checkpoint and os.path.exists(current):
            keep |= {PREVIOUS_METADATA, *_files_of(_read_json(current))}
            _copy(current, previous)
        os.replace(temporary, current)
        _flush_to_disk(self.backup_dir)
        self._remove_files(keep)

    def _load(self, path: str) -> None:
        metadata = _read_json(path)
        arrays: list[np.ndarray] = []
        if metadata.get("arrays"):
            with open(self._path(metadata["arrays"]), "rb") as file:
                size = os.fstat(file.fileno()).st_size
                while file.tell() < size:
                    arrays.append(np.load(file, allow_pickle=False))
        optimizer = self.model.optimizer
        if optimizer is not None and not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        weights = metadata.get("weights", KERAS_WEIGHTS + (".bkp" if path.endswith(".bkp") else ""))
        self.model.load_weights(self._path(weights))
        self.model._initial_epoch = metadata["epoch"]
        self.model.stop_training = metadata.get("stop_training", False)
        if metadata.get("model") and hasattr(self.model, "set_training_state"):
            self.model.set_training_state(_decode(metadata["model"], arrays))
        self._restored = _decode(metadata["callbacks"], arrays) if "callbacks" in metadata else None
        self._generation = metadata.get("generation", 0)

    def _path(self, name: str) -> str:
        if os.path.basename(name) != name:
            raise ValueError(f"A backup names a file outside its directory: {name!r}")
        return os.path.join(self.backup_dir, name)

    def _remove_files(self, keep: Any) -> None:
        for name in os.listdir(self.backup_dir):
            if _OUR_FILES.fullmatch(name) and name not in keep:
                os.remove(os.path.join(self.backup_dir, name))


def _files_of(metadata: dict[str, Any]) -> set[str]:
    return {name for name in (metadata.get("weights", KERAS_WEIGHTS), metadata.get("arrays")) if name}


def _read_json(path: str) -> dict[str, Any]:
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def _copy(source: str, target: str) -> None:
    with open(source, "rb") as old, open(f"{target}.tmp", "wb") as new:
        new.write(old.read())
    _flush_to_disk(f"{target}.tmp")
    os.replace(f"{target}.tmp", target)


def _flush_to_disk(path: str) -> None:
    if os.name == "nt" and os.path.isdir(path):  # Windows cannot open directories
        return
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _encode(value: Any, arrays: list[np.ndarray]) -> Any:
    """A nested value as JSON can hold it; arrays are put aside, with their number in their place."""
    if isinstance(value, dict):
        return {str(key): _encode(item, arrays) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encode(item, arrays) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "__array__"):
        arrays.append(np.asarray(value))
        return {"__array__": len(arrays) - 1}
    return value


def _decode(value: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(value, dict):
        if set(value) == {"__array__"}:
            return arrays[value["__array__"]]
        return {key: _decode(item, arrays) for key, item in value.items()}
    return [_decode(item, arrays) for item in value] if isinstance(value, list) else value
