"""A row for each primitive: arguments to call it with, and parameters. Floats are float64, so that slopes can be checked.

`exempt`: a primitive whose tests are elsewhere, and where.
"""

from typing import Any, NamedTuple

import numpy as np

_rng = np.random.default_rng(11)


class Row(NamedTuple):
    name: str
    args: tuple
    params: dict = {}
    differentiable: bool = True  # checked against finite differences, if it has a VJP at all
    reads_floats: bool = True  # a negated argument is as good (not so for symmetric matrices, decided by a condition, …)


def normal(*shape: int) -> np.ndarray:
    return _rng.normal(size=shape)


def positive(*shape: int) -> np.ndarray:
    return np.abs(_rng.normal(size=shape)) + 0.5


def unit(*shape: int) -> np.ndarray:
    return _rng.uniform(-0.9, 0.9, size=shape)


def integers(*shape: int) -> np.ndarray:
    return _rng.integers(1, 9, size=shape).astype("int32")


def booleans(*shape: int) -> np.ndarray:
    return _rng.random(size=shape) > 0.5


def symmetric(*shape: int) -> np.ndarray:
    a = normal(*shape)
    return a @ np.swapaxes(a, -1, -2) + shape[-1] * np.eye(shape[-1])


def complex_(*shape: int) -> np.ndarray:
    return normal(*shape) + 1j * normal(*shape)


SEED = np.array([7, 3], "int64")
X, Y, P, U, V = normal(3, 4), normal(3, 4), positive(3, 4), unit(3, 4), normal(4)
WHOLE, OTHER, B = integers(3, 4), integers(3, 4), booleans(3, 4)
PLACES = np.array([2, 0, 2], "int32")
IMAGE, KERNEL = normal(2, 6, 5, 4), normal(3, 2, 2, 6)
CONV: dict[str, Any] = dict(strides=(2, 1), padding=((1, 1), (0, 1)), dilation=(1, 2), groups=2)
POOL: dict[str, Any] = dict(size=(2, 3), strides=(2, 1), padding=((0, 0), (1, 1)))
CONV_SHAPE, POOL_SHAPE = (2, 3, 4, 6), (2, 3, 5, 4)
QKV = normal(2, 4, 3, 2), normal(2, 5, 3, 2), normal(2, 5, 3, 4)
explicit = dict(shape=(3, 4), dtype=np.dtype("float64"))


class RowsReversed:
    """A function on arrays that a program calls: `run` computes, `spec` says beforehand what it will return."""

    @staticmethod
    def run(x: np.ndarray) -> np.ndarray:
        return x[::-1].copy()

    @staticmethod
    def spec(x: Any) -> tuple:
        return x.shape, x.dtype


def many(names: str, *args: np.ndarray, **options: Any) -> list[Row]:
    return [Row(n, args, **options) for n in names.split()]


ROWS = [
    Row("full", (), dict(shape=(2, 3), value=1.5, dtype=np.dtype("float32"))),
    Row("arange", (), dict(start=0, stop=5, step=1, dtype=np.dtype("int32"), shape=(5,))),
    Row("size_of", (), dict(dim=4, dtype="int32")),
    Row("identity", (X,)),
    Row("stop_gradient", (X,), differentiable=False),
    Row("hold", (X, V)),
    Row("reshape", (X,), dict(shape=(2, 6))),
    Row("transpose", (normal(2, 3, 4),), dict(axes=(2, 0, 1))),
    Row("broadcast_to", (V,), dict(shape=(2, 3, 4))),
    Row("slice", (X,), dict(index=(slice(0, 3, 2), slice(3, None, -2)))),
    Row("unslice", (normal(2, 2),), dict(shape=(3, 4), index=(slice(0, 3, 2), slice(1, 3, 1)))),
    Row("contiguous", (X,)),
    Row("flip", (X,), dict(axis=(0,))),
    Row("concat", (X, normal(2, 4), X), dict(axis=0)),
    Row("concat", (V, V), dict(axis=0)),
    Row("pad", (X,), dict(widths=((1, 2), (0, -1)), value=3.0)),
    Row("cast", (X,), dict(dtype=np.dtype("float32")), differentiable=False),
    Row("bitcast", (X,), dict(dtype=np.dtype("int64"))),
    *many("neg abs exp expm1 square sin cos tan sinh cosh tanh arctan arcsinh sigmoid softplus relu erf", X),
    *many("bessel_i0 bessel_i1", X),
    *many("log log1p log2 log10 sqrt reciprocal", P, reads_floats=False),
    *many("arcsin arccos arctanh erfinv", U),
    Row("arccosh", (P + 1,), reads_floats=False),
    *many("sign floor ceil rint trunc isnan isinf isfinite signbit", X * 3),
    Row("logical_not", (B,)),
    Row("invert", (WHOLE,)),
    *many("add sub mul maximum minimum logaddexp atan2", X, Y),
    *many("add sub mul div maximum minimum logaddexp atan2", X, V),
    *many("div mod", X, P),
    *many("floordiv", X, P, differentiable=False),
    Row("power", (P, X), reads_floats=False),
    Row("relu_grad", (X, Y)),
    Row("nextafter", (X, Y), differentiable=False),
    Row("clip", (X,), dict(low=-0.5, high=0.5)),
    Row("clip_grad", (Y, X), dict(low=-0.5, high=0.5)),
    *many("equal not_equal greater greater_equal less less_equal", WHOLE, OTHER),
    *many("greater less_equal", X, V),
    *many("logical_and logical_or logical_xor", B, ~B),
    *many("bitwise_and bitwise_or bitwise_xor left_shift right_shift gcd lcm", WHOLE, OTHER),
    Row("select", (B, X, Y)),
    Row("select", (B, X, np.array(0.5))),
    Row("sum", (X,), dict(axis=(0, 1))),
    Row("sum", (normal(2, 3, 4),), dict(axis=(1,), keepdims=True)),
    Row("weighted_sum", (X, Y, np.array(0.3), np.array(-1.2))),
    Row("row_dot", (X, Y), dict(keepdims=True)),
    Row("channel_moments", (normal(2, 3, 4),)),
    Row("center_rows", (normal(2, 3, 4),)),
    Row("inverse_rms_rows", (normal(2, 3, 4),), dict(epsilon=0.1)),
    Row("unit_rows", (X, positive(3, 1)), differentiable=False),  # one function with inverse_rms_rows: test_norms
    Row("unit_rows_grad", (X, Y, positive(3, 1))),
    Row("prod", (X,), dict(axis=(1,))),
    *[Row(n, (X,), dict(axis=(1,), keepdims=True)) for n in ("max", "min")],
    *[Row(n, (normal(2, 3, 4),), dict(axis=(0, 2))) for n in ("max", "min")],
    *[Row(n, (B,), dict(axis=(1,))) for n in ("all", "any")],
    *[Row(n, (X,), dict(axis=1)) for n in ("argmax", "argmin", "cumsum", "cumprod", "argsort", "softmax", "log_softmax")],
    Row("attention", QKV, dict(scale=0.6, causal=False, fill=-1e9)),
    Row("attention", (*QKV, booleans(2, 1, 1, 5)), dict(scale=0.6, causal=True, fill=-1e9)),
    Row("recurrence", (X, Y), dict(axis=1)),
    Row("matmul", (X, normal(4, 2))),
    Row("matmul", (normal(2, 3, 4), normal(4, 5))),
    Row("take", (X, PLACES), dict(axis=0)),
    Row("take_grad", (normal(3, 4), PLACES), dict(shape=(3, 4), axis=0)),
    Row("gather", (X, PLACES, PLACES), dict(axes=(0, 1))),
    Row("scatter_add", (normal(3), PLACES, PLACES), dict(shape=(3, 4))),
    Row("scatter_set", (X, normal(2), PLACES[:2], PLACES[:2])),
    *[Row("scatter_combine", (P, positive(3), PLACES, np.arange(3, dtype="int32")), dict(how=h), reads_floats=False)
      for h in ("mul", "max", "min")],
    Row("take_along", (X, PLACES[:, None]), dict(axis=1)),
    Row("take_along_grad", (normal(1, 4), np.array([[2]], "int32")), dict(shape=(3, 4), axis=0)),
    Row("take_along_grad", (normal(3, 1), PLACES[:, None]), dict(shape=(3, 4), axis=1)),
    Row("take_along", (X, np.array([[0, 1, 2, 0], [2, 2, -1, 1]], "int32")), dict(axis=0)),
    Row("take_along_grad", (normal(3, 2), np.array([[1, 1], [0, 3], [-1, 2]], "int32")), dict(shape=(3, 4), axis=1)),
    Row("add_along", (X, PLACES[:, None], normal(3, 1)), dict(axis=1)),
    Row("add_along", (X, np.array([[1, 1], [0, 3], [-1, 2]], "int32"), normal(3, 2)), dict(axis=1)),
    Row("one_hot", (PLACES,), dict(depth=4, dtype=np.dtype("float32"))),
    Row("dynamic_slice", (X, np.array(1, "int32"), np.array(3, "int32")), dict(shape=(2, 2))),
    Row("dynamic_update", (X, normal(2, 2), np.array(1, "int32"), np.array(1, "int32"))),
    Row("searchsorted", (np.sort(V), X), dict(side="left"), reads_floats=False),
    Row("conv", (IMAGE, KERNEL), CONV),
    Row("conv_input_grad", (normal(*CONV_SHAPE), KERNEL), dict(input_shape=IMAGE.shape, **CONV)),
    Row("conv_kernel_grad", (IMAGE, normal(*CONV_SHAPE)), dict(kernel_shape=KERNEL.shape, **CONV)),
    Row("max_pool", (IMAGE,), POOL),
    Row("avg_pool", (IMAGE,), POOL),
    Row("avg_pool_grad", (normal(*POOL_SHAPE),), dict(shape=IMAGE.shape, **POOL)),
    Row("complex", (X, Y)),
    *many("real imag conj", complex_(3, 4), reads_floats=False),
    Row("log_softmax_at", (normal(3, 4), np.array([2, 0, 3], "int32"))),
    Row("log_softmax_at_grad", (normal(3), normal(3, 4), np.array([2, 0, 3], "int32"))),
    *[Row(n, (complex_(3, 4),), dict(axes=(1,)), reads_floats=False) for n in ("fft", "ifft")],
    *many("cholesky eigh", symmetric(2, 3, 3), reads_floats=False, differentiable=False),  # one triangle: see test_ops
    *many("inv det cofactors slogdet lu singular_values", symmetric(2, 3, 3) + normal(3, 3), reads_floats=False),
    Row("lu", (normal(4, 3),)),
    Row("lu", (normal(3, 4),)),
    Row("cofactors", (normal(13, 13),)),
    Row("eig", (symmetric(3, 3),), reads_floats=False),
    Row("solve", (symmetric(3, 3), normal(3, 2)), reads_floats=False),
    *[Row("qr", (normal(4, 3),), dict(mode=m)) for m in ("reduced", "complete")],
    Row("qr", (normal(3, 5),), dict(mode="reduced")),
    Row("svd", (normal(4, 3),), dict(full=False), reads_floats=False),
    Row("svd", (normal(3, 4),), dict(full=False), reads_floats=False),
    Row("pivots_to_rows", (np.array([2, 1, 2], "int32"),), dict(rows=3)),
    *[Row(n, (SEED,), explicit) for n in ("random_uniform", "random_normal")],
    Row("random_truncated", (SEED,), explicit),
    Row("random_mask", (SEED,), dict(shape=(3, 4), keep=0.5, value=2.0, dtype=np.dtype("float32"))),
    Row("random_int", (SEED,), dict(low=0, high=9, shape=(3, 4), dtype=np.dtype("int32"))),
    Row("random_permutation", (SEED,), dict(n=5)),
    Row("random_gamma", (SEED, P), dict(shape=(3, 4)), reads_floats=False, differentiable=False),
    Row("on_host", (WHOLE,), dict(call=RowsReversed()), differentiable=False),
    Row("random_binomial", (SEED, np.full((3, 4), 5.0), np.full((3, 4), 0.4)), dict(shape=(3, 4)), False, False),
]

EXEMPT = {
    "scan": "tests/ops/test_ops_control.py",
    "cond": "tests/ops/test_ops_control.py",
    "while": "tests/ops/test_ops_control.py",
    "lstm": "tests/engine/test_recurrent.py",
    "lstm_grad": "tests/engine/test_recurrent.py",
    "gru": "tests/engine/test_recurrent.py",
    "gru_grad": "tests/engine/test_recurrent.py",
    "attention_grad": "as the gradient of attention, and its own, in tests/engine/test_attention.py",
    "max_pool_grad": "as the gradient of max_pool, and of that, in tests/ops/test_ops_gradients.py",
    "max_pool_gather": "as the gradient of max_pool_grad, there",
}
