"""Progbar: a live bar where one can be drawn, else one line when the work is done."""

import os
import sys
import time
from typing import Any, Iterable

import numpy as np

from kerasish.base import config
from kerasish.base.registry import export
from kerasish.callbacks.messages import open_bars, print_msg


@export("keras.utils.Progbar")
class Progbar:
    """Shows progress and running values.

    On a terminal or in a notebook, with `verbose=1`, this is a live tqdm bar. Elsewhere (a file, a pipe, a log) and
    with `verbose=2` it is one line, printed when the work is done, without control characters.

    target: number of steps expected, or None if unknown.
    width: of the bar, in characters.
    verbose: 0 silent, 1 live, 2 one line.
    interval: least time between two redraws, in seconds.
    stateful_metrics: names of values to show as they are; all others are averaged over the steps.
    stateless_metrics: the contrary; at most one of the two may be given.
    unit_name: what a step is called.

    >>> bar = Progbar(2, verbose=0)
    >>> bar.update(1, [("loss", 3.0)])
    >>> bar.add(1, [("loss", 1.0)])
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Pass `stateful_metrics` (all others are averaged) or `stateless_metrics` (all others are shown as "
                "they are), not both."
            )
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics: Any = None if stateless_metrics is not None else set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self.title = ""  # goes in front of the line, where there is no bar
        self.is_live = verbose == 1 and can_draw()
        self._seen_so_far = 0
        self._values: dict[str, list[Any]] = {}  # name: [sum, number of steps]
        self._start = time.perf_counter()
        self._last_update = -np.inf
        self._bar: Any = None

    def is_due(self) -> bool:
        """Whether an update now would be drawn."""
        return self.is_live and time.perf_counter() - self._last_update >= self.interval

    def update(
        self, current: int, values: Iterable[tuple[str, Any]] | None = None, finalize: bool | None = None
    ) -> None:
        """Show that `current` steps are done, with `(name, value)` pairs for the steps since the last update.

        finalize: whether this is the last update; by default, when `current` has reached the target.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        if finalize:
            final = {name: [value, 1] for name, value in values or ()}  # as they are, and in this order
            self._values = final | {name: value for name, value in self._values.items() if name not in final}
        else:
            self._accumulate(values or (), max(current - self._seen_so_far, 1))
        self._seen_so_far = current

        if self.is_live and (finalize or self.is_due()):
            self._draw(current, finalize)
        elif self.verbose in (1, 2) and finalize and not self.is_live:
            print_msg(self._line(current))

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Show that `n` more steps are done."""
        self.update(self._seen_so_far + n, values)

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            open_bars.discard(self._bar)
            self._bar.close()
            self._bar = None

    def _accumulate(self, values: Iterable[tuple[str, Any]], steps: int) -> None:
        for name, value in values:
            if self._is_averaged(name):
                total, count = self._values.get(name, (0.0, 0))
                self._values[name] = [total + value * steps, count + steps]
            else:
                self._values[name] = [value, 1]

    def _is_averaged(self, name: str) -> bool:
        if self.stateless_metrics is not None:
            return name in self.stateless_metrics
        return name not in self.stateful_metrics

    def _draw(self, current: int, finalize: bool) -> None:
        if self._bar is None:
            self._bar = _make_bar(self.target, self.width, self.unit_name)
            open_bars.add(self._bar)
        bar = self._bar
        bar.total = current if finalize and self.target is None else self.target
        bar.n = current
        bar.set_description_str(self._speed(current) + self._metrics(), refresh=False)
        bar.refresh()
        self._last_update = time.perf_counter()
        if finalize:
            self.close()

    def _line(self, current: int) -> str:
        target = "Unknown" if self.target is None else self.target
        elapsed = time.perf_counter() - self._start
        count = f"{current:>{len(str(target))}}/{target}" if self.target is not None else f"{current}/{target}"
        return " - ".join(part for part in (self.title, count, f"{elapsed:.0f}s", self._speed(current)) if part) + (
            self._metrics()
        )

    def _speed(self, current: int) -> str:
        return format_duration((time.perf_counter() - self._start) / max(current, 1)) + f"/{self.unit_name}"

    def _metrics(self) -> str:
        return "".join(f" - {name}: {format_value(total, steps)}" for name, (total, steps) in self._values.items())


def can_draw() -> bool:
    """Whether stdout shows a live bar well: a terminal or a notebook, with interactive logging on."""
    if not config.is_interactive_logging_enabled():
        return False
    is_terminal = getattr(sys.stdout, "isatty", lambda: False)()
    return is_terminal or _in_notebook() or "PYCHARM_HOSTED" in os.environ


def format_duration(seconds: float) -> str:
    """A duration in the unit that suits it: "2s", "15ms" or "80us"."""
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def format_value(total: Any, steps: int) -> str:
    """The mean of a value over its steps, with four digits."""
    try:
        mean = float(np.mean(total)) / max(steps, 1)
    except (TypeError, ValueError):
        return str(total)
    return f"{mean:.4f}" if abs(mean) > 1e-3 else f"{mean:.4e}"


def _in_notebook() -> bool:
    return "ipykernel" in sys.modules


def _make_bar(total: int | None, width: int, unit: str) -> Any:
    # Imported only now: most programs that train never draw a bar.
    if _in_notebook():
        from tqdm.auto import tqdm
    else:
        from tqdm import tqdm

    class Bar(tqdm):
        monitor_interval = 0  # no thread that watches for bars which stand still

    bar_format = "{n_fmt}/{total_fmt} {bar" + ("" if _in_notebook() else f":{width}") + "} {elapsed}<{remaining} {desc}"
    return Bar(total=total, unit=unit, file=sys.stdout, bar_format=bar_format, dynamic_ncols=True, mininterval=0)
