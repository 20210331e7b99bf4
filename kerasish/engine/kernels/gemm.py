"""Matrix products that add to their result, of matrices whose rows stand any distance apart: BLAS's gemm as it is.

NumPy's own products overwrite. Where NumPy's OpenBLAS cannot be found, `available` says so, and kernels that need this are
not used.
"""

import functools
from collections.abc import Callable

import numpy as np

from kerasish.engine.kernels import blas

Array = np.ndarray
ROWS, AS_IT_IS = 101, 111  # CBLAS's names for row-major order and for an operand that is not transposed


@functools.cache
def _functions() -> dict[str, Callable]:
    """cblas_sgemm and cblas_dgemm, by dtype.char."""
    return blas.functions("gemm", "iiinnnsvnvnsvn", _try, _tried)


def _try(function: Callable, n: int, x: int, y: int) -> None:
    """y (5, 8) = x (5, 4) @ x (4, 8) + y, of the numbers that x begins with."""
    function(ROWS, AS_IT_IS, AS_IT_IS, 5, 8, 4, 1.0, x, 4, x, 8, 1.0, y, 8)


def _tried(x: Array, y: Array) -> Array:
    return (x[:20].reshape(5, 4) @ x[:32].reshape(4, 8)).reshape(-1) + y


def available(dtype: np.dtype) -> bool:
    return dtype.char in _functions()


def gemm(dtype: np.dtype) -> Callable:
    """f(m, n, k, 1.0, a, lda, b, ldb, add, c, ldc): c (m, n) = a (m, k) @ b (k, n) + add * c, where a, b and c are addresses
    and lda, ldb and ldc how many numbers it is from one row to the next.

    Addresses, since a view of an array takes longer to make than BLAS takes to begin.
    """
    return functools.partial(_functions()[dtype.char], ROWS, AS_IT_IS, AS_IT_IS)
