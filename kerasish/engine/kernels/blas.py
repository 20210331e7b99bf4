"""How many threads matrix products run on. Only OpenBLAS can be told; with any other library all of this does nothing."""

import contextlib
import ctypes
import functools
import pathlib
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

PREFIXES = ("scipy_openblas_", "openblas_")
SUFFIXES = ("64_", "", "_64")


class Threads(NamedTuple):
    """The two functions of an OpenBLAS, and how many threads it started with."""

    set: Callable[[int], None]
    get: Callable[[], int]
    most: int


def _paths() -> Iterator[str]:
    """Files that may be the OpenBLAS that NumPy uses: those that are loaded, then those that came with it."""
    with contextlib.suppress(OSError), open("/proc/self/maps") as maps:
        yield from dict.fromkeys(line.split()[-1] for line in maps if "openblas" in line)
    home = pathlib.Path(np.__file__).parent
    for folder in (home.parent / "numpy.libs", home / ".dylibs", home / ".libs"):
        yield from map(str, sorted(folder.glob("*openblas*")))


@functools.cache
def threads() -> Threads | None:
    """The switch of the OpenBLAS that NumPy uses, or None if there is none that can be found."""
    for path in _paths():
        try:
            library = ctypes.PyDLL(path)
        except OSError:
            continue
        for prefix in PREFIXES:
            for suffix in SUFFIXES:
                put = getattr(library, f"{prefix}set_num_threads{suffix}", None)
                get = getattr(library, f"{prefix}get_num_threads{suffix}", None)
                if put is not None and get is not None:
                    put.argtypes, put.restype, get.restype = [ctypes.c_int], None, ctypes.c_int
                    return Threads(put, get, get())
    return None


class _Single:
    """A block in which matrix products run on one thread. Blocks may nest, and overlap in several threads."""

    def __init__(self) -> None:
        self.lock, self.depth, self.before = threading.Lock(), 0, 1

    def __enter__(self) -> None:
        switch = threads()
        if switch is not None:
            with self.lock:
                if not self.depth:
                    self.before = switch.get()
                    if self.before > 1:
                        switch.set(1)
                self.depth += 1

    def __exit__(self, *exc: object) -> None:
        switch = threads()
        if switch is not None:
            with self.lock:
                self.depth -= 1
                if not self.depth and self.before > 1:
                    switch.set(self.before)


single = _Single()
