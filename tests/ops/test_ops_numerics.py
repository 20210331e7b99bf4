"""Values at the ends of float32, against float64 or a closed form. Nothing overflows on the way, and nothing warns."""

import math

import numpy as np
import pytest

from kerasish import ops
from kerasish.engine import Tensor, autodiff
from kerasish.engine import primitives as P
from kerasish.engine.static import function

MAX = float(np.finfo("float32").max)
TINY = float(np.finfo("float32").tiny)
FAR = np.array([-3e38, -1e30, -1e4, -104.0, -88.0, -20.0, -1e-3, -1e-30, 0.0, 1e-38, 1e-3, 1.0, 20.0, 88.0, 1e4, 1e30, 3e38], "float32")


def in_float64(f):
    with np.errstate(all="ignore"):
        return f(FAR.astype("float64"))


def logistic(x):
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


def each(fn):
    return lambda x: np.array([fn(float(v)) for v in x])


def gelu(x):
    return 0.5 * x * math.erfc(-x / math.sqrt(2)) if x < 0 else x * (1 - 0.5 * math.erfc(x / math.sqrt(2)))


POINTWISE = {
    "sigmoid": (ops.sigmoid, logistic),
    "log_sigmoid": (ops.log_sigmoid, lambda x: -np.logaddexp(0, -x)),
    "softplus": (ops.softplus, lambda x: np.logaddexp(0, x)),
    "silu": (ops.silu, lambda x: x * logistic(x)),
    "tanh": (ops.tanh, np.tanh),
    "softsign": (ops.softsign, lambda x: x / (1 + np.abs(x))),
    "elu": (ops.elu, lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0)))),
    "selu": (ops.selu, lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))),
    "gelu": (lambda x: ops.gelu(x, approximate=False), each(gelu)),
    "erf": (ops.erf, each(math.erf)),
    "erfc": (ops.erfc, each(math.erfc)),
    "expm1": (ops.expm1, np.expm1),
    "log1p": (lambda x: ops.log1p(ops.abs(x)), lambda x: np.log1p(np.abs(x))),
    "arcsinh": (ops.arcsinh, np.arcsinh),
    "arctan": (ops.arctan, np.arctan),
    "hypot": (lambda x: ops.hypot(x, x), lambda x: np.hypot(x, x)),
    "logaddexp": (lambda x: ops.logaddexp(x, 0.0), lambda x: np.logaddexp(x, 0)),
    "cbrt": (ops.cbrt, np.cbrt),
    "hard_sigmoid": (ops.hard_sigmoid, lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    "relu6": (ops.relu6, lambda x: np.clip(x, 0, 6)),
}


@pytest.mark.parametrize("mode", ["eager", "static"])
@pytest.mark.parametrize("name", POINTWISE)
def test_element_wise_functions_hold_to_the_ends(name, mode):
    ours, exact = POINTWISE[name]
    with np.errstate(over="ignore"):
        wanted = in_float64(exact).astype("float32")
    got = np.asarray((ours if mode == "eager" else function(ours))(FAR))
    assert got.dtype == "float32"
    # where float32 has no full precision (below its smallest normal number) a result may be 0
    np.testing.assert_allclose(got, wanted, rtol=2e-6, atol=4 * TINY)


ROWS = np.array(
    [[1e30, 1e30, 1e30], [-1e30, -1e30, 0.0], [88.0, 89.0, 90.0], [-3e38, 3e38, 0.0], [1e-30, -1e-30, 0.0], [1e4, -1e4, 5.0]],
    "float32",
)


def shifted(x):
    return x - x.max(-1, keepdims=True)


def log_share(x):
    return shifted(x) - np.log(np.exp(shifted(x)).sum(-1, keepdims=True))


def log_sum(x):
    return np.log(np.exp(shifted(x)).sum(-1)) + x.max(-1)


BY_ROW = {
    "logsumexp": (lambda x: ops.logsumexp(x, axis=-1), log_sum),
    "softmax": (ops.softmax, lambda x: np.exp(shifted(x)) / np.exp(shifted(x)).sum(-1, keepdims=True)),
    "log_softmax": (ops.log_softmax, log_share),
    "max": (lambda x: ops.max(x, -1), lambda x: x.max(-1)),
    "mean": (lambda x: ops.mean(x, -1), lambda x: x.mean(-1)),
    "median": (lambda x: ops.median(x, -1), lambda x: np.median(x, -1)),
    "categorical_crossentropy": (
        lambda x: ops.categorical_crossentropy(ops.one_hot([0] * 6, 3), x, from_logits=True),
        lambda x: -log_share(x)[:, 0],
    ),
    "sparse_categorical_crossentropy": (
        lambda x: ops.sparse_categorical_crossentropy(np.zeros(6, "int32"), x, from_logits=True),
        lambda x: -log_share(x)[:, 0],
    ),
    "binary_crossentropy": (
        lambda x: ops.binary_crossentropy(ops.ones_like(x), x, from_logits=True),
        lambda x: np.logaddexp(0, -x),
    ),
}


@pytest.mark.parametrize("mode", ["eager", "static"])
@pytest.mark.parametrize("name", BY_ROW)
def test_functions_of_rows_hold_to_the_ends(name, mode):
    ours, exact = BY_ROW[name]
    with np.errstate(all="ignore"):
        wanted = exact(ROWS.astype("float64")).astype("float32")
    got = np.asarray((ours if mode == "eager" else function(ours))(ROWS))
    np.testing.assert_allclose(got, wanted, rtol=2e-6, atol=1e-30)


def test_infinities_go_through_softmax_and_logsumexp():
    x = np.array([[-np.inf, 0.0, 1.0], [-np.inf, -np.inf, -np.inf], [np.inf, 0.0, 0.0]], "float32")
    np.testing.assert_allclose(ops.softmax(x)[0], [0, *np.exp([0, 1]) / np.exp([0, 1]).sum()], rtol=1e-6)
    np.testing.assert_array_equal(ops.logsumexp(x, axis=1)[1:], [-np.inf, np.inf])


def test_means_and_variances_far_from_zero_do_not_cancel():
    rng = np.random.default_rng(0)
    x = (1e4 + rng.normal(size=(50, 200))).astype("float32")
    exact = x.astype("float64")
    np.testing.assert_allclose(ops.var(x, axis=1), exact.var(1), rtol=1e-3)
    np.testing.assert_allclose(ops.std(x), exact.std(), rtol=1e-3)
    np.testing.assert_allclose(ops.mean(x, axis=1), exact.mean(1), rtol=1e-6)
    mean, variance = ops.moments(x, axes=[0])
    np.testing.assert_allclose(mean, exact.mean(0), rtol=1e-6)
    np.testing.assert_allclose(variance, exact.var(0), rtol=2e-3)
    normalized = np.asarray(ops.layer_normalization(x, epsilon=0.0))
    np.testing.assert_allclose(normalized.mean(1), 0, atol=2e-3)
    np.testing.assert_allclose(normalized.std(1), 1, rtol=1e-3)


def test_long_sums_keep_their_digits():
    x = np.full(2_000_000, 0.1, "float32")
    assert float(ops.sum(x)) == pytest.approx(x.astype("float64").sum(), rel=1e-6)
    assert float(function(ops.sum)(x)) == pytest.approx(x.astype("float64").sum(), rel=1e-6)
    assert float(ops.mean(x.astype("float16"))) == pytest.approx(0.1, rel=1e-3)


def test_norms_of_ordinary_size_and_of_nothing():
    assert float(ops.norm(np.zeros((2, 3), "float32"))) == 0
    assert float(ops.norm(np.array([3.0, 4.0], "float32") * 1e15)) == pytest.approx(5e15)
    np.testing.assert_array_equal(ops.normalize(np.zeros((2, 3), "float32")), np.zeros((2, 3)))


@pytest.mark.parametrize("mode", ["eager", "static"])
@pytest.mark.parametrize("scale", [1e-38, 1e-30, 1e-15, 1.0, 1e15, 1e30, 3e37])
def test_norms_at_the_ends(scale, mode):
    x = np.array([[3.0, -4.0, 0.0], [1.0, 2.0, 2.0]]) * scale

    def norms(x):
        return ops.norm(x, axis=1), ops.norm(x), ops.norm(x, ord="fro", axis=(0, 1), keepdims=True)

    got = (norms if mode == "eager" else function(norms))(x.astype("float32"))
    for g, wanted in zip(got, (np.linalg.norm(x, axis=1), np.linalg.norm(x), [[np.linalg.norm(x)]]), strict=True):
        np.testing.assert_allclose(g, wanted, rtol=1e-6)
    slope = autodiff.grad(lambda v: ops.sum(ops.norm(v, axis=1)))(x.astype("float32"))
    np.testing.assert_allclose(slope, x / np.linalg.norm(x, axis=1, keepdims=True), rtol=1e-5, atol=1e-7)


def test_bessel_and_inverse_error_function_over_their_range():
    x = np.linspace(-0.999999, 0.999999, 41)
    np.testing.assert_allclose([math.erf(v) for v in np.asarray(P.erfinv(Tensor(x)))], x, rtol=1e-12)
    np.testing.assert_allclose([math.erf(v) for v in np.asarray(ops.erfinv(x.astype("float32")))], x, rtol=1e-6)
    assert float(ops.i0(np.float32(0.0))) == 1
    assert float(ops.i0(np.float32(80.0))) == pytest.approx(2.475e33, rel=1e-3)


def test_casting_what_does_not_fit():
    x = np.array([-1.0, 256.0, 3e38, -3e38, np.inf], "float32")
    np.testing.assert_array_equal(ops.saturate_cast(x, "uint8"), [0, 255, 255, 0, 255])
    assert np.isinf(np.asarray(ops.cast(x, "float16"))[2:]).all()
    np.testing.assert_array_equal(np.asarray(ops.saturate_cast(x, "float16"))[2:4], [65504, -65504])
