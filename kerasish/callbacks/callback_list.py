"""CallbackList: one callback that stands for many."""

from typing import Any, Callable, Mapping

from kerasish.base import tree
from kerasish.base.registry import export
from kerasish.callbacks.backup_and_restore import BackupAndRestore
from kerasish.callbacks.callback import Callback
from kerasish.callbacks.history import History
from kerasish.callbacks.logs import LazyLogs, as_lazy, is_kept, pythonify_logs
from kerasish.callbacks.progbar_logger import ProgbarLogger

BatchLogs = Mapping[str, Any] | Callable[[], Mapping[str, Any]] | None

# Each batch hook, and the hooks that a callback may override to be called at it.
_BATCH_HOOKS = {
    "on_train_batch_begin": ("on_train_batch_begin", "on_batch_begin"),
    "on_train_batch_end": ("on_train_batch_end", "on_batch_end"),
    "on_test_batch_begin": ("on_test_batch_begin",),
    "on_test_batch_end": ("on_test_batch_end",),
    "on_predict_batch_begin": ("on_predict_batch_begin",),
    "on_predict_batch_end": ("on_predict_batch_end",),
}


@export("keras.callbacks.CallbackList")
class CallbackList(Callback):
    """Calls every hook on each of several callbacks, in order.

    callbacks: a callback, or a list of them, nested or not.
    add_history, add_progbar: append a `History` or `ProgbarLogger` unless there is one.
    model, params: given to each callback.

    At the end of a batch or an epoch `BackupAndRestore` comes after all others, to back up what they did.
    At a batch only those callbacks are called that override a hook for it; `wants_batches` says whether there are any.
    The logs of a batch may be passed as a function that returns them, which is called only if a callback reads them.

    >>> CallbackList([], add_history=True).wants_batches("train")
    False
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ):
        super().__init__()
        self.callbacks: list[Callback] = tree.flatten(callbacks) if callbacks else []
        self._history = self._find_or_add(History, add_history)
        self._progbar = self._find_or_add(ProgbarLogger, add_progbar)
        self.set_model(model)
        self.set_params(params)

    def set_model(self, model: Any) -> None:
        if model is None:
            return
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        if params:
            for callback in self.callbacks:
                callback.set_params(params)
        self._find_batch_hooks()

    def wants_batches(self, phase: str) -> bool:
        """Whether any callback has work to do at the batches of a phase: "train", "test" or "predict"."""
        return bool(self._hooks[f"on_{phase}_batch_begin"] or self._hooks[f"on_{phase}_batch_end"])

    # -- epochs and phases ---------------------------------------------------------------------------------------------

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._each("on_epoch_begin", epoch, pythonify_logs(logs))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        logs = pythonify_logs(logs)
        for callback in _backups_last(self.callbacks):
            callback.on_epoch_end(epoch, logs)

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        backups = [callback for callback in self.callbacks if isinstance(callback, BackupAndRestore)]
        for backup in backups:
            backup.set_callbacks(self.callbacks)
        self._find_batch_hooks()
        self._each("on_train_begin", pythonify_logs(logs))
        for backup in backups:  # now that every callback has cleared its memory
            backup.restore_callbacks()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self._each("on_train_end", pythonify_logs(logs))

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._find_batch_hooks()
        self._each("on_test_begin", pythonify_logs(logs))

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self._each("on_test_end", pythonify_logs(logs))

    def on_predict_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._find_batch_hooks()
        self._each("on_predict_begin", pythonify_logs(logs))

    def on_predict_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self._each("on_predict_end", pythonify_logs(logs))

    # -- batches -------------------------------------------------------------------------------------------------------

    def on_batch_begin(self, batch: int, logs: BatchLogs = None) -> None:
        self._at_batch("on_train_batch_begin", batch, logs)

    def on_batch_end(self, batch: int, logs: BatchLogs = None) -> None:
        self._at_batch("on_train_batch_end", batch, logs)

    def on_train_batch_begin(self, batch: int, logs: BatchLogs = None) -> None:
        self._at_batch("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: BatchLogs = None) -> None:
        self._at_batch("on_train_batch_end", batch, logs)

    def on_test_batch_begin(self, batch: int, logs: BatchLogs = None) -> None:
        self._at_batch("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: BatchLogs = None) -> None:
        self._at_batch("on_test_batch_end", batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: BatchLogs = None) -> None:
        self._at_batch("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        for hook in self._hooks["on_predict_batch_end"]:
            hook(batch, logs if logs is not None else {})  # outputs are arrays, whatever their size

    # -- mechanics -----------------------------------------------------------------------------------------------------

    def _find_or_add(self, kind: type, add: bool) -> Any:
        found = [callback for callback in self.callbacks if isinstance(callback, kind)]
        if not found and add:
            found = [kind()]
            self.callbacks.extend(found)
        return found[-1] if found else None

    def _find_batch_hooks(self) -> None:
        callbacks = _backups_last(self.callbacks)
        self._hooks: dict[str, tuple[Callable, ...]] = {
            hook: tuple(getattr(callback, hook) for callback in callbacks if _is_interested(callback, names))
            for hook, names in _BATCH_HOOKS.items()
        }

    def _each(self, hook: str, *args: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(*args)

    def _at_batch(self, hook: str, batch: int, logs: BatchLogs) -> None:
        hooks = self._hooks[hook]
        if hooks:
            lazy = as_lazy(logs)
            for call in hooks:
                call(batch, lazy)
            if is_kept(lazy) and isinstance(lazy, LazyLogs):
                lazy.materialise()  # now, and not from the metrics of a later batch


def _backups_last(callbacks: list[Callback]) -> list[Callback]:
    return sorted(callbacks, key=lambda callback: isinstance(callback, BackupAndRestore))


def _is_interested(callback: Callback, names: tuple[str, ...]) -> bool:
    if isinstance(callback, Callback) and not callback._wants_batches():
        return False
    for name in names:
        method = getattr(callback, name, None)  # may be set on the instance, as LambdaCallback does
        if method is not None and getattr(method, "__func__", method) is not getattr(Callback, name):
            return True
    return False
