"""A column times a row, by the BLAS: the quickest way to lay out one number for each row, or each channel, of a matrix.

NumPy's element-wise loops start anew in every row, which takes longer than 128 numbers do. A product over a single index
fills (4096, 32) or (1024, 128) at 0.11 ns a number where `np.copyto` of a column takes 0.4 and 0.23, and `np.dot`, which
goes another way for such shapes, 0.4. A flat element-wise call with what it filled then runs on all threads.
"""

import functools
from collections.abc import Callable
from functools import partial

import numpy as np

from kerasish.engine.kernels import blas

Array = np.ndarray
ROW_MAJOR, AS_IT_IS = 101, 111  # CblasRowMajor, CblasNoTrans


@functools.cache
def _gemm() -> dict[str, Callable]:
    """cblas_?gemm by dtype.char. Its first three arguments are ints of C, which come in registers, so that a wider
    type does as well."""

    def call(f: Callable, n: int, x: int, y: int) -> None:
        f(ROW_MAJOR, AS_IT_IS, AS_IT_IS, 8, 5, 1, 1.0, x, 1, x, 5, 1.0, y, 5)

    def right(x: Array, y: Array) -> Array:
        return y + np.outer(x[:8], x[:5]).reshape(-1)

    return blas._found("gemm", "nnnnnnsvnvnsvn", call, right)


def _known(column: Array, row: Array, out: Array) -> bool:
    arrays = (column, row, out)
    return bool(out.size) and out.ndim == 2 and len({a.dtype.char for a in arrays}) == 1 and all(a.flags.c_contiguous for a in arrays)


def bound_outer(column: Array, row: Array, out: Array, add: bool = False) -> Callable[[], object]:
    """A call that makes out[i, j] = column[i] * row[j], or adds that to it. The arrays must live as long as the call."""
    function = _gemm().get(out.dtype.char) if _known(column, row, out) else None
    if function is not None:
        (m, n), (a, b, c) = out.shape, (x.__array_interface__["data"][0] for x in (column, row, out))
        return partial(function, ROW_MAJOR, AS_IT_IS, AS_IT_IS, m, n, 1, 1.0, a, 1, b, n, 1.0 if add else 0.0, c, n)
    tall = column.reshape(-1, 1)
    return (lambda: np.add(out, tall * row, out)) if add else partial(np.multiply, tall, row, out)


def outer(column: Array, row: Array, out: Array, add: bool = False) -> None:
    """The same at once."""
    bound_outer(column, row, out, add)()
