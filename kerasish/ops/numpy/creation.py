"""Tensors made from shapes and ranges."""

import math
from typing import Any

import numpy as np

from kerasish.base import config
from kerasish.engine import primitives as P
from kerasish.engine.dims import Dim
from kerasish.engine.tensor import Tensor
from kerasish.ops.convert import (
    axis_of,
    common,
    concrete,
    floats,
    kind,
    numpy_dtype,
    promoted,
    shape_of,
    size_of,
    tensor,
)
from kerasish.ops.op import op, plain


def filled(shape: Any, value: Any, dtype: Any = None) -> Tensor:
    shape = shape_of(shape)
    for d in shape:
        if type(d) is int and d < 0:
            counted(d)  # raises
    return P.full(shape=shape, value=value, dtype=numpy_dtype(dtype or config.floatx()))


def counted(n: Any) -> Any:
    """How many of something: not fewer than none."""
    n = size_of(n)
    if not isinstance(n, Dim) and n < 0:
        raise ValueError(f"Negative dimensions are not allowed. Received: {n}")
    return n


@plain
def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """Zeros of a shape; the dtype is floatx if none is given."""
    return filled(shape, 0, dtype)


@plain
def ones(shape: Any, dtype: Any = None) -> Tensor:
    """Ones of a shape; the dtype is floatx if none is given."""
    return filled(shape, 1, dtype)


@plain
def empty(shape: Any, dtype: Any = None) -> Tensor:
    """The same as `zeros`: there is nothing to gain from values that are not set."""
    return filled(shape, 0, dtype)


@op(tensors="fill_value")
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """One value, or what broadcasts, throughout a shape; the dtype is floatx if none is given."""
    if type(fill_value) in (bool, int, float):
        return filled(shape, fill_value, dtype)
    return P.broadcast_to(tensor(fill_value, numpy_dtype(dtype or config.floatx())), shape=shape_of(shape))


def _like(x: Any, value: Any, dtype: Any) -> Tensor:
    x = tensor(x)
    return P.full(shape=x.shape, value=value, dtype=x.dtype if dtype is None else numpy_dtype(dtype))


@op
def zeros_like(x: Any, dtype: Any = None) -> Tensor:
    """Zeros in the shape and dtype of x."""
    return _like(x, 0, dtype)


@op
def ones_like(x: Any, dtype: Any = None) -> Tensor:
    """Ones in the shape and dtype of x."""
    return _like(x, 1, dtype)


@op
def empty_like(x: Any, dtype: Any = None) -> Tensor:
    """The same as `zeros_like`."""
    return _like(x, 0, dtype)


@op
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """One value throughout the shape of x, in its dtype."""
    x = tensor(x)
    dtype = x.dtype if dtype is None else numpy_dtype(dtype)
    if type(fill_value) in (bool, int, float):
        return P.full(shape=x.shape, value=fill_value, dtype=dtype)
    return P.broadcast_to(tensor(fill_value, dtype), shape=x.shape)


@op(tensors="start stop step")
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """start, start + step, … up to but without stop; from 0, if only one number is given."""
    if stop is None:
        start, stop = 0, start
    if step is None:
        step = 1
    if dtype is None:
        dtype = common(*map(kind, (start, stop, step)))
    dtype = numpy_dtype(dtype)
    start, stop, step = map(concrete, (start, stop, step))
    span = stop - start
    if isinstance(span, Dim):
        n = span if step == 1 else -(-span // step)
    else:
        n = max(0, math.ceil(span / step))
    return P.arange(start=start, stop=stop, step=step, dtype=dtype, shape=(n,))


def counting(n: Any, dtype: Any = "int32") -> Tensor:
    """0, 1, … n - 1."""
    return P.arange(start=0, stop=n, step=1, dtype=np.dtype(dtype), shape=(n,))


def band(rows: Any, columns: Any, k: Any, compare: Any) -> Tensor:
    """Where `column - row` compares with k: a matrix of booleans."""
    row = P.reshape(counting(rows), shape=(rows, 1))
    column = P.reshape(counting(columns), shape=(1, columns))
    return compare(P.sub(column, row), tensor(k, "int32"))


@plain
def eye(N: Any, M: Any = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on the k-th diagonal, zeros elsewhere."""
    return tensor(band(counted(N), counted(N if M is None else M), k, P.equal), dtype or config.floatx())


@plain
def identity(n: Any, dtype: Any = None) -> Tensor:
    """The identity matrix."""
    return eye(n, dtype=dtype)


@plain
def tri(N: Any, M: Any = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on and below the k-th diagonal, zeros elsewhere."""
    return tensor(band(counted(N), counted(N if M is None else M), k, P.less_equal), dtype or config.floatx())


@op
def tril(x: Any, k: int = 0) -> Tensor:
    """Zero above the k-th diagonal of the last two axes."""
    x = _matrices(x)
    return P.select(band(*x.shape[-2:], k, P.less_equal), x, P.scalar(x, 0))


def _matrices(x: Any) -> Tensor:
    x = tensor(x)
    if x.ndim < 2:
        raise ValueError(f"A tensor of at least 2 dimensions is needed. Received: x.shape={x.shape}")
    return x


@op
def triu(x: Any, k: int = 0) -> Tensor:
    """Zero below the k-th diagonal of the last two axes."""
    x = _matrices(x)
    return P.select(band(*x.shape[-2:], k, P.greater_equal), x, P.scalar(x, 0))


@op
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """num numbers at equal distances from start to stop; with retstep, also the distance."""
    if num < 0:
        raise ValueError(f"`num` must be a non-negative integer. Received: num={num}")
    out_dtype = numpy_dtype(dtype) if dtype is not None else common(kind(start), kind(stop), float)
    compute = out_dtype if out_dtype.kind == "f" else np.dtype(config.floatx())
    a, b = promoted(tensor(start, compute), tensor(stop, compute))
    span = P.sub(b, a)
    step = P.div(span, P.scalar(a, max(num - 1 if endpoint else num, 1)))
    if (num - 1 if endpoint else num) < 1:
        step = P.full_like(step, np.nan)
    steps = P.scalar(a, max(num - 1 if endpoint else num, 1))
    weights = P.div(counting(num, compute), steps)
    weights = P.reshape(weights, shape=(num,) + (1,) * span.ndim)
    # as a weighted mean of both ends, so that the last one is met exactly
    one = P.scalar(weights, 1)
    out = P.add(P.mul(P.sub(one, weights), a), P.mul(weights, b))
    if out_dtype.kind in "iu":
        out = P.floor(out)
    at = axis_of(axis, out.ndim)
    if at:
        out = P.transpose(out, axes=(*range(1, at + 1), 0, *range(at + 1, out.ndim)))
    out = tensor(out, out_dtype)
    return (out, step) if retstep else out


@op
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10, dtype: Any = None, axis: int = 0
) -> Tensor:
    """base to the power of `linspace`."""
    exponents = floats(linspace(start, stop, num, endpoint, axis=axis))
    out = P.power(tensor(base, exponents.dtype), exponents)
    return out if dtype is None else tensor(out, dtype)


@op
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Tensor:
    """num numbers in equal proportions from start to stop, both of one sign."""
    a, b = floats(start, stop)
    exponents = linspace(P.log(P.abs_(a)), P.log(P.abs_(b)), num, endpoint, axis=axis)
    out = P.mul(P.exp(exponents), linspace(P.sign(a), P.sign(a), num, axis=axis))
    return out if dtype is None else tensor(out, dtype)


@op(tensors="x")
def copy(x: Any) -> Tensor:
    """The same values in a tensor of its own."""
    return P.identity(tensor(x))


@op(tensors="x")
def array(x: Any, dtype: Any = None) -> Tensor:
    """The same as `convert_to_tensor`."""
    return tensor(x, dtype)


@op(tensors="x")
def view(x: Any, dtype: Any = None) -> Tensor:
    """The same bytes read as another dtype; the last axis is longer or shorter where the widths differ."""
    x = tensor(x)
    if dtype is None:
        return x
    target = numpy_dtype(dtype)
    if target.itemsize == x.dtype.itemsize:
        return P.bitcast(x, dtype=target)
    return Tensor(np.ascontiguousarray(np.asarray(x)).view(target))


# -- windows ----------------------------------------------------------------------------------------------------------


def _window(x: Any, formula: Any) -> Tensor:
    """A window of x points, from its formula in the position (0 to 1)."""
    n = size_of(concrete(x))
    if n <= 1:
        return filled((n,), 1)
    return tensor(formula(np.arange(n) / (n - 1)).astype(config.floatx()))


@plain
def bartlett(x: int) -> Tensor:
    """The triangular window of x points."""
    return _window(x, lambda t: 1 - np.abs(2 * t - 1))


@plain
def blackman(x: int) -> Tensor:
    """Blackman's window of x points."""
    return _window(x, lambda t: 0.42 - 0.5 * np.cos(2 * np.pi * t) + 0.08 * np.cos(4 * np.pi * t))


@plain
def hamming(x: int) -> Tensor:
    """Hamming's window of x points."""
    return _window(x, lambda t: 0.54 - 0.46 * np.cos(2 * np.pi * t))


@plain
def hanning(x: int) -> Tensor:
    """Hann's window of x points."""
    return _window(x, lambda t: 0.5 - 0.5 * np.cos(2 * np.pi * t))


@plain
def kaiser(x: int, beta: float) -> Tensor:
    """Kaiser's window of x points."""
    beta = float(concrete(beta))
    return _window(x, lambda t: np.i0(beta * np.sqrt(np.maximum(0, 1 - (2 * t - 1) ** 2))) / np.i0(beta))
