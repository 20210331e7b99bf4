"""TerminateOnNaN: give up when the loss is no number any more."""

import math
from typing import Any

from kerasish.base.registry import export
from kerasish.callbacks.callback import Callback
from kerasish.callbacks.messages import print_msg


@export("keras.callbacks.TerminateOnNaN")
class TerminateOnNaN(Callback):
    """Ends training when the loss of a batch is NaN or infinite. It reads the loss after every batch, which costs time.

    raise_error: raise a RuntimeError instead of ending the training in order; `on_train_end` is then not called, and
        backups stay.

    >>> TerminateOnNaN().raise_error
    False
    """

    def __init__(self, raise_error: bool = False):
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(
                f"The loss became {loss} at batch {batch}. A smaller learning rate, `clipnorm`, or a look at the data "
                "for NaN may help."
            )
        print_msg(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
