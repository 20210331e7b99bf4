"""Products of matrices and tensors: everything becomes one call of `matmul` where it can."""

import string
from typing import Any, Sequence

import numpy as np

from kerasish.engine import primitives as P
from kerasish.engine.dims import agree, product, same
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import axis_of, common, floats, kind, promoted, tensor
from kerasish.ops.numpy.reductions import mean_of
from kerasish.ops.numpy.shaping import permuted, reshaped
from kerasish.ops.op import op


def _factors(*xs: Any) -> list[Tensor]:
    """Promoted; products of int8 are int32, and those of booleans are `and`, as integers."""
    kinds = [kind(x) for x in xs]
    dtype = common(*kinds)
    if dtype == "int8" and all(common(k) == dtype for k in kinds):
        dtype = np.dtype("int32")
    if dtype.kind == "b":
        return [tensor(tensor(x, bool), "int32") for x in xs]
    return [tensor(x, dtype) for x in xs]


def product_of(a: Tensor, b: Tensor) -> Tensor:
    """The matrix product of two tensors with at least one axis each, as np.matmul defines it."""
    if a.ndim == 1:
        out = product_of(reshaped(a, (1, *a.shape)), b)
        return reshaped(out, (*out.shape[:-2], out.shape[-1])) if b.ndim > 1 else reshaped(out, out.shape[1:])
    if b.ndim == 1:
        out = product_of(a, reshaped(b, (*b.shape, 1)))
        return reshaped(out, out.shape[:-1])
    if a.ndim > 2 and b.ndim == 2:
        # one large product is faster than a batch of small ones
        if not same(a.shape[-1], b.shape[0]):
            return P.matmul(a, b)  # raises, naming both shapes
        rows = product(a.shape[:-1])
        out = P.matmul(P.reshape(a, shape=(rows, a.shape[-1])), b)
        return P.reshape(out, shape=(*a.shape[:-1], b.shape[-1]))
    return P.matmul(a, b)


@op
def matmul(x1: Any, x2: Any) -> Tensor:
    """The matrix product over the last two axes; the others are batch axes."""
    logical = kind(x1) == "bool" and kind(x2) == "bool"
    a, b = _factors(x1, x2)
    if not a.ndim or not b.ndim:
        raise ValueError("matmul takes tensors with at least one axis. Use ops.multiply for scalars.")
    out = product_of(a, b)
    return tensor(out, bool) if logical else out


@op
def dot(x1: Any, x2: Any) -> Tensor:
    """The sum of products over the last axis of x1 and the second-last (or only) axis of x2; scalars multiply."""
    a, b = promoted(x1, x2)
    if not a.ndim or not b.ndim:
        return P.mul(a, b)
    if a.dtype.kind == "b":
        return tensor(dot(tensor(a, "int32"), tensor(b, "int32")), bool)
    if b.ndim <= 2:
        return product_of(a, b)
    return contracted(a, b, [a.ndim - 1], [b.ndim - 2])


def contracted(a: Tensor, b: Tensor, axes_a: Sequence[int], axes_b: Sequence[int]) -> Tensor:
    """The sum of products over pairs of axes; what is left of a comes before what is left of b."""
    for i, j in zip(axes_a, axes_b, strict=True):
        if not agree(a.shape[i], b.shape[j]):
            raise ValueError(
                f"The axes to contract must have equal sizes: axis {i} of shape {a.shape} and axis {j} of {b.shape}."
            )
    rest_a = [i for i in range(a.ndim) if i not in axes_a]
    rest_b = [i for i in range(b.ndim) if i not in axes_b]
    n = product([a.shape[i] for i in axes_a])
    shape_a, shape_b = [a.shape[i] for i in rest_a], [b.shape[i] for i in rest_b]
    left = reshaped(permuted(a, (*rest_a, *axes_a)), (product(shape_a), n))
    right = reshaped(permuted(b, (*axes_b, *rest_b)), (n, product(shape_b)))
    return reshaped(P.matmul(left, right), (*shape_a, *shape_b))


@op
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Tensor:
    """The sum of products over pairs of axes: the last `axes` of x1 and first of x2, or two lists of them."""
    a, b = promoted(x1, x2)
    if isinstance(axes, (list, tuple)):
        first, second = axes
        first = [first] if isinstance(first, int) else list(first)
        second = [second] if isinstance(second, int) else list(second)
    else:
        first, second = list(range(a.ndim - int(axes), a.ndim)), list(range(int(axes)))
    if len(first) != len(second):
        raise ValueError(f"Both tensors must have as many axes to contract. Received: axes={axes}")
    return contracted(a, b, [axis_of(i, a.ndim) for i in first], [axis_of(i, b.ndim) for i in second])


@op
def inner(x1: Any, x2: Any) -> Tensor:
    """The sum of products over the last axes."""
    a, b = promoted(x1, x2)
    if not a.ndim or not b.ndim:
        return P.mul(a, b)
    return contracted(a, b, [a.ndim - 1], [b.ndim - 1])


@op
def outer(x1: Any, x2: Any) -> Tensor:
    """Every element of x1 times every element of x2, both flattened."""
    a, b = promoted(x1, x2)
    return P.mul(reshaped(a, (a.size, 1)), reshaped(b, (1, b.size)))


@op
def vdot(x1: Any, x2: Any) -> Tensor:
    """The inner product of two flattened tensors, the first conjugated."""
    a, b = promoted(x1, x2)
    a = P.conj(a) if a.dtype.kind == "c" else a
    return contracted(reshaped(a, (-1,)), reshaped(b, (-1,)), [0], [0])


@op
def kron(x1: Any, x2: Any) -> Tensor:
    """Kronecker's product: x1 with every element replaced by it times x2."""
    a, b = promoted(x1, x2)
    n = max(a.ndim, b.ndim)
    a = reshaped(a, (1,) * (n - a.ndim) + tuple(a.shape))
    b = reshaped(b, (1,) * (n - b.ndim) + tuple(b.shape))
    wide = P.mul(
        P.reshape(a, shape=tuple(v for d in a.shape for v in (d, 1))),
        P.reshape(b, shape=tuple(v for d in b.shape for v in (1, d))),
    )
    return P.reshape(wide, shape=tuple(p * q for p, q in zip(a.shape, b.shape, strict=True)))


@op
def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Tensor:
    """The vector product in three dimensions; of vectors in the plane, its third component."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = promoted(x1, x2)
    parts = []
    for t, at in ((a, axis_of(axisa, a.ndim)), (b, axis_of(axisb, b.ndim))):
        order = (*[i for i in range(t.ndim) if i != at], at)
        t = permuted(t, order)
        if t.shape[-1] not in (2, 3):
            raise ValueError(f"Vectors must have 2 or 3 components. Received: shapes {a.shape} and {b.shape}")
        lead = [slice(0, d, 1) for d in t.shape[:-1]]
        parts.append(
            [reshaped(P.slice_(t, index=(*lead, slice(i, i + 1, 1))), t.shape[:-1]) for i in range(t.shape[-1])]
        )
    u, v = parts
    z = P.sub(P.mul(u[0], v[1]), P.mul(u[1], v[0]))
    if len(u) == len(v) == 2:
        return z
    zero = P.scalar(z, 0)
    u, v = (p if len(p) == 3 else [*p, zero] for p in (u, v))
    x = P.sub(P.mul(u[1], v[2]), P.mul(u[2], v[1]))
    y = P.sub(P.mul(u[2], v[0]), P.mul(u[0], v[2]))
    out = P.concat(*[reshaped(c, (*c.shape, 1)) for c in (x, y, z)], axis=z.ndim)
    at = axis_of(axisc, out.ndim)
    order = list(range(out.ndim - 1))
    order.insert(at, out.ndim - 1)
    return permuted(out, tuple(order))


# -- statistics and determinants --------------------------------------------------------------------------------------


@op
def corrcoef(x: Any) -> Tensor:
    """Pearson's correlations between the rows of x."""
    x = floats(x)
    if x.ndim > 2:
        raise ValueError(f"corrcoef takes a vector or a matrix. Received: x.shape={x.shape}")
    rows = reshaped(x, (1, *x.shape)) if x.ndim < 2 else x
    apart = P.sub(rows, mean_of(rows, (1,), True))
    covariance = P.matmul(apart, P.swap(apart))
    spread = P.sqrt(P.sum_(P.square(apart), axis=(1,)))
    out = P.div(P.div(covariance, P.column(spread)), P.row(spread))
    out = P.minimum(P.maximum(out, P.scalar(out, -1)), P.scalar(out, 1))
    return reshaped(out, ()) if x.ndim < 2 else out


@op
def correlate(x1: Any, x2: Any, mode: str = "valid") -> Tensor:
    """The sums of products of two vectors, for every shift of the one against the other."""
    a, b = floats(x1, x2)
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(f"correlate takes vectors. Received: shapes {a.shape} and {b.shape}")
    if mode not in ("valid", "same", "full"):
        raise ValueError(f"mode must be either `valid`, `same`, or `full`. Received: mode={mode}")
    n, m = a.shape[0], b.shape[0]
    swapped = n < m
    if swapped:
        a, b, n, m = b, a, m, n
    lead = {"valid": 0, "full": m - 1, "same": m // 2}[mode]
    trail = {"valid": 0, "full": m - 1, "same": m - 1 - m // 2}[mode]
    if swapped:
        lead, trail = trail, lead
    out = P.conv(
        reshaped(a, (1, n, 1)), reshaped(b, (m, 1, 1)),
        strides=(1,), padding=((lead, trail),), dilation=(1,), groups=1,
    )  # fmt: skip
    out = reshaped(out, (-1,))
    return P.flip(out, axis=(0,)) if swapped else out


@op
def slogdet(x: Any) -> tuple:
    """The sign of the determinant, and the logarithm of its absolute value."""
    x = floats(x)
    # the factorization is there for single precision and above
    sign, size = P.slogdet(tensor(x, "float32") if x.dtype.itemsize == 2 else x)
    return tensor(sign, x.dtype), tensor(size, x.dtype)


# -- einsum -----------------------------------------------------------------------------------------------------------


def _terms(subscripts: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The letters of every operand and of the result, with `...` written out as letters that are free."""
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"einsum {subscripts!r} is for {len(terms)} operands. Received: {len(ranks)}")
    free = [c for c in string.ascii_letters if c not in text]
    dots = max((r - len(t.replace("...", "")) for t, r in zip(terms, ranks, strict=True) if "..." in t), default=0)
    letters = "".join(free[:dots])

    def written(term: str, rank: int) -> str:
        n = rank - len(term.replace("...", ""))
        if n < 0 or (n and "..." not in term):
            raise ValueError(f"einsum {subscripts!r}: {term!r} does not fit an operand of {rank} dimensions.")
        return term.replace("...", letters[dots - n :] if n else "")

    terms = [written(t, r) for t, r in zip(terms, ranks, strict=True)]
    if arrow:
        out = right.replace("...", letters)
    else:
        seen = "".join(terms)
        out = letters + "".join(sorted(c for c in set(seen) if seen.count(c) == 1 and c not in letters))
    unknown = [c for c in out if c not in "".join(terms)]
    if unknown:
        raise ValueError(f"einsum {subscripts!r}: the result has {unknown[0]!r}, which no operand has.")
    return terms, out


def _diagonals(x: Tensor, term: str) -> tuple[Tensor, str]:
    """Axes with the same letter are walked together."""
    for c in dict.fromkeys(term):
        while term.count(c) > 1:
            i, j = [k for k, t in enumerate(term) if t == c][:2]
            n = x.shape[i].__index__()
            order = (i, j, *[k for k in range(x.ndim) if k not in (i, j)])
            index = Tensor(np.arange(n, dtype="int32"))
            x = P.gather(permuted(x, order), index, index, axes=(0, 1))
            term = c + "".join(t for k, t in enumerate(term) if k not in (i, j))
    return x, term


def _summed(x: Tensor, term: str, keep: set) -> tuple[Tensor, str]:
    """Axes that nothing else has are summed at once."""
    gone = tuple(i for i, c in enumerate(term) if c not in keep)
    return (P.sum_(x, axis=gone), "".join(c for c in term if c in keep)) if gone else (x, term)


def _pair(a: Tensor, s: str, b: Tensor, t: str, keep: set) -> tuple[Tensor, str]:
    """Two operands as one matrix product: shared letters that stay are batch axes, those that go are contracted."""
    a, s = _summed(a, s, keep | set(t))
    b, t = _summed(b, t, keep | set(s))
    batch = [c for c in s if c in t and c in keep]
    inside = [c for c in s if c in t and c not in keep]
    rest_a = [c for c in s if c not in t]
    rest_b = [c for c in t if c not in s]
    size = {c: d for c, d in (*zip(t, b.shape, strict=True), *zip(s, a.shape, strict=True))}
    for c, d in zip(t, b.shape, strict=True):
        # an axis of size 1 broadcasts against the other's
        if c in s and not same(d, 1) and same(size[c], 1):
            size[c] = d
    if inside and any(same(x.shape[k.index(c)], 1) != same(size[c], 1) for x, k in ((a, s), (b, t)) for c in inside):
        a = P.broadcast_to(a, shape=tuple(size[c] if c in inside else d for c, d in zip(s, a.shape, strict=True)))
        b = P.broadcast_to(b, shape=tuple(size[c] if c in inside else d for c, d in zip(t, b.shape, strict=True)))

    def sized(x: Tensor, k: str, letters: list) -> list:
        return [x.shape[k.index(c)] for c in letters]

    n = product([size[c] for c in inside])
    left = permuted(a, tuple(s.index(c) for c in (*batch, *rest_a, *inside)))
    right = permuted(b, tuple(t.index(c) for c in (*batch, *inside, *rest_b)))
    rows, columns = product([size[c] for c in rest_a]), product([size[c] for c in rest_b])
    left = reshaped(left, (*sized(a, s, batch), rows, n))
    right = reshaped(right, (*sized(b, t, batch), n, columns))
    letters = "".join((*batch, *rest_a, *rest_b))
    shape = [size[c] for c in letters]
    if not inside and not rest_a and not rest_b:
        return P.mul(reshaped(left, left.shape[: len(batch)]), reshaped(right, right.shape[: len(batch)])), letters
    return reshaped(P.matmul(left, right), shape), letters



@op(tensors="")
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Tensor:
    """Einstein's sum: `"bij,bjk->bik"` names the axes of every operand and of the result; what is not in the result is
    summed. Operands are contracted from left to right, each pair as one matrix product."""
    del kwargs  # optimize=, which a left-to-right contraction has no use for
    kinds = [kind(x) for x in operands]
    dtype = common(*kinds)
    if dtype == "int8" and all(common(k) == dtype for k in kinds):
        dtype = np.dtype("int32")
    xs = [tensor(x, dtype) for x in operands]
    terms, out = _terms(subscripts, [x.ndim for x in xs])
    if len(set(out)) != len(out):
        raise ValueError(f"einsum {subscripts!r}: a letter occurs twice in the result.")
    named = [_diagonals(x, t) for x, t in zip(xs, terms, strict=True)]
    x, term = named[0]
    for i, (y, other) in enumerate(named[1:], 1):
        keep = set(out).union(*[t for _, t in named[i + 1 :]])
        x, term = _pair(x, term, y, other, keep)
    x, term = _summed(x, term, set(out))
    return permuted(x, tuple(term.index(c) for c in out))
