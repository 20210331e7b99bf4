"""EarlyStopping: end the training when it no longer helps."""

import warnings
from typing import Any

import numpy as np

from kerasish.base.registry import export
from kerasish.callbacks.messages import print_msg
from kerasish.callbacks.monitor import MonitorCallback


@export("keras.callbacks.EarlyStopping")
class EarlyStopping(MonitorCallback):
    """Stops training when a monitored quantity has stopped improving.

    monitor, min_delta, mode: what to watch, the least change that counts, and "min", "max" or "auto".
    patience: how many epochs without improvement are borne.
    verbose: 1 to print when training is stopped.
    baseline: patience also runs while the quantity has not beaten this value.
    restore_best_weights: go back, at the end, to the weights of the best epoch.
    start_from_epoch: how many epochs pass before watching begins.

    >>> EarlyStopping(monitor="loss", patience=3).patience
    3
    """

    state_attributes = ("wait", "stopped_epoch", "best", "best_weights", "best_epoch")

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.wait = 0
        self.stopped_epoch = 0
        self.best_weights: list[np.ndarray] | None = None
        self.best_epoch = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_weights = None
        self.best_epoch = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.monitor_op is None:
            self._set_monitor_op()
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.best_weights is None:
            self._remember_weights(epoch)

        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best = current
            self._remember_weights(epoch)
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.verbose > 0 and self.stopped_epoch > 0:
            print_msg(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose > 0:
                print_msg(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: dict[str, Any] | None) -> Any:
        """The monitored value from the logs, or None, with a warning, if it is not there."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"Early stopping watches `{self.monitor}`, which is not available. "
                f"Available metrics are: {','.join(logs or ())}",
                stacklevel=2,
            )
        return value

    def _remember_weights(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = [np.array(weight) for weight in self.model.get_weights()]
