"""History: what `fit` returns."""

from typing import Any

from kerasish.base.optional import optional
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

    def plot(self, *names: str, path: Any = None, ax: Any = None) -> Any:
        """Draw the curves of the epochs with matplotlib; a name and its "val_" share a color. Returns the axes.

        names: which curves; all of them by default, with losses and other metrics in axes of their own.
        path:  a file to write the drawing to. ax: axes to draw into.

        Raises ImportError without matplotlib, ValueError for a name that was not recorded, or without any epochs.
        """
        plt = optional("matplotlib.pyplot", "plot", "History.plot")
        recorded = [name for name in self.history if not name.startswith("val_")]
        recorded += [n for n in self.history if n.startswith("val_") and n.removeprefix("val_") not in self.history]
        if not recorded:
            raise ValueError("There is nothing to plot: no epoch has ended yet. Call `fit` first.")
        unknown = [name for name in names if name not in self.history]
        if unknown:
            raise ValueError(f"No values of {unknown} were recorded. Recorded: {list(self.history)}")
        if names or ax is not None:
            groups = [list(names) or recorded]
        else:
            groups = [[n for n in recorded if n.endswith("loss")], [n for n in recorded if not n.endswith("loss")]]
            groups = [group for group in groups if group]
        axes = [ax] if ax is not None else list(plt.subplots(1, len(groups), figsize=(6 * len(groups), 4), squeeze=False)[1][0])
        for panel, group in zip(axes, groups, strict=True):
            for name in group:
                values = self.history[name]
                (line,) = panel.plot(range(1, len(values) + 1), values, label=name)
                held_out = self.history.get(f"val_{name}", [])
                if held_out and f"val_{name}" not in names:
                    steps = range(1, len(held_out) + 1)
                    panel.plot(steps, held_out, "--", color=line.get_color(), label=f"val_{name}")
            panel.set_xlabel("epoch")
            panel.legend()
        if path is not None:
            axes[0].figure.savefig(path)
        return axes[0] if len(axes) == 1 else axes
