"""Memory that a thread reuses from call to call, so that kernels in a steady state allocate nothing."""

import math
import threading
from typing import Any

import numpy as np

Array = np.ndarray
SMALL = 1 << 14  # bytes; the allocator keeps such blocks at hand itself, and finds them faster
_pool = threading.local()


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
        block = np.empty(need + 64, np.uint8)
        start = -block.ctypes.data % 64  # whole cache lines
        memory = _pool.__dict__[name] = block[start : start + need]
    return np.ndarray(shape, dtype, memory)


_ones: dict[str, Array] = {}
_zeros: dict[str, Array] = {}


def _filled(store: dict[str, Array], value: int, n: int, dtype: np.dtype) -> Array:
    row = store.get(dtype.char)
    if row is None or row.size < n:
        row = np.full(max(n, 4096), value, dtype)
        row.flags.writeable = False
        store[dtype.char] = row  # one assignment: threads see the old row or the new one
    return row[:n]


def ones(n: int, dtype: np.dtype) -> Array:
    """n ones, read-only, shared by all callers."""
    return _filled(_ones, 1, n, dtype)


def zeros(n: int, dtype: np.dtype) -> Array:
    """n zeros, read-only, shared by all callers."""
    return _filled(_zeros, 0, n, dtype)
