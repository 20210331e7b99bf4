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
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from kerasish.engine.kernels import crew
from kerasish.engine.kernels.crew import apply
from kerasish.engine.kernels.rowwise import _shift_rows
from kerasish.engine.kernels.scratch import aligned, ones, scratch
from kerasish.engine.kernels.sequence import clear, prepared
from kerasish.engine.kernels.stacks import products
from kerasish.engine.kernels.threads import ranges

Array = np.ndarray
BLOCK = 1 << 19  # weights in a block: those of each thread stay in its second-level cache
STACK = 8  # matrices in a block, if so many fit: they are shared out among the threads
ROWS = 128  # rows in a block of causal attention, or an eighth of all if that is more: of smaller ones more is skipped,
# but their gradients of keys and values have to be added up
GROUP = 32  # blocks of weights that are written down as one group of sequences
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
    sums = heads.at_once(_means, heads.v, y)
    if sums is not None:
        np.divide(y, sums.swapaxes(1, 2)[..., None], y)
        return result
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
    if heads.at_once(_gradients, heads.k, vt.swapaxes(0, 1), dy, y, dq, dk, dv) is not None:
        return result
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


class _Part(NamedTuple):
    """What a thread does of a group of matrices: those at these places, (index in the stack, head), by blocks of rows,
    (first, last, columns that they see)."""

    matrices: tuple[tuple[int, int], ...]
    blocks: tuple[tuple[int, int, int], ...]
    causal: bool


def _weights(do: Any, q: Array, kt: Array, s: Array, start: int, causal: bool, seen: Array | None) -> Array:
    """E of a block of rows; and the sums of its rows, which are left in s."""
    rows, columns, dtype = len(q), kt.shape[1], q.dtype
    e = do.memory("weights", (rows, columns), dtype)
    do.product(q, kt, e)
    do.call(np.exp, e, e)
    if seen is not None:
        mask = do.memory("mask", e.shape, dtype)
        if len(seen) == 1:
            do.product(ones(rows, dtype)[:, None], seen, mask)
        else:
            do.copy(seen, mask)
        do.call(np.multiply, e, mask, e)
    if causal:
        do.call(np.multiply, e, _triangle(start, start + rows, columns, dtype), e)
    do.product(e, ones(columns, dtype)[:, None], s[:, None])
    return e


def _blocks(do: Any, part: _Part, q: Array, kt: Array, s: Array, seen: Array) -> Iterator[tuple]:
    """For every matrix and each block of its rows, the last ones first, which see the most columns: where it is, how many
    columns it sees, and its weights."""
    for i, head in part.matrices:
        for start, stop, columns in reversed(part.blocks):
            mask = seen[i, head, start:stop] if seen.shape[2] > 1 else seen[i, head]
            e = _weights(
                do, q[i, start:stop, head], kt[i, head, :, :columns], s[i, head, start:stop], start, part.causal,
                mask[:, :columns] if seen.size else None,
            )  # fmt: skip
            yield i, head, slice(start, stop), columns, e


def _means(do: Any, part: _Part, *arrays: Array) -> None:
    """E v, still to be divided by the sums."""
    *given, v, y = arrays
    for i, head, rows, columns, e in _blocks(do, part, *given):
        do.product(e, v[i, :columns, head], y[i, rows, head])


def _gradients(do: Any, part: _Part, *arrays: Array) -> None:
    *given, k, vt, dy, y, dq, dk, dv = arrays
    q, size, sums = given[0], dv.shape[3], given[2]
    last = part.blocks[-1]
    for i, head, rows, columns, e in _blocks(do, part, *given):
        s = sums[i, head, rows]
        u = do.memory("u", (len(s), size + 1), q.dtype)
        term, other = (do.memory(name, (len(s), size), q.dtype) for name in ("term", "other"))
        do.copy(dy[i, rows, head], term)
        do.product(s[:, None], ones(size, q.dtype)[None], other)
        do.call(np.divide, term, other, term)
        do.copy(term, u[:, :size])
        do.copy(y[i, rows, head], other)
        do.call(np.multiply, term, other, other)
        do.product(other, ones(size, q.dtype)[:, None], u[:, size:])
        d = do.memory("products", e.shape, q.dtype)
        do.product(u, vt[i, head, :, :columns], d)
        do.call(np.multiply, d, e, d)
        do.product(d, k[i, :columns, head], dq[i, rows, head])
        for name, weights, x, out in ("dk", d, q[i, rows, head], dk), ("dv", e, u[:, :size], dv):
            target = out[i, :, head]
            if part.blocks == (last,) and columns == len(target):
                do.product(weights.T, x, target)
                continue
            total = do.memory(name, target.shape, q.dtype)
            if rows.start == last[0]:
                clear(do, total[columns:])
                do.product(weights.T, x, total[:columns])
            else:
                added = do.memory("added", (columns, x.shape[1]), q.dtype)
                do.product(weights.T, x, added)
                do.call(np.add, total[:columns], added, total[:columns])
            if not rows.start:
                do.copy(total, target)


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

    def at_once(self, record: Callable, *arrays: Array) -> Array | None:
        """Do all by sequences, every matrix by one thread. The sums of the weights' rows, (stack, heads, targets); or None
        if it can't be done so, or sums need care.

        `record` gets a group of the stack's matrices at a time, as (stack, length, heads, size): queries, keys (transposed),
        sums to be left there, what is seen as numbers (or nothing), and `arrays`."""
        stack, count, dtype = len(self.q), self.count, self.q.dtype
        blocks = tuple((rows.start, rows.stop, columns) for rows, columns in self.rows)
        group = min(stack, max(1, GROUP // (count * len(blocks))))
        if group * count < 2:
            return None
        sums = scratch("attention all sums", (stack, count, self.targets), dtype)
        given = self.q, self.kt.swapaxes(0, 1), sums, self._seen_numbers(), *arrays
        for start in range(0, stack, group):
            here = [a[start : start + group] for a in given]
            matrices = [(i, head) for i in range(len(here[0])) for head in range(count)]
            shares = ranges(len(matrices), crew.most())
            parts = [_Part(tuple(matrices[a:b]), blocks, self.causal) for a, b in shares]
            work = prepared(record, parts, *here)
            if work is None:
                return None
            work(*here)
        return sums if np.minimum.reduce(sums, None) > LEAST and np.maximum.reduce(sums, None) < MOST else None

    def _seen_numbers(self) -> Array:
        """1 where there is something to look at and 0 elsewhere, (stack, heads, targets or 1, sources); or without rows."""
        stack, sources = len(self.q), self.sources
        if self.mask is None:
            return np.broadcast_to(ones(1, self.q.dtype), (stack, self.count, 0, sources))
        numbers = np.broadcast_to(self.mask, (*self.mask.shape[:3], sources)).astype(self.q.dtype, order="C")
        return np.broadcast_to(numbers, (stack, self.count, *numbers.shape[2:]))

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
