"""Attention: means of values, weighted by the softmax of products of queries and keys (Vaswani et al., 2017), and its
gradient, by blocks of weights that stay in the cache and are never seen outside (as in Dao et al., 2022: FlashAttention).

For the rows of a block, with scaled keys:

    E = exp(q kᵀ)        s = row sums of E        y = (E v) / s

and backwards, where E is computed again, which takes less time than fetching it from memory would:

    u = dy / s           r = row sums of u * y    D = E * (u vᵀ - r)
    dv = Eᵀ u            dq = D k                 dk = Dᵀ q

What is done to E and D element by element costs as much as the products, so it is kept to exp and one multiplication: the
weights are never divided by their sums, r is one more column of u in the product with v, and the scale goes with kᵀ and vᵀ,
which are laid out anew in any case, since products of a matrix with a transposed one are slow.

The maximum that softmax subtracts only guards against overflow and underflow. Whether there was any shows in the sums, so
it is left out at first; a block in which a sum is very large or small, infinite or nan is done again with care.

Arrays are (batch, length, heads, size), masks (batch, heads, targets, sources) or 1 in place of any of these, True where
there is something to look at. Results do not depend on the number of threads.
"""

import functools
from collections.abc import Iterator

import numpy as np

from kerasish.engine.kernels.crew import apply
from kerasish.engine.kernels.rowwise import _shift_rows
from kerasish.engine.kernels.scratch import aligned, ones, scratch
from kerasish.engine.kernels.stacks import products

Array = np.ndarray
BLOCK = 1 << 19  # weights in a block: those of each thread stay in its second-level cache
STACK = 8  # matrices in a block, if so many fit: they are shared out among the threads
ROWS = 128  # rows in a block of causal attention, or an eighth of all if that is more: of smaller ones more is skipped,
# but their gradients of keys and values have to be added up
LEAST, MOST = 1e-6, 1e12  # sums in between need no care


@np.errstate(all="ignore")
def attention(
    q: Array, k: Array, v: Array, *mask: Array, scale: float, causal: bool, fill: float, out: Array | None = None
) -> Array:
    """(batch, targets, heads, size of v). `fill` is what hidden scores count as where a target sees nothing else."""
    result = aligned((*q.shape[:-1], v.shape[-1]), q.dtype) if out is None else out
    if result.size == 0 or k.shape[1] == 0:
        result.fill(np.nan if result.size else 0)
        return result
    heads = _Heads(q, k, v, mask, scale, causal, fill)
    y = heads.stacked(result)
    for part in heads.parts:
        sums = scratch("attention sums", (heads.count, len(y[part]), heads.targets), q.dtype)
        for head in range(heads.count):
            for rows, columns in heads.rows:
                e, s, _ = heads.weights(part, head, rows, columns)
                products(e, heads.v[part, : e.shape[2], head], y[part, rows, head])
                sums[head, :, rows] = s[..., 0]
        np.divide(y[part], sums.transpose(1, 2, 0)[..., None], y[part])
    return result


@np.errstate(all="ignore")
def attention_grad(
    dy: Array, y: Array, q: Array, k: Array, v: Array, *mask: Array, scale: float, causal: bool, fill: float,
    out: Array | None = None,
) -> Array:  # fmt: skip
    """The gradients of q, k and v, one after the other in one vector. `y` is the result of `attention`."""
    result = aligned((q.size + k.size + v.size,), q.dtype) if out is None else out
    if dy.size == 0 or k.size == 0 or q.size == 0:
        result.fill(0)
        return result
    heads = _Heads(q, k, v, mask, scale, causal, fill)
    split = np.split(result, [q.size, q.size + k.size])
    dq, dk, dv = (heads.stacked(part.reshape(x.shape)) for part, x in zip(split, (q, k, v), strict=True))
    dy, y = heads.stacked(dy), heads.stacked(y)
    vt = heads.turned("attention values", heads.v, scale, extra=1)
    vt[:, :, -1] = -scale
    for part in heads.parts:
        for head in range(heads.count):
            started = False
            for rows, columns in reversed(heads.rows):  # the last rows see the most columns
                e, s, careful = heads.weights(part, head, rows, columns)
                seen = e.shape[2]
                u = _normalised(dy[part, rows, head], y[part, rows, head], s)
                d = scratch("attention products", e.shape, q.dtype)
                products(u, vt[head, part, :, :seen], d)
                apply(np.multiply, d, e, d)
                if careful:  # where nothing is seen, hidden scores have weights, but no gradient
                    heads.hide(d, part, head, rows)
                products(d, heads.k[part, :seen, head], dq[part, rows, head])
                _collect(d, heads.q[part, rows, head], dk[part, :, head], started)
                _collect(e, u[..., :-1], dv[part, :, head], started)
                started = True
    return result


def _normalised(dy: Array, y: Array, s: Array) -> Array:
    """dy / s, and in one more column the row sums of that times y."""
    u = scratch("attention rows", (*dy.shape[:-1], dy.shape[-1] + 1), dy.dtype)
    np.divide(dy, s, u[..., :-1])
    np.vecdot(u[..., :-1], y, out=u[..., -1])
    return u


def _collect(e: Array, x: Array, out: Array, started: bool) -> None:
    """Put eᵀ x into the first rows of out; or add it, if something is there."""
    columns = e.shape[2]
    if started:
        product = scratch("attention added", (len(e), columns, x.shape[2]), x.dtype)
        products(e.transpose(0, 2, 1), x, product)
        out[:, :columns] += product
    else:
        products(e.transpose(0, 2, 1), x, out[:, :columns])
        out[:, columns:] = 0


class _Heads:
    """Queries, keys and values as stacks of matrices, and how they are cut into blocks.

    The matrices of one head are at equal distances in memory, and so are those of one element of the batch: a stack is
    the one or the other, whichever is more.

    count, targets: how many stacks there are, and rows in a matrix
    parts: slices of a stack
    rows:  pairs of a slice of the rows, and how many columns these can see
    """

    def __init__(self, q: Array, k: Array, v: Array, mask: tuple, scale: float, causal: bool, fill: float):
        self.swapped = q.shape[2] > q.shape[0]
        self.scale, self.causal, self.fill = scale, causal, fill
        self.q, self.k, self.v = (self.stacked(_in_rows(x)) for x in (q, k, v))
        self.mask = mask[0].swapaxes(0, 1) if mask and self.swapped else mask[0] if mask else None
        stack, self.targets, self.count, _ = self.q.shape
        self.sources = self.k.shape[1]
        step = _rows_at_once(self.targets, self.sources, causal)
        self.rows = list(_row_blocks(self.targets, self.sources, step, causal))
        self.parts = _parts(stack, BLOCK // (step * self.sources))
        self.kt = self.turned("attention keys", self.k, scale)

    def stacked(self, x: Array) -> Array:
        return x.swapaxes(0, 2) if self.swapped else x

    def turned(self, name: str, x: Array, scale: float, extra: int = 0) -> Array:
        """scale * xᵀ of every matrix, as (heads, stack, size + extra, length), the extra rows uninitialised.

        By products with a multiple of the identity: those run on all threads, where copying would take as long as the
        products that it makes faster.
        """
        stack, length, count, size = x.shape
        out = scratch(name, (count, stack, size + extra, length), x.dtype)
        unit = np.broadcast_to(_unit(size, scale, x.dtype), (stack, size, size))
        for head in range(count):
            products(unit, x[:, :, head].transpose(0, 2, 1), out[head, :, :size])
        return out

    def weights(self, part: slice, head: int, rows: slice, columns: int) -> tuple[Array, Array, bool]:
        """E and the sums of its rows for the columns that these can see; and whether it took care."""
        q = self.q[part, rows, head]
        e = scratch("attention", (*q.shape[:2], columns), q.dtype)
        products(q, self.kt[head, part, :, :columns], e)
        apply(np.exp, e, e)
        self.hide(e, part, head, rows)
        s = scratch("attention sum", (*q.shape[:2], 1), q.dtype)
        _sum_rows(e, s)
        if np.minimum.reduce(s, None) > LEAST and np.maximum.reduce(s, None) < MOST:
            return e, s, False
        e = self._careful(part, head, rows)
        return e, _sum_rows(e, s), True

    def _careful(self, part: slice, head: int, rows: slice) -> Array:
        """E over all columns, divided by exp of each row's maximum; hidden scores count as `fill`."""
        q, k = self.q[part, rows, head], self.k[part, :, head]
        e = scratch("attention", (*q.shape[:2], self.sources), q.dtype)
        products(q * q.dtype.type(self.scale), k.transpose(0, 2, 1), e)
        if self.mask is not None:
            np.copyto(e, self.fill, where=~self._seen(part, head, rows, self.sources))
        if self.causal:
            np.copyto(e, self.fill, where=~_triangle(rows.start, rows.stop, self.sources))
        flat = e.reshape(-1, self.sources)
        _shift_rows(flat, flat)
        return np.exp(e, e)

    def _seen(self, part: slice, head: int, rows: slice, columns: int) -> Array:
        m = self.mask
        every = slice(None)
        return m[
            part if m.shape[0] > 1 else every, head if m.shape[1] > 1 else 0, rows if m.shape[2] > 1 else every, :columns
        ]

    def hide(self, e: Array, part: slice, head: int, rows: slice) -> None:
        """Make what is hidden 0."""
        columns = e.shape[2]
        if self.mask is not None:
            np.multiply(e, self._seen(part, head, rows, columns).astype(e.dtype), e)
        if self.causal and rows.start < columns:  # before that column all rows see all
            after = e[:, :, rows.start :]
            np.multiply(after, _triangle(0, rows.stop - rows.start, after.shape[2], e.dtype), after)


def _in_rows(x: Array) -> Array:
    """x, or a copy if its rows are not in one piece, as the BLAS wants them."""
    return x if x.strides[-1] == x.itemsize and min(x.strides) > 0 else np.ascontiguousarray(x)


def _sum_rows(e: Array, s: Array) -> Array:
    n = e.shape[2]
    products(e, np.broadcast_to(ones(n, e.dtype)[:, None], (len(e), n, 1)), s)
    return s


@functools.lru_cache(maxsize=64)
def _unit(size: int, scale: float, dtype: np.dtype) -> Array:
    return np.eye(size, dtype=dtype) * dtype.type(scale)


@functools.lru_cache(maxsize=64)
def _triangle(start: int, stop: int, columns: int, dtype: type = bool) -> Array:
    """Rows `start` to `stop` of a lower triangle."""
    return np.tri(stop - start, columns, start, dtype)


def _rows_at_once(targets: int, sources: int, causal: bool) -> int:
    """Rows in a block: all, if a block can hold those of two matrices. Equal blocks, so that none is nearly empty."""
    most = max(32, BLOCK // 2 // sources)
    if causal:
        most = min(most, max(ROWS, -(-targets // 8)))
    blocks = -(-targets // most)
    return -(-targets // blocks)


def _row_blocks(targets: int, sources: int, step: int, causal: bool) -> Iterator[tuple[slice, int]]:
    for start in range(0, targets, step):
        stop = min(start + step, targets)
        yield slice(start, stop), min(stop, sources) if causal else sources


def _parts(stack: int, most: int) -> list[slice]:
    step = most // STACK * STACK or max(2, most)
    return [slice(i, min(i + step, stack)) for i in range(0, stack, step)]
