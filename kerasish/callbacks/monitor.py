"""MonitorCallback: what callbacks that watch one quantity have in common."""

import warnings
from typing import Any, Callable, Iterator

import numpy as np

from kerasish.callbacks.callback import Callback


class MonitorCallback(Callback):
    """Base of callbacks that act when a monitored quantity improves, or fails to.

    monitor: name of the quantity in the logs of an epoch.
    mode: "min" or "max", which way is better; "auto" asks the model's metric of that name, once it is there.
    baseline: the value that counts as best at first; None, and the first value seen is an improvement.
    min_delta: least change that counts as an improvement.
    """

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", baseline: float | None = None, min_delta: float = 0
    ):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__}: mode={mode!r} is unknown, it must be 'auto', 'min' or 'max'; 'auto' is used.",
                stacklevel=3,
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[[Any, Any], Any] | Any = None

    def _set_monitor_op(self) -> None:
        """Find out which way is better. Called at the end of an epoch, when the model's metrics exist."""
        if self.mode != "auto":
            lower_is_better: bool | None = self.mode == "min"
        else:
            name = self.monitor.removeprefix("val_")
            lower_is_better = True if name == "loss" else None
            for metric in _flat_metrics(getattr(self.model, "metrics", ())):
                direction = getattr(metric, "_direction", None)
                if getattr(metric, "name", None) == name and direction is not None:
                    lower_is_better = direction != "up"
        if lower_is_better is None:
            raise ValueError(
                f"{type(self).__name__} received monitor={self.monitor!r}, for which it cannot tell whether more or "
                "less is better. Pass `mode='max'` or `mode='min'`."
            )
        self.monitor_op = np.less if lower_is_better else np.greater
        if lower_is_better:
            self.min_delta = -self.min_delta

    def _is_improvement(self, value: float, reference: float | None) -> bool:
        return reference is None or bool(self.monitor_op(value - self.min_delta, reference))


def _flat_metrics(metrics: Any) -> Iterator[Any]:
    for metric in metrics:
        yield metric
        yield from _flat_metrics(getattr(metric, "metrics", ()))


def named_optimizers(model: Any) -> list[tuple[str, Any]]:
    """The model's optimizer as [("", optimizer)], or the parts of one that combines several, each with its name."""
    parts = getattr(model.optimizer, "optimizers", None)
    return [("", model.optimizer)] if parts is None else [(part.name, part) for part in parts]


def learning_rate_of(optimizer: Any) -> float:
    """The present learning rate as a Python float."""
    return float(np.asarray(optimizer.learning_rate))


def log_learning_rates(model: Any, logs: dict[str, Any]) -> None:
    """Add the learning rate to the logs, as "learning_rate", or "learning_rate_<name>" for each of several."""
    for name, optimizer in named_optimizers(model):
        logs[f"learning_rate_{name}" if name else "learning_rate"] = learning_rate_of(optimizer)
