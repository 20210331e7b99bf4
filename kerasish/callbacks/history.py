"""History: what `fit` returns."""

from typing import Any

from kerasish.base.registry import export
from kerasish.callbacks.callback import Callback


@export("keras.callbacks.History")
class History(Callback):
    """Records the logs of every epoch. `fit` adds one by itself and returns it.

    `epoch` lists the epochs, counted from 0; `history` maps each name to its values, epoch by epoch.

    >>> history = History()
    >>> history.on_train_begin()
    >>> history.on_epoch_end(0, {"loss": 0.5})
    >>> history.history
    {'loss': [0.5]}
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.epoch: list[int] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self
