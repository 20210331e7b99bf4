"""Matrix products that add to their result, of matrices whose rows stand any distance apart: BLAS's gemm as it is.

NumPy's own products overwrite. Where NumPy's OpenBLAS cannot be found,
`available` says so, and kernels that need this are not used.
"""

import ctypes
import functools
from collections.abc import Callable

import numpy as np

from kerasish.engine.kernels import blas

Array = np.ndarray
ROWS, AS_IT_IS, TRANSPOSED = 101, 111, 112  # CBLAS's names for row-major order and for what to do with an operand


@functools.cache
def _functions() -> dict[str, Callable]:
    """cblas_sgemm and cblas_dgemm, by dtype.char."""
    found: dict[str, Callable] = {}
    switch = blas.threads()
    if switch is None:
        return found
    library = ctypes.CDLL(switch.path)  # which lets go of the interpreter
    size = ctypes.c_int64 if "64" in switch.suffix else ctypes.c_int
    for char, letter, number in (("f", "s", ctypes.c_float), ("d", "d", ctypes.c_double)):
        for prefix in ("scipy_cblas_", "cblas_"):
            function = getattr(library, f"{prefix}{letter}gemm{switch.suffix}", None)
            if function is not None:
                matrix = [ctypes.c_void_p, size]
                function.argtypes = [*[ctypes.c_int] * 3, *[size] * 3, number, *matrix, *matrix, number, *matrix]
                function.restype = None
                if _right(function, char):
                    found[char] = function
                    break
    return found


def _right(function: Callable, char: str) -> bool:
    a, b, c = np.arange(6, dtype=char), np.arange(12, dtype=char), np.ones(8, char)
    wanted = a.reshape(2, 3) @ b.reshape(3, 4) + 1
    one, at = 1.0, [m.ctypes.data for m in (a, b, c)]
    function(ROWS, AS_IT_IS, AS_IT_IS, 2, 4, 3, one, at[0], 3, at[1], 4, one, at[2], 4)
    return bool(np.array_equal(c.reshape(2, 4), wanted))


def available(dtype: np.dtype) -> bool:
    return dtype.char in _functions()


def gemm(dtype: np.dtype, transposed: bool = False) -> Callable:
    """f(m, n, k, 1.0, a, lda, b, ldb, add, c, ldc): c (m, n) = a (m, k) @ b (k, n) + add * c, where a, b and c are addresses
    and lda, ldb and ldc how many numbers it is from one row to the next. If `transposed`, a is given as (k, m).

    Addresses, since a view of an array takes longer to make than BLAS takes to begin.
    """
    return functools.partial(_functions()[dtype.char], ROWS, TRANSPOSED if transposed else AS_IT_IS, AS_IT_IS)
