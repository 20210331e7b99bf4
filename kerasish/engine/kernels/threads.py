"""Work on large arrays by several threads at once. NumPy lets go of the interpreter while it computes, so this pays where
a piece lasts longer than it takes to hand it over (some 30 microseconds).

What is computed never depends on how many threads there are: the pieces, and the order in which their results are
joined, follow from the sizes alone. Also `in_order`, several calls as one.
"""

import contextlib
import ctypes
import os
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from kerasish.engine.kernels import blas

MOST = 8  # threads


def wanted() -> int:
    """What KERASISH_NUM_THREADS says, or 0 if it says nothing."""
    number = os.environ.get("KERASISH_NUM_THREADS", "")
    return int(number) if number.isdigit() else 0


def available() -> int:
    """How many threads are used: KERASISH_NUM_THREADS, or as many as there are processors for this process, 8 at most."""
    if wanted():
        return wanted()
    try:
        processors = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        processors = os.cpu_count() or 1
    return min(MOST, processors)


class Worker(threading.Thread):
    """A thread that waits for a function, calls it, and says that it is done."""

    def __init__(self) -> None:
        super().__init__(daemon=True, name="kerasish worker")
        self.go, self.done = threading.Lock(), threading.Lock()
        self.go.acquire()
        self.done.acquire()
        self.work: Callable[[], None] = lambda: None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        with np.errstate(all="ignore"):
            while True:
                self.go.acquire()
                try:
                    self.work()
                except BaseException as e:  # handed to the thread that asked
                    self.error = e
                self.work = lambda: None
                self.done.release()

    def begin(self, work: Callable[[], None]) -> None:
        self.work = work
        self.go.release()

    def end(self) -> None:
        self.done.acquire()
        error, self.error = self.error, None
        if error is not None:
            raise error


def _make_current_cpu() -> Callable[[], int]:
    """A function that tells on which processor the calling thread runs, or -1 where that cannot be known."""
    try:
        function = ctypes.PyDLL(None).sched_getcpu
        function()
        return function
    except (AttributeError, OSError, TypeError):
        return lambda: -1


class Team:
    """The workers of this process, and a lock: whoever finds them busy works alone."""

    def __init__(self) -> None:
        self.busy = threading.Lock()
        self.workers: list[Worker] | None = None

        self.current_cpu = _make_current_cpu() if hasattr(os, "sched_setaffinity") else lambda: -1
        self.avoided = -1

    def members(self) -> list[Worker]:
        if self.workers is None:
            self.workers = [Worker() for _ in range(available() - 1)]
        return self.workers

    def make_room(self) -> None:
        """Keep the workers off the caller's processor: the system likes to wake them there, where they would wait."""
        cpu = self.current_cpu()
        if cpu == self.avoided or cpu < 0:
            return
        self.avoided = cpu
        others = os.sched_getaffinity(0) - {cpu}
        if others:
            with contextlib.suppress(OSError):
                for w in self.members():
                    os.sched_setaffinity(w.native_id, others)


_team = Team()


def _renew() -> None:
    global _team
    _team = Team()  # threads do not survive a fork


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


def each(work: Callable[[int], Any], pieces: int) -> None:
    """Call `work(0)` to `work(pieces - 1)`, on several threads if they are free. Matrix products within use one thread each.

    The calls must write to different memory. They must not call `each` again.
    """
    team = _team
    if pieces < 2:
        for i in range(pieces):
            work(i)
        return
    with blas.single:
        if not team.busy.acquire(blocking=False):
            for i in range(pieces):
                work(i)
            return
        try:
            team.make_room()
            _share(work, pieces, team.members()[: pieces - 1])
        finally:
            team.busy.release()


def _share(work: Callable[[int], Any], pieces: int, workers: list[Worker]) -> None:
    """Every thread takes the next piece until there is none."""
    rest = iter(range(pieces))  # taking from it is one step of the interpreter

    def take() -> None:
        for i in rest:
            work(i)

    for w in workers:
        w.begin(take)
    try:
        take()
    finally:
        for w in workers:
            w.end()


def ranges(n: int, pieces: int) -> list[tuple[int, int]]:
    """Cut range(n) into so many parts of about equal length."""
    pieces = max(1, min(pieces, n))
    edges = [n * i // pieces for i in range(pieces + 1)]
    return list(zip(edges, edges[1:], strict=False))


def tiled(work: Callable[[int, int], Any], n: int, step: int) -> None:
    """Call `work(start, stop)` for range(n) in steps."""
    for i in range(0, n, step):
        work(i, min(i + step, n))


def in_order(*calls: Callable[[], Any]) -> Callable[[], Any]:
    """The calls as one, which tells them as `calls`."""
    if len(calls) == 2:
        first, second = calls

        def run() -> None:
            first()
            second()
    else:

        def run() -> None:
            for call in calls:
                call()

    run.calls = calls  # type: ignore[attr-defined]
    return run
