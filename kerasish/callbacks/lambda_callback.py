"""LambdaCallback: hooks given as functions."""

from typing import Any, Callable

from kerasish.base.registry import export
from kerasish.callbacks.callback import Callback


@export("keras.callbacks.LambdaCallback")
class LambdaCallback(Callback):
    """A callback made of functions, each taking what the hook of its name takes: `(epoch, logs)`, `(batch, logs)` or
    `(logs)`. Any other hook can be given by name.

    >>> seen = []
    >>> LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch)).on_epoch_end(3, {})
    >>> seen
    [3]
    """

    def __init__(
        self,
        on_epoch_begin: Callable | None = None,
        on_epoch_end: Callable | None = None,
        on_train_begin: Callable | None = None,
        on_train_end: Callable | None = None,
        on_train_batch_begin: Callable | None = None,
        on_train_batch_end: Callable | None = None,
        **kwargs: Any,
    ):
        super().__init__()
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        self.__dict__.update(kwargs)
        self.__dict__.update({name: hook for name, hook in hooks.items() if hook is not None})
