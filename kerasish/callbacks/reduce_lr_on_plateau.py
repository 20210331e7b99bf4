"""ReduceLROnPlateau: smaller steps when nothing improves."""

import warnings
from typing import Any

import numpy as np

from kerasish.base.registry import export
from kerasish.callbacks.messages import print_msg
from kerasish.callbacks.monitor import MonitorCallback, learning_rate_of, log_learning_rates, named_optimizers


@export("keras.callbacks.ReduceLROnPlateau")
class ReduceLROnPlateau(MonitorCallback):
    """Reduces the learning rate when a monitored quantity has stopped improving.

    monitor, mode, min_delta: what to watch, "min", "max" or "auto", and the least change that counts.
    factor: below 1; the new learning rate is the old one times this, but never below `min_lr`.
    patience: epochs without improvement before a reduction.
    cooldown: epochs after a reduction in which none is counted.
    verbose: 1 to print each reduction.

    The learning rate joins the logs as "learning_rate".

    >>> ReduceLROnPlateau(factor=0.2, patience=5, min_lr=0.001).in_cooldown()
    False
    """

    state_attributes = ("best", "cooldown_counter", "wait")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1.0:
            raise ValueError(f"`factor` must be below 1, for the learning rate to become smaller. Received: {factor}")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.monitor_op is None:
            self._set_monitor_op()
        logs = {} if logs is None else logs
        log_learning_rates(self.model, logs)
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(
                f"Learning rate reduction watches `{self.monitor}`, which is not available. "
                f"Available metrics are: {','.join(logs)}.",
                stacklevel=2,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def in_cooldown(self) -> bool:
        """Whether a reduction was so recent that epochs without improvement do not count."""
        return self.cooldown_counter > 0

    def _reduce(self, epoch: int) -> bool:
        reduced = False
        for name, optimizer in named_optimizers(self.model):
            old = learning_rate_of(optimizer)
            if old > np.float32(self.min_lr):  # the rate is kept in float32
                new = max(old * self.factor, self.min_lr)
                optimizer.learning_rate = new
                reduced = True
                if self.verbose > 0:
                    whose = f" {name}" if name else ""
                    print_msg(f"Epoch {epoch + 1}: ReduceLROnPlateau reducing{whose} learning rate to {new}.")
        return reduced
