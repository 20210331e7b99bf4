"""NumPy's own loops on OpenBLAS's threads.

OpenBLAS keeps a thread for each processor and hands it work within a microsecond: `exec_blas` takes a list of (function,
four pointers), runs the first itself and the others on its threads. A NumPy ufunc keeps its inner loops as functions of
four pointers (arguments, lengths, strides, data). So a large element-wise call is cut into one piece for each thread and
handed over, while no thread needs Python's interpreter: threads of Python would wait some 30 microseconds for it.

    call = bind(np.add, (x, y, out))    ready to be called many times; None where it would not pay, or can't be done
    call()

What is computed does not depend on how it is cut: pieces begin at multiples of 64 elements, so that every element is
treated by the same instructions. The layout of the lists is not documented, though it has not changed since GotoBLAS: it
is used with versions that are KNOWN, built with threads of their own (with OpenMP lists are arrays), and the first use is
tried on small arrays and given up if a number is wrong. Where NumPy uses another library, `size()` is 1 and nothing here
is used. KERASISH_CREW=0 in the environment switches it off. To make another version known, run tests/engine with it.
"""

import ctypes
import functools
import os
import struct
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerasish.engine.kernels import blas
from kerasish.engine.kernels.scratch import address, aligned
from kerasish.engine.kernels.threads import wanted

Array = np.ndarray
LEAST = 1 << 13  # elements of a call that is worth cutting: handing it over takes about a microsecond
GRAIN = 64  # pieces begin at multiples of it
ENTRY = 512  # bytes for one item of a list: more than it takes, with room for the locks at its end
# Seconds: how much later than it might a call may be done, and for how long this thread works alone then
LATE, PAUSE, MOST_PAUSE = 1e-3, 0.004, 0.25
KNOWN = ((0, 3, 27), (0, 3, 32))  # versions of OpenBLAS with which the tests have passed: from, and up to before
PTHREADS = 1  # what openblas_get_parallel says of a library with threads of its own
SPIN = 18  # OpenBLAS's threads look for work for 2**SPIN cycles before they sleep


class _Library:
    """The functions that are needed, or an exception where one is missing."""

    def __init__(self) -> None:
        found = blas.threads()
        if found is None or struct.calcsize("P") != 8 or sys.implementation.name != "cpython":
            raise LookupError("no OpenBLAS on 64 bits under CPython")
        library = ctypes.CDLL(found.path)  # which lets go of the interpreter
        if not KNOWN[0] <= blas.version(library) < KNOWN[1]:
            raise LookupError("not an OpenBLAS that is known")
        if blas.parallel(library) != PTHREADS:
            raise LookupError("an OpenBLAS with other threads than its own, or none")
        self.execute = library.exec_blas
        self.execute.argtypes, self.execute.restype = [ctypes.c_long, ctypes.c_void_p], ctypes.c_int
        started = ctypes.c_int.in_dll(library, "blas_num_threads").value
        self.size = min(started, found.most)
        if not _others_may_multiply():
            blas.rest_sooner(library, SPIN)


def _others_may_multiply() -> bool:
    """Whether there are threads in whose products OpenBLAS's threads might be just now. (Daemons hardly do such things.)"""
    return any(t is not threading.current_thread() and not t.daemon for t in threading.enumerate())


@functools.cache
def _library() -> _Library | None:
    if os.environ.get("KERASISH_CREW") == "0" or sys.platform == "win32":
        return None
    try:
        library = _Library()
    except (LookupError, AttributeError, ValueError, OSError):
        return None
    return library if library.size > 1 and _right(library) else None


def _right(library: _Library) -> bool:
    x, y = np.arange(4 * GRAIN, dtype=np.float32), np.ones(4 * GRAIN, np.float32)
    out = np.zeros_like(x)
    _Elementwise(library, np.subtract, (x, y, out), 2)()
    return bool(np.array_equal(out, x - y))


def most() -> int:
    """How many threads the BLAS has, whatever KERASISH_NUM_THREADS allows: what a product is divided by. 0 where it cannot
    be divided."""
    library = _library()
    return 0 if library is None else library.size


@functools.cache
def size() -> int:
    """How many threads there are, this one included; 1 where there is no such thing."""
    library = _library()
    if library is None:
        return 1
    return min(library.size, wanted() or library.size)


@functools.cache
def _loop(ufunc: np.ufunc, kinds: str) -> tuple[int, int] | None:
    """The addresses of the inner loop for arguments of these types, such as "ff->f", and of its data.

    The places are those of PyUFuncObject in NumPy's public header: after the object's head five ints, of which the last
    fills up to a pointer, come `functions` and `data`.
    """
    if kinds not in ufunc.types or "O" in kinds or (ufunc is np.power and not set("fdg") & set(kinds)):
        return None  # powers of integers may raise an exception, for which the interpreter is needed
    start = id(ufunc) + object.__basicsize__ + 4 * ctypes.sizeof(ctypes.c_int)
    functions, data = (ctypes.c_void_p.from_address(start + i * 8).value for i in (0, 1))
    at = ufunc.types.index(kinds) * 8
    function = ctypes.c_void_p.from_address(functions + at).value
    return (function, (ctypes.c_void_p.from_address(data + at).value or 0) if data else 0) if function else None


def loop(ufunc: np.ufunc, arrays: Sequence[Array]) -> tuple[int, int] | None:
    """The addresses of the inner loop for (*arguments, out), and of its data; None if there is none for their types."""
    return _loop(ufunc, _kinds(ufunc, arrays)) if all(a.dtype.isnative for a in arrays) else None


def _kinds(ufunc: np.ufunc, arrays: Sequence[Array]) -> str:
    kinds = "".join(a.dtype.char for a in arrays)
    return f"{kinds[: ufunc.nin]}->{kinds[ufunc.nin :]}"


class _Call:
    """A list for OpenBLAS: functions, one for each thread, and up to four arguments each. A list among these is handed over
    by its address."""

    __slots__ = ("address", "best", "execute", "keep", "pieces")

    def __init__(self, library: _Library, jobs: Sequence[tuple[int, Sequence]], keep: Any = None):
        memory = aligned((len(jobs) * ENTRY,), np.uint8)
        memory.fill(0)
        base = address(memory)
        for i, (function, arguments) in enumerate(jobs):
            at, words = i * ENTRY + ENTRY // 2, [base] * 4  # the last two may not be null
            for j, argument in enumerate(arguments):
                if not isinstance(argument, list):
                    words[j] = argument or base
                    continue
                words[j] = base + at
                struct.pack_into(f"={len(argument)}q", memory, at, *argument)
                at += 8 * len(argument)
            following = base + (i + 1) * ENTRY if i + 1 < len(jobs) else 0
            # routine, position, assigned, args, range_m, range_n, sa, sb, next
            struct.pack_into("=9q", memory, i * ENTRY, function, 0, 0, *words, base, following)
        self.execute, self.address, self.pieces, self.keep = library.execute, base, len(jobs), (memory, keep)
        self.best = float("inf")

    def alone(self) -> None:
        """By this thread, a piece after the other."""
        for i in range(self.pieces):
            self.execute(1, self.address + i * ENTRY)

    def forget(self) -> None:
        """Do not keep the arrays alive: the caller sees to it that something lies at their addresses."""
        self.keep = self.keep[:1]

    def __call__(self) -> None:
        start = _clock()
        if start < _patience.until or not _busy.acquire(False):
            self.alone()
            return
        try:
            self.execute(self.pieces, self.address)
        finally:
            _busy.release()
        taken = _clock() - start
        if taken < self.best:
            self.best = taken
        elif taken > LATE + 4 * self.best:
            _patience.lose(start + taken)


class _Patience:
    """Where other programs keep the processors busy, a piece may wait for one while this thread has long done its own.
    After such a call the next ones, for a while, are made alone; for longer if it happens again soon."""

    until = 0.0
    pause = PAUSE

    def lose(self, now: float) -> None:
        again = now - self.until < 4 * self.pause
        self.pause = min(2 * self.pause, MOST_PAUSE) if again else PAUSE
        self.until = now + self.pause


_patience = _Patience()
_busy = threading.Lock()
_clock = time.perf_counter


def _renew() -> None:
    global _busy
    _busy = threading.Lock()  # who held it does not live in a fork


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


class _Elementwise(_Call):
    """A ufunc's loop over a flat range of elements, cut in pieces."""

    __slots__ = ()

    def __init__(self, library: _Library, ufunc: np.ufunc, arrays: Sequence[Array], pieces: int):
        function, data = _loop(ufunc, _kinds(ufunc, arrays))
        n = arrays[-1].size
        edges = [n * i // pieces // GRAIN * GRAIN for i in range(pieces)] + [n]
        steps = [a.itemsize if a.size == n else 0 for a in arrays]
        starts = [address(a) for a in arrays]
        jobs = []
        for first, last in zip(edges, edges[1:]):
            here = [start + first * step for start, step in zip(starts, steps)]
            jobs.append((function, [here, [last - first], steps, data]))
        super().__init__(library, jobs, arrays)


class _Products(_Call):
    """Stacks of matrix products, a part of the stack for each thread."""

    __slots__ = ("fresh", "list")

    def __init__(self, library: _Library, a: Array, b: Array, out: Array, pieces: int):
        function, data = _loop(np.matmul, _kinds(np.matmul, (a, b, out)))
        arrays = (a, b, out)
        n, (m, k), p = len(out), a.shape[1:], b.shape[2]
        edges = [n * i // pieces for i in range(pieces + 1)]
        outer, core = [x.strides[0] for x in arrays], [s for x in arrays for s in x.strides[1:]]
        starts = [address(x) for x in arrays]
        jobs = []
        for first, last in zip(edges, edges[1:]):
            here = [start + first * step for start, step in zip(starts, outer)]
            jobs.append((function, [here, [last - first, m, k, p], outer + core, data]))
        super().__init__(library, jobs, arrays)
        self.list = self.keep[0].view(np.int64)
        self.fresh = self.list.copy()

    def __call__(self) -> None:
        np.copyto(self.list, self.fresh)  # this loop moves its arguments' addresses forward as it goes
        with blas.single:
            super().__call__()


def bind(ufunc: np.ufunc, arrays: Sequence[Array], least: int = LEAST) -> Callable[[], None] | None:
    """A call of an element-wise ufunc on (*arguments, out), to be made any number of times.

    Each argument is in C order and of out's shape, or one number. None if it is not worth it or can't be done so.
    """
    library, out = _library(), arrays[-1]
    if library is None or out.size < least or loop(ufunc, arrays) is None:
        return None
    if not all(a.flags.c_contiguous and a.flags.aligned and (a.shape == out.shape or a.size == 1) for a in arrays):
        return None
    pieces = min(size(), max(1, out.size // (least // 2)))
    return _Elementwise(library, ufunc, arrays, pieces) if pieces > 1 else None


MOST_KEPT = 1 << 12
_kept: dict[tuple, Callable[[], None] | None] = {}


def apply(ufunc: np.ufunc, *arrays: Array) -> Array:
    """ufunc(*arguments, out=out), by the crew where it pays, for arrays as in `bind`, or as the ufunc takes them.

    What `bind` prepares is kept by the arrays' addresses: kernels come back to the same ones.
    """
    *args, out = arrays
    if out.size < LEAST or size() == 1:
        return ufunc(*args, out=out)
    key = (ufunc, out.size, *[(address(a), a.dtype.char, a.size, a.flags.c_contiguous) for a in arrays])
    call = _kept.get(key)
    if call is None:
        if key in _kept or (call := bind(ufunc, arrays)) is None:
            _kept[key] = None
            return ufunc(*args, out=out)
        call.forget()
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[key] = call
    call()
    return out


def bind_products(a: Array, b: Array, out: Array) -> Callable[[], None] | None:
    """np.matmul(a, b, out) of stacks (n, m, k), (n, k, p), (n, m, p), likewise."""
    library = _library()
    if library is None or len(out) < 2 or loop(np.matmul, (a, b, out)) is None:
        return None
    if out.size * a.shape[2] < 1 << 16:
        return None
    pieces = min(size(), len(out))
    return _Products(library, a, b, out, pieces) if pieces > 1 else None


def routines(jobs: Sequence[tuple[int, Sequence]]) -> Callable[[], None]:
    """C functions and their arguments, to be called at once, of which there are `most()` at most."""
    library = _library()
    if library is None or not 0 < len(jobs) <= library.size:
        raise ValueError(f"{len(jobs)} functions are more than there are threads for")
    call = _Call(library, jobs)
    return call if size() >= len(jobs) else call.alone
