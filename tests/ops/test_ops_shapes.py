"""Families of ops on drawn shapes: values against NumPy, gradients to order two against finite differences, and programs.

Broadcast, of size zero, without axes, with negative axes, and not contiguous.
"""

from typing import Any, Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kerasish import ops
from kerasish.base import config
from kerasish.engine import Tensor, autodiff
from kerasish.engine.static import function

drawn = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
seeds = st.integers(0, 2**31)


@pytest.fixture(autouse=True)
def in_float64():
    config.set_floatx("float64")
    yield
    config.set_floatx("float32")


def array(shape: tuple, seed: int) -> np.ndarray:
    """Numbers away from 0 and from each other; every other time not contiguous."""
    n = int(np.prod(shape))
    rng = np.random.default_rng(seed)
    values = rng.permutation(n) * 0.05 + 0.6 + 0.01 * rng.random(n)
    values = (values * np.where(rng.random(n) > 0.5, 1, -1)).reshape(shape)
    if seed % 2 and len(shape) > 1:
        return np.ascontiguousarray(values.T).T
    return values


def check(f: Callable, wanted: Callable | None, *arrays: np.ndarray, seed: int = 0) -> None:
    """f against NumPy, its first and second derivative along a line against differences, and its program."""
    tensors = [Tensor(a) for a in arrays]
    out = np.asarray(f(*tensors))
    if wanted is not None:
        expected = np.asarray(wanted(*arrays))
        assert out.shape == expected.shape
        np.testing.assert_allclose(out, expected, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(np.asarray(function(f)(*arrays)), out, rtol=1e-9, atol=1e-10)
    rng = np.random.default_rng(seed)
    weights = Tensor(rng.uniform(0.5, 1.5, out.shape))
    lines = [rng.normal(size=a.shape) for a in arrays]

    def objective(*xs: Tensor) -> Any:
        y = f(*xs)
        return ops.sum(y * weights) + 0.1 * ops.sum(y * y)

    def along(*xs: Tensor) -> Any:
        grads = autodiff.grad(objective, argnums=tuple(range(len(xs))))(*xs)
        total = ops.convert_to_tensor(0.0)
        for g, d in zip(grads, lines, strict=True):
            assert g.shape == d.shape
            total = total + ops.sum(g * Tensor(d))
        return total

    def difference(g: Callable) -> float:
        step = 1e-6
        up, down = (float(g(*[Tensor(a + s * step * d) for a, d in zip(arrays, lines, strict=True)])) for s in (1, -1))
        return (up - down) / (2 * step)

    first = float(along(*tensors))
    assert first == pytest.approx(difference(objective), rel=1e-5, abs=1e-5)
    second = float(autodiff.jvp(along, tensors, [Tensor(d) for d in lines])[1])
    assert second == pytest.approx(difference(along), rel=1e-4, abs=1e-4)
    assert float(function(along)(*arrays)) == pytest.approx(first, rel=1e-8, abs=1e-8)


BINARY = {
    "add": (ops.add, np.add), "subtract": (ops.subtract, np.subtract), "multiply": (ops.multiply, np.multiply),
    "divide": (ops.divide, np.divide), "maximum": (ops.maximum, np.maximum), "minimum": (ops.minimum, np.minimum),
    "arctan2": (ops.arctan2, np.arctan2), "hypot": (ops.hypot, np.hypot), "logaddexp": (ops.logaddexp, np.logaddexp),
    "fmax": (ops.fmax, np.fmax),
    "where": (lambda a, b: ops.where(a > b, a * b, b), lambda a, b: np.where(a > b, a * b, b)),
}  # fmt: skip


@drawn
@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, min_dims=0, max_dims=3, min_side=0, max_side=3),
       name=st.sampled_from(sorted(BINARY)), seed=seeds)  # fmt: skip
def test_binary_ops_that_broadcast(shapes, name, seed):
    ours, numpys = BINARY[name]
    a, b = (array(s, seed + i) for i, s in enumerate(shapes.input_shapes))
    assume(name not in ("maximum", "minimum", "fmax", "where") or not np.intersect1d(a, b).size)
    check(ours, numpys, a, b)


def axes_of(shape: tuple) -> st.SearchStrategy:
    n = len(shape)
    one = st.integers(-n, n - 1) if n else st.just(())
    several = st.lists(st.integers(0, max(n - 1, 0)), unique=True, max_size=n).map(tuple) if n else st.just(())
    return st.one_of(st.none(), one, several)


REDUCTIONS = {
    "sum": (ops.sum, np.sum), "mean": (ops.mean, np.mean), "var": (ops.var, np.var), "prod": (ops.prod, np.prod),
    "max": (ops.max, np.max), "min": (ops.min, np.min),
    "logsumexp": (ops.logsumexp, lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))),
    "norm": (lambda x, axis, keepdims: ops.sqrt(ops.sum(ops.square(x), axis, keepdims) + 1.0),
             lambda x, axis, keepdims: np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims) + 1.0)),
}  # fmt: skip


@drawn
@given(data=st.data(), shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
       name=st.sampled_from(sorted(REDUCTIONS)), keepdims=st.booleans(), seed=seeds)  # fmt: skip
def test_reductions(data, shape, name, keepdims, seed):
    if 0 in shape and name not in ("sum", "prod", "norm"):
        return  # there is nothing to take a mean or a maximum of
    axis = data.draw(axes_of(shape))
    ours, numpys = REDUCTIONS[name]
    check(lambda x: ours(x, axis=axis, keepdims=keepdims), lambda x: numpys(x, axis=axis, keepdims=keepdims), array(shape, seed))


@drawn
@given(shapes=hnp.mutually_broadcastable_shapes(signature="(m,k),(k,n)->(m,n)", min_side=0, max_side=3, max_dims=2), seed=seeds)
def test_matrix_products(shapes, seed):
    a, b = (array(s, seed + i) for i, s in enumerate(shapes.input_shapes))
    check(ops.matmul, np.matmul, a, b)


@drawn
@given(m=st.integers(0, 3), k=st.integers(0, 3), vector=st.sampled_from(["left", "right", "both"]), seed=seeds)
def test_products_with_vectors(m, k, vector, seed):
    a = array((k,) if vector in ("left", "both") else (m, k), seed)
    b = array((k,) if vector in ("right", "both") else (k, m), seed + 1)
    check(ops.matmul, np.matmul, a, b)


EQUATIONS = ["ij,jk->ik", "ij,jk->ki", "bij,bjk->bik", "ij,ij->", "ij,kj->ik", "i,j->ij", "ij,j->i", "bij,bik->bjk", "ij,ij->ji",
             "bi,bj->ij", "ij,kl->ijkl", "ijk,k->ji"]  # fmt: skip


@drawn
@given(equation=st.sampled_from(EQUATIONS), sizes=st.lists(st.integers(0, 3), min_size=6, max_size=6), seed=seeds)
def test_einsum(equation, sizes, seed):
    size = dict(zip("bijklm", sizes, strict=True))
    left, right = equation.split("->")[0].split(",")
    a, b = (array(tuple(size[c] for c in term), seed + i) for i, term in enumerate((left, right)))
    check(lambda x, y: ops.einsum(equation, x, y), lambda x, y: np.einsum(equation, x, y), a, b)


@drawn
@given(
    rank=st.integers(1, 2), size=st.integers(3, 6), kernel=st.integers(1, 3), strides=st.integers(1, 2),
    dilation=st.integers(1, 2), groups=st.integers(1, 2), padding=st.sampled_from(["valid", "same"]), seed=seeds,
    transposed=st.booleans(),
)  # fmt: skip
def test_convolutions(rank, size, kernel, strides, dilation, groups, padding, seed, transposed):
    assume(strides == 1 or dilation == 1)
    if transposed:
        assume(groups == 1)
        x, w = array((2, *[size] * rank, 2), seed), array((*[kernel] * rank, 3, 2), seed + 1)
        check(lambda a, b: ops.conv_transpose(a, b, strides, padding, dilation_rate=dilation), None, x, w)
        return
    assume((kernel - 1) * dilation < size)
    x, w = array((2, *[size] * rank, 2 * groups), seed), array((*[kernel] * rank, 2, 2 * groups), seed + 1)

    def direct(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Every output element by itself."""
        reach = (kernel - 1) * dilation + 1
        if padding == "same":
            out = -(-size // strides)
            need = max((out - 1) * strides + reach - size, 0)
            a = np.pad(a, ((0, 0), *[(need // 2, need - need // 2)] * rank, (0, 0)))
        else:
            out = (size - reach) // strides + 1
        y = np.zeros((2, *[out] * rank, 2 * groups))
        for place in np.ndindex(*[out] * rank):
            for tap in np.ndindex(*[kernel] * rank):
                part = a[(slice(None), *[p * strides + t * dilation for p, t in zip(place, tap, strict=True)])]
                for g in range(groups):
                    io = slice(2 * g, 2 * g + 2)
                    y[(slice(None), *place, io)] += part[:, io] @ b[(*tap, slice(None), io)]
        return y

    check(lambda a, b: ops.conv(a, b, strides, padding, dilation_rate=dilation), direct, x, w)


@drawn
@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4), seed=seeds)
def test_indexing(data, shape, seed):
    index = data.draw(hnp.basic_indices(shape, allow_ellipsis=True, allow_newaxis=True, max_dims=5))
    check(lambda x: x[index], lambda x: x[index], array(shape, seed))


@drawn
@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4), seed=seeds)
def test_taking(data, shape, seed):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    places = data.draw(hnp.arrays("int32", hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3),
                                  elements=st.integers(0, shape[axis] - 1)))  # fmt: skip
    check(lambda x: ops.take(x, places, axis=axis), lambda x: np.take(x, places, axis=axis), array(shape, seed))


@drawn
@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4), seed=seeds)
def test_joining_and_splitting(data, shape, seed):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    other = list(shape)
    other[axis] = data.draw(st.integers(0, 3))
    a, b = array(shape, seed), array(tuple(other), seed + 1)
    check(lambda x, y: ops.concatenate([x, y, x], axis=axis), lambda x, y: np.concatenate([x, y, x], axis), a, b)
    check(lambda x: ops.stack([x, x * x], axis=axis), lambda x: np.stack([x, x * x], axis), a)
    cuts = sorted(data.draw(st.lists(st.integers(0, shape[axis]), max_size=2)))
    for i in range(len(cuts) + 1):
        check(lambda x, i=i: ops.split(x, cuts, axis=axis)[i], lambda x, i=i: np.split(x, cuts, axis)[i], a)


@drawn
@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4), seed=seeds,
       name=st.sampled_from(["sort", "cumsum", "cumprod", "softmax", "flip", "roll", "log_softmax"]))  # fmt: skip
def test_ops_along_an_axis(data, shape, seed, name):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    numpys = {
        "sort": lambda x: np.sort(x, axis), "cumsum": lambda x: np.cumsum(x, axis), "cumprod": lambda x: np.cumprod(x, axis),
        "flip": lambda x: np.flip(x, axis), "roll": lambda x: np.roll(x, 2, axis),
        "softmax": lambda x: np.exp(x) / np.exp(x).sum(axis, keepdims=True),
        "log_softmax": lambda x: x - np.log(np.exp(x).sum(axis, keepdims=True)),
    }  # fmt: skip
    extra = (2,) if name == "roll" else ()
    check(lambda x: getattr(ops, name)(x, *extra, axis=axis), numpys[name], array(shape, seed))


@drawn
@given(data=st.data(), shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3), seed=seeds)
def test_changes_of_shape(data, shape, seed):
    order = data.draw(st.permutations(range(len(shape))))
    wide = (data.draw(st.integers(0, 3)), *shape)
    check(lambda x: ops.transpose(x, order), lambda x: np.transpose(x, order), array(shape, seed))
    check(lambda x: ops.reshape(ops.transpose(x, order), (-1,)), lambda x: np.transpose(x, order).reshape(-1), array(shape, seed))
    check(lambda x: ops.broadcast_to(x, wide) * 2.0, lambda x: np.broadcast_to(x, wide) * 2.0, array(shape, seed))
    widths = data.draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=len(shape), max_size=len(shape)))
    if shape:
        check(lambda x: ops.pad(x, widths), lambda x: np.pad(x, widths), array(shape, seed))
