"""Matrix products made of smaller ones, for the crew's threads and for OpenBLAS's kernels for small products.

OpenBLAS's own division of a product among its threads is up to twice as slow as one piece for each, and products of up to a
million multiplications have kernels that lay out no matrix anew (on processors with AVX-512). So a product is cut by the
rows or columns of its result (`_pieces`), or, where its sums are long, by their terms (`_terms`), into a stack of equal
ones. How depends on sizes and on how many threads the BLAS has, never on how many are used. `dot` does likewise by one thread.

The crew's list for products of one shape is made once and aimed at other arrays in two microseconds, where making one takes 25.
"""

import functools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from kerasish.engine.kernels import blas, crew
from kerasish.engine.kernels.scratch import address, aligned, ones, scratch
from kerasish.engine.kernels.threads import in_order

Array = np.ndarray
SMALL = 10**6  # multiplications of a product that OpenBLAS's kernels for small ones take
MIDDLING = 10  # times that: what is larger is not made of small ones, but where its sums are short
LEAST_ROWS, GOOD_ROWS, MOST_ROWS = 8, 24, 128  # of a small product
SHORT_SUM, LONG_SUM = 128, 2048  # terms of the sums that a product's numbers are
MOST_PARTS = 16  # that a sum is cut into
FEW_ROWS = 32  # up to here the matrix on the right takes most of the memory
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
    (_aimed(a, b, out) or _in_turn)(a, b, out)


def bind_product(a: Array, b: Array, out: Array) -> Callable[[], object]:
    """A call of np.dot(a, b, out), matrices that stay where they are; in pieces by the crew where that is faster."""
    if _worth_turning(a, b, out):
        straight = aligned(b.shape, b.dtype)
        return in_order(functools.partial(np.copyto, straight, b), bind_product(a, straight, out))
    terms = _terms(a, b, out)
    if terms is not None:
        parts = aligned((len(terms[0]), *out.shape), out.dtype)
        return in_order(_bound(*terms, parts), functools.partial(np.dot, *_addends(parts, out)))
    pieces, rest = _pieces(a, b, out)
    if pieces is None:
        return functools.partial(np.dot, a, b, out)
    call = _bound(*pieces)
    return call if rest is None else in_order(call, functools.partial(np.matmul, *rest))


def _bound(a: Array, b: Array, out: Array) -> Callable[[], object]:
    return crew.bind_products(a, b, out) or functools.partial(_in_turn, a, b, out)


def _in_turn(a: Array, b: Array, out: Array) -> None:
    """The products of stacks by this thread, to the same bits as by the crew."""
    with blas.single:
        np.matmul(a, b, out)


def product(a: Array, b: Array, out: Array) -> None:
    """np.dot(a, b, out), likewise, of matrices that may be others with every call."""
    terms = _terms(a, b, out)
    if terms is not None:
        parts = scratch("parts of sums", (len(terms[0]), *out.shape), out.dtype)
        _products(*terms, parts)
        np.dot(*_addends(parts, out))
        return
    pieces, rest = _pieces(a, b, out)
    if pieces is None:
        np.dot(a, b, out)
        return
    _products(*pieces)
    if rest is not None:
        np.matmul(*rest)  # np.dot wants a result without gaps


class MovingProduct:
    """product(a, b, out) of matrices of one shape and dtype. How the product is cut is decided once for a layout: to do so
    takes longer than to aim what has been prepared at other matrices. For one program, and one call at a time."""

    layout: Any = None
    aimed: _Aimed | None = None
    parts: Array | None = None
    rest: tuple[slice, slice] | None = None

    def __call__(self, a: Array, b: Array, out: Array) -> None:
        layout = a.strides, b.strides, out.strides
        if layout != self.layout:
            self._prepare(a, b, out)
            self.layout = layout
        if self.aimed is None:
            product(a, b, out)
        elif self.parts is not None:
            self.aimed(a, b, self.parts)
            np.dot(*_addends(self.parts, out))
        else:
            self.aimed(a, b, out)
            if self.rest is not None:
                rows, columns = self.rest
                np.matmul(a[rows], b[:, columns], out[rows, columns])

    def _prepare(self, a: Array, b: Array, out: Array) -> None:
        self.aimed = self.parts = self.rest = None
        terms = _terms(a, b, out)
        if terms is not None:
            self.parts = aligned((len(terms[0]), *out.shape), out.dtype)
            call, arrays = crew.bind_products(*terms, self.parts), (a, b, self.parts)
        else:
            pieces, rest = _pieces(a, b, out)
            if pieces is None:
                return
            call, arrays = crew.bind_products(*pieces), (a, b, out)
            if rest is not None:  # of rows, or of columns
                m, n = rest[2].shape
                self.rest = slice(len(out) - m, None), slice(out.shape[1] - n, None)
        self.aimed = None if call is None else _Aimed(call, arrays)


def moving_product(rows: int, inner: int, columns: int) -> Callable[[Array, Array, Array], object]:
    """What computes products of these sizes, np.dot itself if they are small."""
    return MovingProduct() if crew.most() and rows * inner * columns > SMALL else np.dot


def dot(a: Array, b: Array, out: Array) -> None:
    """np.dot(a, b, out) by this thread alone if threads of the BLAS are, as a stack of small products where that is faster:
    of parts of the rows, or, where sums are long, of parts of these too."""
    cut = _cut(len(a), *b.shape) if out.dtype.char == "f" else None
    if cut is None:
        np.dot(a, b, out)
        return
    rows, terms = cut
    if terms == len(b):
        whole = len(a) - len(a) % rows
        np.matmul(a[:whole].reshape(-1, rows, terms), b, out[:whole].reshape(-1, rows, b.shape[1]))
        if whole < len(a):
            np.dot(a[whole:], b, out[whole:])
        return
    left = a.reshape(-1, rows, len(b) // terms, terms).transpose(2, 0, 1, 3)
    right = b.reshape(-1, 1, terms, b.shape[1])
    parts = scratch("parts of sums", (len(right), *left.shape[1:3], b.shape[1]), out.dtype)
    np.matmul(left, right, parts)
    np.dot(ones(len(parts), out.dtype), parts.reshape(len(parts), -1), out.reshape(-1))


@functools.lru_cache(maxsize=4096)
def _cut(m: int, k: int, n: int) -> tuple[int, int] | None:
    """Rows and terms of the small products that a product (m, k) by (k, n) is made of, or None."""
    if m * k * n <= SMALL or not blas.small_kernels():
        return None
    rows = min(MOST_ROWS, SMALL // (k * n), m)
    if rows >= LEAST_ROWS:
        return next(rows // unit * unit for unit in (16, 8) if rows >= unit), k
    count = -(-k * n * min(m, GOOD_ROWS) // SMALL)
    count = next((c for c in range(count, 2 * count) if k % c == 0), 0)
    if not count or (count > 1 and n >= 128):
        return None
    most = min(2 * GOOD_ROWS, SMALL // (k // count * n))
    rows = next((r for r in range(most, GOOD_ROWS // 3, -1) if m % r == 0), 0)
    return (rows, k // count) if rows else None


def _terms(a: Array, b: Array, out: Array) -> tuple[Array, Array] | None:
    """The factors of a product with very long sums, as of a gradient over many rows, as stacks of products to be added up;
    None for others. Each thread multiplies rows that it has just computed. Few rows by a large matrix are done likewise:
    the matrix is then read in the order of memory."""
    (m, k), n = a.shape, b.shape[1]
    work = m * k * n
    few = m <= FEW_ROWS and work > MIDDLING * SMALL
    long = k > LONG_SUM or few or (k >= 4 * max(m, n) and work > MIDDLING * SMALL)
    if not crew.most() or not long or not out.flags.c_contiguous or out.dtype != a.dtype:
        return None
    count = -(-work // SMALL)
    if count > MOST_PARTS or not blas.small_kernels():
        count = max(4, min(crew.most(), MOST_PARTS))
    count = next((c for c in range(max(count, 2), 2 * count) if k % c == 0), 0)
    if not count:
        return None
    return a.reshape(m, count, k // count).swapaxes(0, 1), b.reshape(count, k // count, n)


def _addends(parts: Array, out: Array) -> tuple[Array, Array, Array]:
    """What np.dot adds up parts from."""
    return ones(len(parts), parts.dtype), parts.reshape(len(parts), -1), out.reshape(-1)


def _pieces(a: Array, b: Array, out: Array) -> tuple[tuple[Array, Array, Array] | None, tuple[Array, Array, Array] | None]:
    """A product as a stack of products of one size, for rows or for columns of its result, and what these leave over. None
    and None where it is best left whole."""
    (m, k), n = a.shape, b.shape[1]
    work = m * k * n
    if not crew.most() or work <= SMALL or out.dtype != a.dtype:
        return None, None
    by_rows = m >= n
    small = work <= MIDDLING * SMALL or k <= SHORT_SUM
    count = whole = max(2, min(crew.most(), work // SMALL))
    if small and blas.small_kernels() and not (by_rows and _turned(b)):  # which those kernels are slow at
        while count * SMALL < work:
            count *= 2
        if (m if by_rows else n) // count < LEAST_ROWS:
            count = whole
    each = (m if by_rows else n) // count
    if not each:
        return None, None
    end = each * count
    if by_rows:
        pieces = _rows(a[:end], count), _repeated(b, count), _rows(out[:end], count)
        return pieces, (a[end:], b, out[end:]) if end < m else None
    pieces = _repeated(a, count), _columns(b[:, :end], count), _columns(out[:, :end], count)
    return pieces, (a, b[:, end:], out[:, end:]) if end < n else None


def _turned(x: Array) -> bool:
    return x.strides[0] < x.strides[1]


def _worth_turning(a: Array, b: Array, out: Array) -> bool:
    """Whether a transposed matrix is sooner copied than multiplied by as it is, which takes up to three times as long."""
    m, k, dtype = len(a), len(b), out.dtype
    if not _turned(b) or k < 2 or not blas.small_kernels() or dtype.char != "f" or not a.dtype == b.dtype == dtype:
        return False
    return m >= 32 and b.size <= 1 << 13 or m >= 1024 and k <= SHORT_SUM


def _repeated(x: Array, times: int) -> Array:
    return np.broadcast_to(x, (times, *x.shape))


def _rows(x: Array, pieces: int) -> Array:
    """(pieces, rows, columns): splitting an axis is always a view."""
    return x.reshape(pieces, len(x) // pieces, x.shape[1])


def _columns(x: Array, pieces: int) -> Array:
    return x.reshape(len(x), pieces, x.shape[1] // pieces).swapaxes(0, 1)
