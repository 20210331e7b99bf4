"""Stacks of matrix products, and element-wise calls, on blocks of memory that follow one another: the crew's lists are
made once for each kind of call, and aimed at other arrays of that kind in two microseconds, where making one takes 25.
"""

import ctypes
import threading
from typing import Any

import numpy as np

from kerasish.engine.kernels import blas, crew

Array = np.ndarray
# Multiplications of one product. OpenBLAS has kernels for products up to this size that do not lay out the matrices anew,
# and are up to 1.4 times as fast: what is somewhat larger is done in halves. In more parts it would be slower than whole.
SMALL = 10**6
_made = threading.local()  # the lists are written to, so every thread has its own


def _address(x: Array) -> int:
    """Where the data begin: the first field of PyArrayObject in NumPy's public header. `__array_interface__` says the same
    and takes six times as long, with which a call of the crew would last half as long again."""
    return ctypes.c_void_p.from_address(id(x) + object.__basicsize__).value


class _Aimed:
    """A call of the crew whose arrays are given when it is made: of the shapes and strides it was bound to."""

    def __init__(self, call: Any, arrays: tuple):
        memory = call.keep[0]
        call.keep = (memory,)  # the arrays it was bound to may go
        self.call = call
        # what a product starts from is kept apart, since its loop moves the addresses in the list
        self.words = call.fresh if isinstance(call, crew._Products) else memory.view(np.int64)
        places = [[(i * crew.ENTRY + crew.ENTRY // 2) // 8 + j for j in range(len(arrays))] for i in range(call.pieces)]
        self.places = np.array(places)
        self.offsets = self.words[self.places] - [_address(a) for a in arrays]

    def __call__(self, *arrays: Array) -> None:
        self.words[self.places] = self.offsets + [_address(a) for a in arrays]
        self.call()


def _aimed(key: tuple, bind: Any, *args: Any) -> _Aimed | None:
    known = _made.__dict__
    if key not in known:
        if len(known) > 512:  # shapes come and go in a long session
            known.clear()
        call = bind(*args)
        known[key] = None if call is None else _Aimed(call, args[-1] if bind is crew.bind else args)
    return known[key]


def apply(ufunc: np.ufunc, *arrays: Array) -> None:
    """ufunc(*arguments, out) for arrays in C order of one shape."""
    call = _aimed((ufunc, arrays[-1].size, arrays[-1].dtype.char, len(arrays)), crew.bind, ufunc, arrays)
    if call is None:
        ufunc(*arrays)
    else:
        call(*arrays)


def products(a: Array, b: Array, out: Array) -> None:
    """np.matmul(a, b, out) of stacks (n, m, k), (n, k, p), (n, m, p), of any strides that the BLAS takes."""
    m, k = a.shape[1:]
    if not SMALL < m * k * b.shape[2] <= 2 * SMALL:
        _products(a, b, out)
        return
    half = -(-m // 2)
    for rows in (slice(0, half), slice(half, m)):
        _products(a[:, rows], b, out[:, rows])


def _products(a: Array, b: Array, out: Array) -> None:
    key = (a.shape, a.strides, b.shape, b.strides, out.strides, out.dtype.char)
    call = _aimed(key, crew.bind_products, a, b, out)
    if call is not None:
        call(a, b, out)
    else:
        with blas.single:
            np.matmul(a, b, out)
