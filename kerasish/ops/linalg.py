"""Linear algebra over the last two axes."""

from typing import Any

import numpy as np

from kerasish.engine import autodiff
from kerasish.engine import primitives as P
from kerasish.engine.dims import agree
from kerasish.engine.specs import reduced
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import axes_of, axis_of, common, floats, kind, tensor
from kerasish.ops.numpy.reductions import max as max_
from kerasish.ops.numpy.reductions import min as min_
from kerasish.ops.numpy.shaping import permuted, reshaped
from kerasish.ops.op import op, plain


def _matrices(x: Any, name: str, square: bool = False) -> Tensor:
    x = floats(x)
    if x.dtype == "float16":
        x = tensor(x, "float32")  # LAPACK knows nothing narrower
    if x.ndim < 2:
        raise ValueError(f"Expected input to have rank >= 2. Received input with shape {x.shape} in ops.{name}.")
    if square and not agree(x.shape[-1], x.shape[-2]):
        raise ValueError(f"Expected a square matrix. Received non-square input with shape {x.shape} in ops.{name}.")
    return x


def _symmetric(x: Any, name: str) -> Tensor:
    """(x + xᵀ) / 2: the decompositions look at one triangle, their gradients are to know of both."""
    x = _matrices(x, name, True)
    return P.mul(P.add(x, P.swap(x)), P.scalar(x, 0.5))


@op
def cholesky(x: Any, upper: bool = False) -> Tensor:
    """The lower triangular L with L @ Lᵀ = x; with `upper`, its transpose."""
    out = P.cholesky(_symmetric(x, "cholesky"))
    return P.swap(out) if upper else out


@op
def cholesky_inverse(x: Any, upper: bool = False) -> Tensor:
    """The inverse of the matrix whose Cholesky factor is x."""
    factor = P.inv(_matrices(x, "cholesky_inverse", True))
    return P.matmul(factor, P.swap(factor)) if upper else P.matmul(P.swap(factor), factor)


@op
def det(x: Any) -> Tensor:
    """The determinant."""
    return tensor(P.det(_matrices(x, "det", True)), common(kind(x), float))


@op
def inv(x: Any) -> Tensor:
    """The inverse."""
    return P.inv(_matrices(x, "inv", True))


@op
def eig(x: Any) -> tuple:
    """Eigenvalues and eigenvectors, both complex."""
    return P.eig(_matrices(x, "eig", True))


@op
def eigh(x: Any) -> tuple:
    """Eigenvalues, rising, and eigenvectors of symmetric matrices."""
    return P.eigh(_symmetric(x, "eigh"))


@op
def lu_factor(x: Any) -> tuple:
    """L (below the diagonal, its own diagonal being ones) and U in one matrix, and the exchanged rows."""
    return P.lu(_matrices(x, "lu_factor"))


@op
def qr(x: Any, mode: str = "reduced") -> tuple:
    """Q with orthonormal columns and an upper triangular R with Q @ R = x."""
    if mode not in ("reduced", "complete"):
        raise ValueError(
            "`mode` argument value not supported. Expected one of {'reduced', 'complete'}. " f"Received: mode={mode}"
        )
    return P.qr(_matrices(x, "qr"), mode=mode)


@op(class_name="SVD")
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """U, the singular values and Vᵀ with U @ diag(s) @ Vᵀ = x; or the singular values alone."""
    x = _matrices(x, "svd")
    return P.svd(x, full=full_matrices) if compute_uv else P.singular_values(x)


def _system(a: Any, b: Any, name: str) -> tuple:
    a, b = floats(a, b)
    if a.dtype == "float16":
        a, b = tensor(a, "float32"), tensor(b, "float32")
    a = _matrices(a, name, True)
    vector = b.ndim == a.ndim - 1
    return a, (reshaped(b, (*b.shape, 1)) if vector else b), vector


def _as_given(x: Tensor, vector: bool) -> Tensor:
    return reshaped(x, x.shape[:-1]) if vector else x


@op
def solve(a: Any, b: Any) -> Tensor:
    """x with a @ x = b."""
    a, b, vector = _system(a, b, "solve")
    return _as_given(P.solve(a, b), vector)


@op
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Tensor:
    """x with a @ x = b, of which one triangle alone is looked at."""
    a, b, vector = _system(a, b, "solve_triangular")
    return _as_given(P.solve(P.triangle(a, lower), b), vector)


def _inverted(s: Tensor, cutoff: float) -> Tensor:
    """1 / s, and 0 for singular values that are as good as none."""
    top = P.max_(s, axis=(s.ndim - 1,), keepdims=True)
    counts = P.greater(s, P.mul(P.stop_gradient(top), P.scalar(s, cutoff)))
    return P.select(counts, P.reciprocal(P.select(counts, s, P.full_like(s, 1))), P.scalar(s, 0))


@op
def pinv(x: Any, rcond: float | None = None) -> Tensor:
    """The pseudo-inverse (Moore and Penrose); singular values below rcond times the greatest count as 0."""
    x = _matrices(x, "pinv")
    if rcond is None:
        rcond = 10.0 * max(x.shape[-2:]) * float(np.finfo(x.dtype).eps)
    u, s, vh = P.svd(x, full=False)
    return P.matmul(P.mul(P.swap(vh), P.row(_inverted(s, rcond))), P.swap(u))


@op
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Tensor:
    """The x for which the norm of a @ x - b is smallest."""
    a, b = floats(a, b)
    vector = b.ndim == 1
    if vector:
        b = reshaped(b, (*b.shape, 1))
    if a.ndim != 2 or b.ndim != 2 or a.shape[0] != b.shape[0]:
        raise ValueError(f"Leading dimensions of input arrays must match. Received: {a.shape} and {b.shape}")
    if rcond is None:
        rcond = float(np.finfo(a.dtype).eps) * max(a.shape)
    u, s, vh = P.svd(a, full=False)
    out = P.matmul(P.swap(vh), P.mul(P.column(_inverted(s, rcond)), P.matmul(P.swap(u), b)))
    return _as_given(out, vector)


@op
def matrix_rank(x: Any, tol: float | None = None) -> Tensor:
    """The number of singular values above the tolerance."""
    x = _matrices(x, "matrix_rank")
    s = P.singular_values(x)
    if tol is None:
        top = P.max_(s, axis=(s.ndim - 1,), keepdims=True)
        limit = P.mul(top, P.scalar(s, max(x.shape[-2:]) * float(np.finfo(x.dtype).eps)))
    else:
        limit = tensor(tol, s.dtype)
    return P.sum_(P.cast(P.greater(s, limit), dtype=np.dtype("int32")), axis=(s.ndim - 1,))


# -- norms ------------------------------------------------------------------------------------------------------------


def _length(x: Tensor, axes: tuple, keepdims: bool) -> Tensor:
    """The root of the sum of squares; of numbers whose squares would overflow or vanish, too, which are scaled before."""
    if x.dtype not in (np.dtype("float32"), np.dtype("float64")) or any(x.shape[a] == 0 for a in axes):
        return P.sqrt(P.sum_(P.square(x), axis=axes, keepdims=keepdims))
    top = P.stop_gradient(P.max_(P.abs_(x), axis=axes, keepdims=True))
    ends = np.finfo(x.dtype)
    low, high = P.scalar(x, ends.tiny**0.5 * 1e4), P.scalar(x, ends.max**0.5 * 1e-4)
    far = P.logical_or(P.greater(top, high), P.logical_and(P.less(top, low), P.greater(top, P.scalar(x, 0))))
    unit = P.select(P.logical_and(far, P.isfinite(top)), top, P.scalar(x, 1))
    out = P.mul(P.sqrt(P.sum_(P.square(P.div(x, unit)), axis=axes, keepdims=True)), unit)
    return out if keepdims else reshaped(out, reduced(x.shape, axes, False))


def _vector_norm(x: Tensor, order: Any, axes: tuple, keepdims: bool) -> Tensor:
    if order is None or order == 2:
        return _length(x, axes, keepdims)
    size = P.abs_(x)
    if order == np.inf:
        return P.max_(size, axis=axes, keepdims=keepdims)
    if order == -np.inf:
        return P.min_(size, axis=axes, keepdims=keepdims)
    if order == 0:
        return P.sum_(P.cast(P.not_equal(x, P.scalar(x, 0)), dtype=x.dtype), axis=axes, keepdims=keepdims)
    if order == 1:
        return P.sum_(size, axis=axes, keepdims=keepdims)
    if isinstance(order, str):
        raise ValueError(f"Invalid `ord` argument for vector norm. Received: ord={order}")
    total = P.sum_(P.power(size, P.scalar(x, order)), axis=axes, keepdims=keepdims)
    return P.power(total, P.scalar(x, 1 / order))


def _matrix_norm(x: Tensor, order: Any, row: int, column: int, keepdims: bool) -> Tensor:
    if order in (None, "fro"):
        return _length(x, tuple(sorted((row, column))), keepdims)
    if order in (1, -1, np.inf, -np.inf):
        along, over = (row, column) if order in (1, -1) else (column, row)
        sums = P.sum_(P.abs_(x), axis=(along,), keepdims=True)
        out = (max_ if order > 0 else min_)(sums, axis=over, keepdims=True)
    elif order in (2, -2, "nuc"):
        rest = [i for i in range(x.ndim) if i not in (row, column)]
        s = P.singular_values(permuted(x, (*rest, row, column)))
        last = (s.ndim - 1,)
        prim = {2: P.max_, -2: P.min_, "nuc": P.sum_}[order]
        out = prim(s, axis=last)
        shape = [1 if i in (row, column) else d for i, d in enumerate(x.shape)]
        out = reshaped(out, shape)
    else:
        raise ValueError(f"Invalid `ord` argument for matrix norm. Received: ord={order}")
    return out if keepdims else reshaped(out, [d for i, d in enumerate(x.shape) if i not in (row, column)])


@op
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The norm of vectors (one axis) or matrices (two); of the whole tensor as one vector without an axis and ord."""
    x = floats(x)
    if axis is None:
        axes = tuple(range(x.ndim))
        if ord is None:
            return _vector_norm(x, None, axes, keepdims)
    elif isinstance(axis, (list, tuple)):
        axes = tuple(axis_of(a, x.ndim) for a in axis)
    else:
        axes = axes_of(axis, x.ndim)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes, keepdims)
    if len(axes) == 2:
        if axes[0] == axes[1]:
            raise ValueError(f"Duplicate axes given: axis={axis}")
        return _matrix_norm(x, ord, *axes, keepdims)
    raise ValueError(f"Invalid axis values. Received: axis={axis} with a tensor of {x.ndim} dimensions")


@plain
def jvp(fun: Any, primals: Any, tangents: Any, has_aux: bool = False) -> tuple:
    """`fun(*primals)` and its directional derivative along the tangents; with `has_aux`, also what else it returned."""
    if not callable(fun):
        raise TypeError(f"`fun` should be a callable. Received: fun={fun!r}")
    primals = [tensor(p) for p in primals]
    tangents = [tensor(t) for t in tangents]
    shapes, along = [p.shape for p in primals], [t.shape for t in tangents]
    if shapes != along:
        raise ValueError(f"Each tangent has the shape of its primal. Received: shapes {shapes} and {along}")
    if not has_aux:
        return autodiff.jvp(fun, primals, tangents)
    value, aux = fun(*primals)
    _, tangent = autodiff.jvp(lambda *p: fun(*p)[0], primals, tangents)
    return value, tangent, aux

