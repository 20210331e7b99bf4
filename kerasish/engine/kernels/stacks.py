"""Stacks of matrix products on blocks of memory that follow one another. The crew's list for products of one shape is made
once and aimed at other arrays in two microseconds, where making one takes 25.
"""

import functools
import threading
from collections.abc import Callable

import numpy as np

from kerasish.engine.kernels import blas, crew
from kerasish.engine.kernels.scratch import address

Array = np.ndarray
# Multiplications of one product. OpenBLAS has kernels for products up to this size that do not lay out the matrices anew,
# and are up to 1.4 times as fast: what is somewhat larger is done in halves. In more parts it would be slower than whole.
SMALL = 10**6
MIDDLING = 8  # times that: for more, laying out the matrices anew pays
MOST_KEPT = 512
_made = threading.local()  # the lists are written to, so every thread has its own


class _Aimed:
    """Products by the crew, whose arrays are given with each call: of the shapes and strides of those it was made with."""

    def __init__(self, call: crew._Products, arrays: tuple[Array, Array, Array]):
        call.forget()
        self.call = call
        words, half = crew.ENTRY // 8, crew.ENTRY // 16  # each entry's second half begins with the three addresses
        self.places = np.array([[i * words + half + j for j in range(3)] for i in range(call.pieces)])
        self.offsets = call.fresh[self.places] - [address(a) for a in arrays]

    def __call__(self, *arrays: Array) -> None:
        self.call.fresh[self.places] = self.offsets + [address(a) for a in arrays]
        self.call()


def _aimed(*arrays: Array) -> _Aimed | None:
    known = _made.__dict__
    key = (arrays[-1].dtype.char, *[(a.shape, a.strides) for a in arrays])
    if key not in known:
        if len(known) >= MOST_KEPT:  # shapes come and go in a long session
            known.clear()
        call = crew.bind_products(*arrays)
        known[key] = None if call is None else _Aimed(call, arrays)
    return known[key]


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
    call = _aimed(a, b, out)
    if call is not None:
        call(a, b, out)
    else:
        with blas.single:
            np.matmul(a, b, out)


def bind_product(a: Array, b: Array, out: Array) -> Callable[[], object]:
    """A call of np.dot(a, b, out), matrices that stay where they are. One that is somewhat larger than OpenBLAS's kernels
    for small products is done in pieces that are not, by the crew: twice as fast."""
    (m, k), n = a.shape, b.shape[1]
    pieces = crew.size()
    while pieces * SMALL < m * k * n:
        pieces *= 2
    call = None
    if SMALL < m * k * n <= MIDDLING * SMALL and crew.size() > 1:
        if n % pieces == 0 and out.dtype == a.dtype:
            call = crew.bind_products(_repeated(a, pieces), _columns(b, pieces), _columns(out, pieces))
        elif m % pieces == 0 and out.dtype == a.dtype:
            call = crew.bind_products(_rows(a, pieces), _repeated(b, pieces), _rows(out, pieces))
    return call or functools.partial(np.dot, a, b, out)


def _repeated(x: Array, times: int) -> Array:
    return np.broadcast_to(x, (times, *x.shape))


def _rows(x: Array, pieces: int) -> Array:
    """(pieces, rows, columns): splitting an axis is always a view."""
    return x.reshape(pieces, -1, x.shape[1])


def _columns(x: Array, pieces: int) -> Array:
    return x.reshape(len(x), pieces, -1).swapaxes(0, 1)
