"""Memory that a thread reuses from call to call, so that kernels in a steady state allocate nothing."""

import ctypes
import math
import sys
import threading
from typing import Any

import numpy as np

Array = np.ndarray
SMALL = 1 << 14  # bytes; the allocator keeps such blocks at hand itself, and finds them faster
LINE = 64  # bytes of a cache line, which is what the widest instructions load: they take twice as long across two
_pool = threading.local()


def address(x: Array) -> int:
    """Where the data of an array begin: the first field of PyArrayObject in NumPy's public header. The array's own
    `__array_interface__` says the same, and takes six times as long as the start of a small kernel."""
    if sys.implementation.name != "cpython":
        return x.ctypes.data
    return ctypes.c_void_p.from_address(id(x) + object.__basicsize__).value or 0


def aligned(shape: tuple, dtype: Any) -> Array:
    """An uninitialised array that begins with a cache line. NumPy's own begin 16 bytes into one, and element-wise calls
    on those take up to two and a half times as long."""
    dtype = np.dtype(dtype)
    need = math.prod(shape) * dtype.itemsize
    block = np.empty(need + LINE, np.uint8)
    start = -address(block) % LINE
    return block[start : start + need].view(dtype).reshape(shape)


def scratch(name: str, shape: tuple, dtype: Any) -> Array:
    """An uninitialised array of this thread under `name`. The next call with the same name hands out the same memory.

    A kernel must be done with it when it returns, and must not call another kernel that uses the name meanwhile.
    """
    dtype = np.dtype(dtype)
    need = math.prod(shape) * dtype.itemsize
    if need <= SMALL:
        return np.empty(shape, dtype)
    memory = _pool.__dict__.get(name)
    if memory is None or memory.nbytes < need:
        memory = _pool.__dict__[name] = aligned((need,), np.uint8)
    return np.ndarray(shape, dtype, memory)


def fresh(name: str, shape: tuple, dtype: Any) -> Array:
    """What takes the place of `scratch` where each call is to have memory of its own."""
    return aligned(shape, dtype)


_ones: dict[str, Array] = {}
_zeros: dict[str, Array] = {}


def _filled(store: dict[str, Array], value: int, n: int, dtype: np.dtype) -> Array:
    row = store.get(dtype.char)
    if row is None or row.size < n:
        row = aligned((max(n, 4096),), dtype)
        row.fill(value)
        row.flags.writeable = False
        store[dtype.char] = row  # one assignment: threads see the old row or the new one
    return row[:n]


def ones(n: int, dtype: np.dtype) -> Array:
    """n ones, read-only, shared by all callers."""
    return _filled(_ones, 1, n, dtype)


def zeros(n: int, dtype: np.dtype) -> Array:
    """n zeros, read-only, shared by all callers."""
    return _filled(_zeros, 0, n, dtype)
