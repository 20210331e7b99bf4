"""Putting tensors together and taking them apart."""

from typing import Any, Sequence

import numpy as np

from kerasish.engine import primitives as P
from kerasish.engine.dims import Dim
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import axis_of, promoted, tensor
from kerasish.ops.numpy.shaping import part, reshaped
from kerasish.ops.op import op


def joined(xs: Sequence[Tensor], axis: int) -> Tensor:
    return xs[0] if len(xs) == 1 else P.concat(*xs, axis=axis)


@op
def concatenate(xs: Sequence, axis: int | None = 0) -> Tensor:
    """Tensors one after the other along an axis; along None, all flattened."""
    if len(xs) == 0:
        raise ValueError("Need at least one tensor to concatenate.")
    xs = promoted(*xs)
    if axis is None:
        return joined([reshaped(x, (-1,)) for x in xs], 0)
    if xs[0].ndim == 0:
        raise ValueError("Tensors without axes cannot be concatenated. Use ops.stack.")
    return joined(xs, axis_of(axis, xs[0].ndim))


@op
def stack(x: Sequence, axis: int = 0) -> Tensor:
    """Tensors of one shape beside each other along a new axis."""
    if len(x) == 0:
        raise ValueError("Need at least one tensor to stack.")
    xs = promoted(*x)
    at = axis_of(axis, xs[0].ndim + 1)
    if any(t.ndim != xs[0].ndim for t in xs):
        raise ValueError(f"Tensors to stack must have one shape. Received: shapes {[t.shape for t in xs]}")
    return joined([P.reshape(t, shape=(*t.shape[:at], 1, *t.shape[at:])) for t in xs], at)


def _at_least(x: Tensor, ndim: int) -> Tensor:
    """With axes added as NumPy's atleast_1d, _2d and _3d do."""
    if x.ndim >= ndim:
        return x
    if ndim == 1:
        return reshaped(x, (1,))
    if ndim == 2:
        return reshaped(x, (1, x.size))
    return reshaped(x, (1, x.size, 1) if x.ndim < 2 else (*x.shape, 1))


@op
def hstack(xs: Sequence) -> Tensor:
    """One after the other along axis 1 (axis 0 for vectors)."""
    xs = [_at_least(t, 1) for t in promoted(*xs)]
    return concatenate(xs, 0 if xs[0].ndim == 1 else 1)


@op
def vstack(xs: Sequence) -> Tensor:
    """One below the other, vectors as rows."""
    return concatenate([_at_least(t, 2) for t in promoted(*xs)], 0)


@op
def dstack(xs: Sequence) -> Tensor:
    """One behind the other, along axis 2."""
    return concatenate([_at_least(t, 3) for t in promoted(*xs)], 2)


@op
def append(x1: Any, x2: Any, axis: int | None = None) -> Tensor:
    """x2 after x1 along an axis; along None, both flattened."""
    return concatenate([x1, x2], axis)


# -- taking apart -----------------------------------------------------------------------------------------------------


def _cuts(x: Tensor, indices_or_sections: Any, at: int, even: bool) -> list:
    """The places between which the pieces lie, both ends included."""
    size = x.shape[at]
    if isinstance(indices_or_sections, (Tensor, np.ndarray)):
        indices_or_sections = np.asarray(indices_or_sections).tolist()
    if isinstance(indices_or_sections, (list, tuple)):
        cuts = [0, *indices_or_sections, size]
        if isinstance(size, Dim):
            return cuts
        cuts = [c + size if c < 0 else c for c in cuts]
        return [min(max(c, 0), size) for c in cuts]
    n = indices_or_sections
    if n <= 0:
        raise ValueError(f"The number of sections must be larger than 0. Received: {n}")
    if isinstance(size, Dim):
        if not even:
            size = size.__index__()
        else:
            return [size // n * i for i in range(n)] + [size]
    if even and size % n:
        raise ValueError(
            f"Splitting must be equal, but axis {at} of size {size} does not divide into {n} parts. "
            f"Give the places to split at instead, or use ops.array_split."
        )
    each, extra = divmod(size, n)
    return [i * each + min(i, extra) for i in range(n + 1)]


def pieces(x: Tensor, indices_or_sections: Any, axis: int, even: bool = True) -> list[Tensor]:
    at = axis_of(axis, x.ndim)
    cuts = _cuts(x, indices_or_sections, at, even)
    out = []
    for lo, hi in zip(cuts, cuts[1:], strict=False):
        if not isinstance(lo, Dim) and not isinstance(hi, Dim):
            hi = max(lo, hi)
        out.append(part(x, at, lo, hi))
    return out


@op(tensors="x")
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Into so many equal parts, or at the given places, along an axis."""
    return pieces(tensor(x), indices_or_sections, axis)


@op(tensors="x")
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """`split` into parts that need not be equal: the first ones are longer by 1."""
    return pieces(tensor(x), indices_or_sections, axis, even=False)


@op(tensors="x")
def hsplit(x: Any, indices_or_sections: Any) -> list[Tensor]:
    """`split` along axis 1 (axis 0 for vectors)."""
    x = tensor(x)
    return pieces(x, indices_or_sections, 1 if x.ndim > 1 else 0)


@op(tensors="x")
def vsplit(x: Any, indices_or_sections: Any) -> list[Tensor]:
    """`split` along axis 0."""
    return pieces(tensor(x), indices_or_sections, 0)


@op(tensors="x")
def dsplit(x: Any, indices_or_sections: Any) -> list[Tensor]:
    """`split` along axis 2."""
    return pieces(tensor(x), indices_or_sections, 2)


@op(tensors="")
def meshgrid(*x: Any, indexing: str = "xy") -> list[Tensor]:
    """The coordinates of a grid, an array for each of the vectors of coordinates along its axes."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"Valid values for `indexing` are 'xy' and 'ij'. Received: indexing={indexing!r}")
    xs = [reshaped(tensor(v), (-1,)) for v in x]
    places = list(range(len(xs)))
    if indexing == "xy" and len(xs) > 1:
        places[:2] = 1, 0
    shape: list = [0] * len(xs)
    for v, p in zip(xs, places, strict=True):
        shape[p] = v.shape[0]
    return [
        P.broadcast_to(
            P.reshape(v, shape=tuple(v.shape[0] if i == p else 1 for i in range(len(xs)))), shape=tuple(shape)
        )
        for v, p in zip(xs, places, strict=True)
    ]
