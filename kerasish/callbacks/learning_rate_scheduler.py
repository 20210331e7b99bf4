"""LearningRateScheduler: the learning rate as a function of the epoch."""

import inspect
from typing import Any, Callable

import numpy as np

from kerasish.base.registry import export
from kerasish.callbacks.callback import Callback
from kerasish.callbacks.messages import print_msg
from kerasish.callbacks.monitor import learning_rate_of, log_learning_rates, named_optimizers


@export("keras.callbacks.LearningRateScheduler")
class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch.

    schedule: a function of the epoch, counted from 0, and the present learning rate, or of the epoch alone. It returns
        the new learning rate, a float.
    verbose: 1 to print each setting.

    The learning rate joins the logs as "learning_rate".

    >>> halve = LearningRateScheduler(lambda epoch, lr: lr * 0.5)
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0):
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        for name, optimizer in named_optimizers(self.model):
            if not hasattr(optimizer, "learning_rate"):
                raise ValueError(f"The optimizer must have a `learning_rate`. Received: {optimizer}")
            rate = self._scheduled(epoch, learning_rate_of(optimizer))
            if not isinstance(rate, (float, np.floating)):
                raise ValueError(f"`schedule` must return a float. Received: {rate!r} at epoch {epoch}")
            optimizer.learning_rate = rate
            if self.verbose > 0:
                whose = f" {name}" if name else ""
                print_msg(f"Epoch {epoch + 1}: LearningRateScheduler setting{whose} learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is not None:
            log_learning_rates(self.model, logs)

    def _scheduled(self, epoch: int, rate: float) -> Any:
        try:
            inspect.signature(self.schedule).bind(epoch, rate)
        except TypeError:
            return self.schedule(epoch)
        except ValueError:  # a function in C, which may not tell its signature
            pass
        return self.schedule(epoch, rate)
