"""ModelCheckpoint: save the model while it trains."""

import os
import warnings
from typing import Any

import numpy as np

from kerasish.base.registry import export
from kerasish.callbacks.messages import print_msg
from kerasish.callbacks.monitor import MonitorCallback


@export("keras.callbacks.ModelCheckpoint")
class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after epochs or after a number of batches.

    filepath: where to; `{epoch}`, `{batch}` (both counted from 1) and names of the logs are filled in, as in
        "{epoch:02d}-{val_loss:.2f}.keras". It ends in ".weights.h5" for weights, in ".keras" or ".h5" for models.
    save_best_only: save only when `monitor` has improved; `mode` is "min", "max" or "auto".
    save_weights_only: call `model.save_weights` instead of `model.save`.
    save_freq: "epoch", or the number of batches from one save to the next.
    initial_value_threshold: what the monitored quantity must beat at first.
    verbose: 1 to print each save.

    >>> ModelCheckpoint("best.keras", monitor="val_accuracy", mode="max", save_best_only=True).best is None
    True
    """

    state_attributes = ("best", "_batches_since_saving", "_last_batch")

    def __init__(
        self,
        filepath: str | os.PathLike,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._batches_since_saving = 0
        self._last_batch = -1
        self._current_epoch = 0
        check_save_freq(save_freq)
        endings = (".weights.h5",) if save_weights_only else (".keras", ".h5")
        if not self.filepath.endswith(endings):
            raise ValueError(
                f"`filepath` must end in {' or '.join(endings)} with save_weights_only={save_weights_only}. "
                f"Received: filepath={self.filepath}"
            )

    def _wants_batches(self) -> bool:
        return self.save_freq != "epoch"

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._current_epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.save_freq == "epoch":
            return
        self._batches_since_saving += batches_passed(self._last_batch, batch)
        self._last_batch = batch
        if self._batches_since_saving >= self.save_freq:
            self._batches_since_saving = 0
            self._save(self._current_epoch, batch, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, None, logs)

    def _save(self, epoch: int, batch: int | None, logs: dict[str, Any] | None) -> None:
        logs = logs or {}
        path = self._path(epoch, batch, logs)
        if not self._is_worth_saving(epoch, logs, path):
            return
        if os.path.isdir(path):
            raise OSError(f"ModelCheckpoint saves to a file, and there is a directory of that name: {path}")
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(path, overwrite=True)
        self._say(epoch, f"finished saving model to {path}")

    def _is_worth_saving(self, epoch: int, logs: dict[str, Any], path: str) -> bool:
        if not self.save_best_only:
            self._say(epoch, f"saving model to {path}")
            return True
        current = logs.get(self.monitor)
        if current is None or np.ndim(current) > 0:
            what = "which is not available" if current is None else f"which is no single number: {current}"
            warnings.warn(
                f"ModelCheckpoint cannot tell the best model by `{self.monitor}`, {what}. It saves every time. "
                f"Available metrics are: {','.join(logs)}",
                stacklevel=2,
            )
            return True
        if self.monitor_op is None:
            self._set_monitor_op()
        best = "None" if self.best is None else f"{self.best:.5f}"
        if not self._is_improvement(current, self.best):
            self._say(epoch, f"{self.monitor} did not improve from {best}")
            return False
        self._say(epoch, f"{self.monitor} improved from {best} to {current:.5f}, saving model to {path}")
        self.best = current
        return True

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> str:
        fields = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            return self.filepath.format(**fields)
        except KeyError as error:
            raise KeyError(
                f"`filepath` {self.filepath!r} asks for {error}, which is not available. Available: {','.join(fields)}"
            ) from None

    def _say(self, epoch: int, text: str) -> None:
        if self.verbose > 0:
            print_msg(f"Epoch {epoch + 1}: {text}")


def check_save_freq(save_freq: Any) -> None:
    """`save_freq` is "epoch" or a number of batches; ValueError for anything else."""
    if save_freq != "epoch" and not isinstance(save_freq, int):
        raise ValueError(f"`save_freq` must be 'epoch' or a number of batches. Received: save_freq={save_freq!r}")


def batches_passed(last: int, batch: int) -> int:
    """Batches from `last` to `batch`, which is in the next epoch if it is not above; `last` is -1 before the first."""
    return batch + 1 if batch <= last else batch - last
