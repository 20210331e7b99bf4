"""Where the time of a program goes: its source, run with a clock after every statement."""

import re
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

CLOCK = "_clock"


class Profile:
    """Seconds of each statement of a program, in the order of the source.

    rows: (layer, statement, seconds), seconds being the least of all runs.
    """

    def __init__(self, name: str, rows: list[tuple[str, str, float]], runs: int):
        self.name, self.rows, self.runs = name, rows, runs

    @property
    def total(self) -> float:
        return sum(seconds for _, _, seconds in self.rows)

    def by(self, column: int) -> dict[str, float]:
        """Seconds summed by layer (0) or by function (1), the longest first."""
        found: dict[str, float] = {}
        for row in self.rows:
            key = row[0] if column == 0 else _function(row[1])
            found[key] = found.get(key, 0.0) + row[2]
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def __str__(self) -> str:
        total = self.total or 1.0

        def table(title: str, items: Any) -> list[str]:
            return [f"\n{title}", *[f"{s * 1e3:10.3f} ms {s / total:6.1%}  {name}" for name, s in items]]

        longest = sorted(((text, s) for _, text, s in self.rows), key=lambda item: -item[1])[:20]
        lines = [f"{self.name}: {total * 1e3:.3f} ms, the least of {self.runs} runs of each statement"]
        lines += table("by layer", list(self.by(0).items())[:20])
        lines += table("by function", list(self.by(1).items())[:20])
        lines += table("longest statements", longest)
        return "\n".join(lines)


def _function(statement: str) -> str:
    call = re.search(r"([\w.]+)\(", statement)
    return re.sub(r"_\d+$", "", call.group(1)) if call else statement  # kernels bound to their arrays are numbered


def profile(program: Any, arrays: Sequence[np.ndarray], runs: int = 20) -> Profile:
    """Run a program `runs` times on these arrays with a clock after each statement. Its variables are left as they were."""
    before = [(v, np.array(v._array)) for v in program.written]
    build, statements = _instrumented(program)
    run = program.bind(program.sizes(arrays), build)
    least = np.full(len(statements), np.inf)
    try:
        with np.errstate(all="ignore"):
            for _ in range(runs):
                ticks: list[float] = []
                start = time.perf_counter()
                run(*arrays, ticks)
                least = np.minimum(least, np.diff([start, *ticks]))
    finally:
        for v, value in before:
            np.copyto(v._array, value)
    rows = [(layer, text, float(s)) for (layer, text), s in zip(statements, least, strict=True)]
    return Profile(program.name, rows, runs)


def _instrumented(program: Any) -> tuple[Any, list[tuple[str, str]]]:
    """The program's build function with a clock in it, and its statements with the layers they belong to."""
    lines, statements, layer, inside = [], [], "", False
    for line in program.source.splitlines():
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if text.startswith("def run("):
            inside = True
            line = line.replace("):", f"{', ' if '()' not in text else ''}{CLOCK}):")
        elif inside and indent == 8:
            if text.startswith("#"):
                layer = text[2:]
            elif text.startswith("return"):
                inside = False
            elif not text.startswith("def "):
                statements.append((layer, text))
                line = f"{line}\n{' ' * indent}{CLOCK}.append(now())"
        lines.append(line)
    scope = {**program._names, "now": time.perf_counter}
    exec(compile("\n".join(lines), f"<kerasish {program.name} profile>", "exec"), scope)  # noqa: S102 - our own source
    return scope["build"], statements
