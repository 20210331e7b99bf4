"""What NumPy does not pass on of the OpenBLAS that it uses: how many threads matrix products run on, and a * x + b * y in
one pass. With any other library neither is there, and all works without.
"""

import contextlib
import ctypes
import functools
import os
import pathlib
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

PREFIXES = ("scipy_openblas_", "openblas_")
SUFFIXES = ("64_", "", "_64")


class Threads(NamedTuple):
    """The two functions of an OpenBLAS, how many threads it started with, where it is, and how its names end."""

    set: Callable[[int], None]
    get: Callable[[], int]
    most: int
    path: str
    suffix: str


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
                    return Threads(put, get, get(), path, suffix)
    return None


def version(library: ctypes.CDLL) -> tuple[int, ...]:
    """Of an OpenBLAS, as numbers; (0,) if it does not tell."""
    config = _named(library, "get_config")
    if config is None:
        return (0,)
    config.restype = ctypes.c_char_p
    found = re.search(rb"OpenBLAS (\d+)\.(\d+)\.(\d+)", config() or b"")
    return tuple(map(int, found.groups())) if found else (0,)


@functools.cache
def small_kernels() -> bool:
    """Whether NumPy's OpenBLAS has kernels for small products that do not lay out the matrices anew: those for AVX-512 do,
    and are up to one and a half times as fast."""
    found = threads()
    function = None if found is None else _named(ctypes.PyDLL(found.path), "get_corename")
    if function is None:
        return False
    function.restype = ctypes.c_char_p
    return function() in (b"SkylakeX", b"Cooperlake", b"SapphireRapids")


def parallel(library: ctypes.CDLL) -> int:
    """How an OpenBLAS was built: 0 without threads, 1 with its own, 2 with OpenMP's; -1 if it does not tell."""
    function = _named(library, "get_parallel")
    return -1 if function is None else function()


def _named(library: ctypes.CDLL, name: str) -> Any:
    """A function of OpenBLAS's own, whose name may have been given a prefix and a suffix."""
    for prefix in PREFIXES:
        for suffix in SUFFIXES:
            function = getattr(library, f"{prefix}{name}{suffix}", None)
            if function is not None:
                return function
    return None


def rest_sooner(library: ctypes.CDLL, spin: int) -> None:
    """Have OpenBLAS's threads look for work for 2**spin cycles, no longer, before they sleep.

    They spin for tens of milliseconds otherwise, and keep whoever could work from a processor. The number is read from
    the environment when threads are started, so they are stopped, to be started when they are needed next. A user's own
    OPENBLAS_THREAD_TIMEOUT stays.
    """
    if "OPENBLAS_THREAD_TIMEOUT" in os.environ:
        return
    read, stop = library.openblas_read_env, library.blas_thread_shutdown_
    os.environ["OPENBLAS_THREAD_TIMEOUT"] = str(spin)
    try:
        read()
    finally:
        del os.environ["OPENBLAS_THREAD_TIMEOUT"]
    stop()
    library.blas_thread_init()


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


@functools.cache
def axpby() -> dict[str, Callable]:
    """By dtype.char "f" and "d": f(n, a, address of x, 1, b, address of y, 1), which makes y a * x + b * y."""
    return functions("axpby", "nsvnsvn", lambda f, n, x, y: f(n, 2.0, x, 1, 3.0, y, 1), lambda x, y: 2 * x + 3 * y)


def functions(name: str, types: str, call: Callable, wanted: Callable) -> dict[str, Callable]:
    """A function of CBLAS by dtype.char "f" and "d", if it is there and right on small arrays: `call(f, n, x, y)`, the last
    two being addresses of n numbers each, has to make y what `wanted(x, y)` says.

    types: a letter for each argument: i for an enumeration, n for a size, s for a number, v for an address.
    """
    found: dict[str, Callable] = {}
    switch = threads()
    if switch is None:
        return found
    library = ctypes.CDLL(switch.path)  # which lets go of the interpreter
    size = ctypes.c_int64 if "64" in switch.suffix else ctypes.c_int
    for char, letter, number in (("f", "s", ctypes.c_float), ("d", "d", ctypes.c_double)):
        kinds = {"i": ctypes.c_int, "n": size, "s": number, "v": ctypes.c_void_p}
        for prefix in ("scipy_cblas_", "cblas_"):
            function = getattr(library, f"{prefix}{letter}{name}{switch.suffix}", None)
            if function is None:
                continue
            function.argtypes, function.restype = [kinds[t] for t in types], None
            x, y = np.arange(40, dtype=char), np.ones(40, char)
            expected = wanted(x, y)
            call(function, x.size, x.ctypes.data, y.ctypes.data)
            if np.array_equal(y, expected):
                found[char] = function
                break
    return found
