"""Where the time of a program goes: its source, run with a clock after every statement."""

import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

CLOCK = "_clock"


class Profile:
    """Seconds of each statement of a program, in the order of the source.

    rows:       (layer, statement, seconds), seconds being the least of all runs.
    operations: what the matrix products and convolutions of each statement add and multiply; those in bodies of loops are
                not counted.
    peak:       operations per second of a large matrix product, measured beside.
    memory:     the program's.
    """

    def __init__(
        self, name: str, rows: list[tuple[str, str, float]], runs: int, operations: list[float], peak: float, memory: dict
    ):
        self.name, self.rows, self.runs = name, rows, runs
        self.operations, self.peak, self.memory = operations, peak, memory

    @property
    def share_of_peak(self) -> float:
        """How fast the statements with matrix products are, in parts of the peak; 0 if there are none."""
        seconds = sum(row[2] for row, n in zip(self.rows, self.operations, strict=True) if n)
        return sum(self.operations) / seconds / self.peak if seconds else 0.0

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
        lines.append(
            f"matrix products: {sum(self.operations) / 1e6:.1f} million operations, at {self.share_of_peak:.0%} of the "
            f"{self.peak / 1e9:.0f} Gflop/s of a large one; workspace: {self.memory['workspace'] / 1e6:.2f} MB"
        )
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
    build, statements = _instrumented(program, {"now": time.perf_counter})
    run = program.bind(program.sizes(arrays), build)
    least = np.full(len(statements), np.inf)
    counter = _Counter()
    counting, _ = _instrumented(program, {"now": counter.now, **counter.functions(program._names)})
    try:
        with np.errstate(all="ignore"):
            for _ in range(runs):
                ticks: list[float] = []
                start = time.perf_counter()
                run(*arrays, ticks)
                least = np.minimum(least, np.diff([start, *ticks]))
            counts: list[float] = []
            program.bind(program.sizes(arrays), counting)(*arrays, counts)
    finally:
        for v, value in before:
            np.copyto(v._array, value)
    rows = [(layer, text, float(s)) for (layer, text), s in zip(statements, least, strict=True)]
    return Profile(program.name, rows, runs, np.diff([0.0, *counts]).tolist(), _peak(), program.memory)


class _Counter:
    """Counts the operations of matrix products and convolutions as they are called."""

    def __init__(self) -> None:
        self.total = 0.0
        self.lock = threading.Lock()  # tiles are shared between threads

    def now(self) -> float:
        return self.total

    def functions(self, names: dict) -> dict:
        """Those of a program's functions that multiply matrices, each with a count."""
        found = {n: self._counted(names[n], count) for n, count in OPERATIONS.items() if n in names}
        return found | {n: self._prepared(names[n], count) for n, count in PREPARED.items() if n in names}

    def _prepared(self, make: Callable, count: Callable) -> Callable:
        """What prepares calls of a kernel, each of which is counted when it is made."""

        def bound(*args: Any, **params: Any) -> Callable:
            call, operations = make(*args, **params), 2.0 * count(*args)

            def run(*given: Any) -> None:
                call(*given)
                with self.lock:
                    self.total += operations

            return run

        return bound

    def _counted(self, function: Callable, count: Callable) -> Callable:
        def call(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            out = kwargs.get("out", args[2] if len(args) > 2 else result)
            with self.lock:
                self.total += 2.0 * count(args[0], args[1], out)
            return result

        return call


# multiplications of two arguments into a result
OPERATIONS: dict[str, Callable] = {
    "dot": lambda a, b, out: out.size * a.shape[-1],
    "matmul": lambda a, b, out: out.size * a.shape[-1],
    "conv": lambda x, w, out: out.size * w[..., 0].size,
    "conv_input_grad": lambda dy, w, out: dy.size * w[..., 0].size,
    "conv_kernel_grad": lambda x, dy, out: dy.size * out[..., 0].size,
}


# the same of the arguments that calls are prepared with
PREPARED: dict[str, Callable] = {
    "bound_matmul": lambda a, b, out: out.size * a.shape[-1],
    "moving_product": lambda rows, inner, columns: rows * inner * columns,
    "bound_conv": lambda x, w, out: out.size * w[..., 0].size,
    "moving_conv": lambda w, out, shape: out.size * w[..., 0].size,
}


def _peak() -> float:
    a = np.ones((1024, 1024), np.float32)
    out = np.empty_like(a)
    least = np.inf
    for _ in range(5):
        start = time.perf_counter()
        np.dot(a, a, out)
        least = min(least, time.perf_counter() - start)
    return 2.0 * a.size * len(a) / least


def _instrumented(program: Any, names: dict) -> tuple[Any, list[tuple[str, str]]]:
    """The program's build function with a clock, `now`, in it, and its statements with the layers they belong to."""
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
    scope = {**program._names, **names}
    exec(compile("\n".join(lines), f"<kerasish {program.name} profile>", "exec"), scope)  # noqa: S102 - our own source
    return scope["build"], statements
