"""Matrix decompositions over the last two axes. A matrix that has none gives NaN, as in XLA, and stops no program."""

from typing import Any, Callable

import numpy as np

Array = np.ndarray


def _each(fn: Callable, *args: Array) -> Any:
    """fn of a stack of matrices; where one of them fails, of every matrix by itself, with NaN for those that fail."""
    try:
        with np.errstate(all="ignore"):
            return fn(*args)
    except np.linalg.LinAlgError:
        pass
    lead = np.broadcast_shapes(*[a.shape[:-2] for a in args])
    stacks = [np.broadcast_to(a, (*lead, *a.shape[-2:])).reshape(-1, *a.shape[-2:]) for a in args]
    model = fn(*[np.broadcast_to(np.eye(*s.shape[-2:], dtype=s.dtype), s.shape[-2:]) for s in stacks])
    several = isinstance(model, tuple)
    rows = []
    for matrices in zip(*stacks, strict=True):
        try:
            with np.errstate(all="ignore"):
                row = fn(*matrices)
        except np.linalg.LinAlgError:
            row = tuple(np.full_like(m, np.nan) for m in model) if several else np.full_like(model, np.nan)
        rows.append(row)
    if several:
        return tuple(np.stack(c).reshape(*lead, *c[0].shape) for c in zip(*rows, strict=True))
    return np.stack(rows).reshape(*lead, *rows[0].shape)


def cholesky(a: Array) -> Array:
    return _each(np.linalg.cholesky, a)


def inv(a: Array) -> Array:
    return _each(np.linalg.inv, a)


def solve(a: Array, b: Array) -> Array:
    return _each(np.linalg.solve, a, b)


def det(a: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(np.linalg.det(a), a.dtype)


def cofactors(a: Array) -> Array:
    """det(a) times the transposed inverse, by singular values, so that singular matrices have them too."""
    u, s, vh = (np.asarray(v) for v in _each(lambda m: tuple(np.linalg.svd(m)), a))
    ones = np.ones_like(s[..., :1])
    with np.errstate(all="ignore"):
        before = np.concatenate([ones, np.cumprod(s, -1)[..., :-1]], -1)
        after = np.concatenate([ones, np.cumprod(s[..., ::-1], -1)[..., :-1]], -1)[..., ::-1]
        sign = np.linalg.det(u) * np.linalg.det(vh)
        return np.asarray((u * (before * after * sign[..., None])[..., None, :]) @ vh, a.dtype)


def slogdet(a: Array) -> tuple:
    with np.errstate(all="ignore"):
        sign, log = np.linalg.slogdet(a)
    return np.asarray(sign, a.dtype), np.asarray(log, a.dtype)


def eigh(a: Array) -> tuple:
    return tuple(_each(lambda m: tuple(np.linalg.eigh(m)), a))


def eig(a: Array) -> tuple:
    kind = "complex128" if a.dtype in (np.float64, np.complex128) else "complex64"
    w, v = _each(lambda m: tuple(np.linalg.eig(m)), a)
    return w.astype(kind), v.astype(kind)


def qr(a: Array, mode: str) -> tuple:
    return tuple(np.linalg.qr(a, mode))


def svd(a: Array, full: bool) -> tuple:
    return tuple(_each(lambda m: tuple(np.linalg.svd(m, full_matrices=full)), a))


def singular_values(a: Array) -> Array:
    return _each(lambda m: np.linalg.svd(m, compute_uv=False), a)


def pivots_to_rows(pivots: Array, rows: int) -> Array:
    """The order in which the rows of a matrix stand after the exchanges that `lu` notes."""
    order = np.broadcast_to(np.arange(rows, dtype="int32"), (*pivots.shape[:-1], rows)).copy()
    for index in np.ndindex(pivots.shape[:-1]):
        for j, p in enumerate(pivots[index]):
            order[index][[j, p]] = order[index][[p, j]]
    return order


def lu(a: Array) -> tuple:
    """L and U in one matrix, and the rows exchanged at each step (counted from 0), by Gauss with partial pivots."""
    out = a.astype(a.dtype, copy=True)
    rows, columns = out.shape[-2:]
    n = min(rows, columns)
    pivots = np.zeros((*out.shape[:-2], n), "int32")
    for index in np.ndindex(out.shape[:-2]):
        m = out[index]
        for j in range(n):
            p = j + int(np.argmax(np.abs(m[j:, j])))
            pivots[(*index, j)] = p
            if p != j:
                m[[j, p]] = m[[p, j]]
            if m[j, j] != 0:
                m[j + 1 :, j] /= m[j, j]
                m[j + 1 :, j + 1 :] -= np.outer(m[j + 1 :, j], m[j, j + 1 :])
    return out, pivots
