"""Callback: the hooks that a fit, an evaluation and a prediction call."""

from typing import Any

from kerasish.base.registry import export

Logs = dict[str, Any]


@export("keras.callbacks.Callback")
class Callback:
    """Base class of callbacks. Override the hooks you need; the others cost nothing.

    `model` is the model, `params` a dict with `verbose`, `epochs` and `steps`. `logs` maps names of losses and metrics
    to Python floats. At the end of an epoch it may be written to, and later callbacks, `History` last, see what was
    written. At the end of a batch it is computed when it is first read.

    A callback whose behaviour depends on what it saw names that memory in `state_attributes`, so that a run which
    `BackupAndRestore` resumes goes on as if it had not been interrupted.

    >>> class StopAtOnce(Callback):
    ...     def on_train_batch_end(self, batch, logs=None): self.model.stop_training = True
    """

    state_attributes: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.params: dict[str, Any] | None = None
        self._model: Any = None

    @property
    def model(self) -> Any:
        """The model that is being trained, evaluated or asked."""
        return self._model

    def set_params(self, params: dict[str, Any]) -> None:
        """Receive `params`, before anything else."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receive the model, before anything else."""
        self._model = model

    def _wants_batches(self) -> bool:
        """Whether the batch hooks it overrides have anything to do in this run. For the library's own callbacks."""
        return True

    def get_state(self) -> dict[str, Any]:
        """The values of `state_attributes`: numbers, strings, arrays, and lists and dicts of them."""
        return {name: getattr(self, name) for name in self.state_attributes if hasattr(self, name)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take back what `get_state` returned; called after `on_train_begin` of a resumed run."""
        for name in self.state_attributes:
            if name in state:
                setattr(self, name, state[name])

    # Training. A step of `steps_per_execution` batches counts as one: `batch` is that of its first or last.

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch, with its logs."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before each epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After each epoch and its validation; validation logs are named `val_…`."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Another name for `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Another name for `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before each training batch, counted from 0 within its epoch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After each training batch, with the metrics of the epoch so far."""
        self.on_batch_end(batch, logs)

    # Evaluation, by itself or inside a fit.

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before an evaluation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After an evaluation, with its results."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before each batch of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After each batch of an evaluation, with the metrics so far."""

    # Prediction.

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before a prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before each batch of a prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After each batch of a prediction; `logs["outputs"]` holds what the model returned."""
