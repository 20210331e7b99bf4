"""CSVLogger: the logs of each epoch as a row of a file."""

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from kerasish.base.lazy import Lazy
from kerasish.base.registry import export
from kerasish.callbacks.callback import Callback

csv = Lazy("csv")


@export("keras.callbacks.CSVLogger")
class CSVLogger(Callback):
    """Writes a row for each epoch: its number, and its logs by name. A row is on disk when its epoch is over.

    separator: between values.
    append: continue an existing file, without a second header, instead of replacing it.

    The columns are those of the first epoch, and `val_…` for each if it had no validation; what an epoch lacks is "NA".

    >>> CSVLogger("training.csv", append=True).sep
    ','
    """

    def __init__(self, filename: str | os.PathLike, separator: str = ",", append: bool = False):
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.append_header = True
        self.csv_file: Any = None
        self.writer: Any = None
        self.keys: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._close()
        self.keys = None
        has_rows = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self.append_header = not has_rows
        self.csv_file = open(self.filename, "a" if self.append else "w", newline="", encoding="utf-8")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        if self.writer is None:
            self.keys = sorted(logs)
            if not any(name.startswith("val_") for name in self.keys):
                self.keys += [f"val_{name}" for name in self.keys]
            self.writer = csv.DictWriter(self.csv_file, ["epoch", *self.keys], delimiter=self.sep)
            if self.append_header:
                self.writer.writeheader()
        self.writer.writerow({"epoch": epoch, **{name: _cell(logs.get(name, "NA")) for name in self.keys}})
        self.csv_file.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._close()

    def _close(self) -> None:
        if self.csv_file is not None:
            self.csv_file.close()
            self.csv_file = None
        self.writer = None


def _cell(value: Any) -> Any:
    is_array_of_one = isinstance(value, np.ndarray) and value.ndim == 0
    if isinstance(value, Iterable) and not isinstance(value, str) and not is_array_of_one:
        return f'"[{", ".join(map(str, value))}]"'
    return value
