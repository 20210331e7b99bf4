"""ProgbarLogger: the progress that `fit`, `evaluate` and `predict` show."""

from typing import Any

from kerasish.base.registry import export
from kerasish.callbacks.callback import Callback
from kerasish.callbacks.messages import print_msg
from kerasish.callbacks.progbar import Progbar, can_draw


@export("keras.callbacks.ProgbarLogger")
class ProgbarLogger(Callback):
    """Shows the progress of each epoch with the values that `History` records. `fit` adds one unless `verbose=0`.

    `params["verbose"]`: 0 silent; 1 or "auto" a live bar where stdout can show one, else a line an epoch; 2 a line an
    epoch. The validation of a fit is silent by itself; its results stand at the end of the epoch's line.

    >>> logger = ProgbarLogger()
    >>> logger.set_params({"verbose": 0, "epochs": 1, "steps": 10})
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.progbar: Any = None
        self.target: int | None = None
        self.verbose = 1
        self.epochs = 1
        self._called_in_fit = False

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        verbose = params["verbose"]
        self.verbose = 1 if verbose == "auto" else int(verbose or 0)
        self.epochs = params["epochs"]
        self.target = params["steps"]

    def _wants_batches(self) -> bool:
        # Something to show before the end, or steps to count because nobody knows their number.
        return self.target is None or (self.verbose == 1 and can_draw())

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._called_in_fit = True

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        title = f"Epoch {epoch + 1}/{self.epochs}" if self.epochs > 1 else ""
        self._start(title)
        if title and self.progbar.is_live:
            print_msg(title)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not self._called_in_fit:
            self._start()

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._start()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._step(batch, logs)

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if not self._called_in_fit:
            self._step(batch, logs)

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._step(batch, None)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._finish(logs)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._called_in_fit = False

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        if not self._called_in_fit:
            self._finish(logs)

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        self._finish(None)

    def _start(self, title: str = "") -> None:
        if self.progbar is not None:
            self.progbar.close()  # one that an error left open
        self.seen = 0
        self.progbar = Progbar(self.target, verbose=self.verbose, stateless_metrics=(), unit_name="step")
        self.progbar.title = title

    def _step(self, batch: int, logs: dict[str, Any] | None) -> None:
        self.seen = batch + 1
        if self.progbar.is_due():  # reading the logs is what costs
            self.progbar.update(self.seen, (logs or {}).items(), finalize=False)

    def _finish(self, logs: dict[str, Any] | None) -> None:
        if self.target is None:
            self.target = self.progbar.target = self.seen
        self.progbar.update(self.target, (logs or {}).items(), finalize=True)
