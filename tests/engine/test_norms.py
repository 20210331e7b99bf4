"""Layer and RMS normalization by rows: against NumPy in float64, with gradients to order two, in every size that cuts the
work differently, and without the libraries that make it quick."""

import threading

import numpy as np
import pytest

import kerasish as keras
from kerasish import ops
from kerasish.engine import primitives as P
from kerasish.engine.kernels import norms, outer
from kerasish.engine.static import function

EPSILON = 1e-5
# rows and their length: one, few, more than a block, a ragged last block, longer than what is summed at once, and one
# row that is longer than a block
SHAPES = [(1, 7), (3, 1), (5, 128), (1200, 128), (4099, 32), (3, 5000), (2, norms.BLOCK + 3)]


def layer_norm(x, gamma, beta):
    return ops.layer_normalization(x, gamma, beta, epsilon=EPSILON)


def rms_norm(x, gamma, beta):
    return ops.rms_normalization(x, gamma, epsilon=EPSILON) + beta


def expected(x, gamma, beta, centered):
    x = x.astype("float64")
    if centered:
        x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt(np.square(x).mean(-1, keepdims=True) + EPSILON) * gamma + beta


CASES = [(layer_norm, True), (rms_norm, False)]
both = pytest.mark.parametrize(("norm", "centered"), CASES, ids=["layer", "rms"])


def data(shape, offset=0.0, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape) + offset
    return [v.astype("float32") for v in (x, rng.normal(size=shape[-1:]), rng.normal(size=shape[-1:]))]


@both
@pytest.mark.parametrize("shape", SHAPES)
def test_values(norm, centered, shape):
    args = data(shape)
    for got in (norm(*args), function(norm)(*args)):
        np.testing.assert_allclose(np.asarray(got), expected(*args, centered), rtol=2e-5, atol=2e-5)


@both
def test_one_program_for_all_numbers_of_rows(norm, centered):
    program = function(norm)
    for rows in (64, 1, 17, 300):
        args = data((rows, 16, 32), seed=rows)
        got = np.asarray(program(*args))
        np.testing.assert_allclose(got, expected(*args, centered), rtol=2e-5, atol=2e-5)
        np.testing.assert_array_equal(got, np.asarray(norm(*args)))
    assert len(program.programs) == 1
    assert "unit_rows" in program.programs[0].source


def test_a_large_mean_costs_no_digits():
    x, gamma, beta = data((1200, 128), offset=1000.0)
    error = np.abs(np.asarray(layer_norm(x, gamma, beta)) - expected(x, gamma, beta, True)).max()
    assert error < 1e-3  # that of the mean: half of float32's step at 1000, which is 6e-5, times gamma


@both
def test_rows_of_one_number(norm, centered):
    x = np.repeat(np.array([[3.0], [0.0], [-7.0]], "float32"), 100, 1)
    _, gamma, beta = data((3, 100))
    got = np.asarray(norm(x, gamma, beta))
    np.testing.assert_allclose(got, expected(x, gamma, beta, centered), rtol=1e-5, atol=1e-5)
    if centered:
        np.testing.assert_array_equal(got, np.broadcast_to(beta, x.shape))


def test_axes_that_are_not_the_last():
    x = data((4, 5, 6))[0]
    for axis in (0, 1, (0, 2), (1, 2), (0, 1, 2), -1):
        at = tuple(np.atleast_1d(axis))
        apart = x.astype("float64") - x.mean(at, keepdims=True, dtype="float64")
        wanted = apart / np.sqrt(np.square(apart).mean(at, keepdims=True) + EPSILON)
        got = ops.layer_normalization(x, axis=axis, epsilon=EPSILON)
        np.testing.assert_allclose(np.asarray(got), wanted, rtol=1e-5, atol=1e-5)


def gradients(norm):
    """A function that gives the gradients of a weighted sum in all arguments."""

    def run(x, gamma, beta, weights):
        with keras.GradientTape() as tape:
            args = [ops.convert_to_tensor(v) for v in (x, gamma, beta)]
            tape.watch(args)
            y = ops.sum(norm(*args) * weights)
        return tape.gradient(y, args)

    return run


@both
@pytest.mark.parametrize("shape", [(1, 7), (5, 128), (1200, 128), (33, 9, 64)])
def test_gradients(norm, centered, shape):
    """By the formulas of the papers, in float64."""
    x, gamma, beta = data(shape, offset=0.5)
    weights = np.random.default_rng(9).normal(size=shape).astype("float32")
    wide = x.astype("float64")
    apart = wide - wide.mean(-1, keepdims=True) if centered else wide
    r = 1 / np.sqrt(np.square(apart).mean(-1, keepdims=True) + EPSILON)
    y, g = apart * r, weights.astype("float64") * gamma
    dx = r * (g - y * (g * y).mean(-1, keepdims=True) - (g.mean(-1, keepdims=True) if centered else 0))
    rows = tuple(range(len(shape) - 1))
    wanted = [dx, (weights * y).sum(rows), weights.sum(rows, dtype="float64")]
    for run in (gradients(norm), function(gradients(norm))):
        for got, want in zip(run(x, gamma, beta, weights), wanted, strict=True):
            np.testing.assert_allclose(np.asarray(got), want, rtol=1e-4, atol=3e-4)


@both
def test_second_derivatives(norm, centered):
    rng = np.random.default_rng(2)
    x, direction, weights = (rng.normal(size=(3, 6)) for _ in range(3))
    gamma, beta = rng.normal(size=(2, 6))

    def gradient(at):
        with keras.GradientTape() as tape:
            tape.watch(at)
            y = ops.sum(ops.exp(norm(at, gamma, beta) * 0.3) * weights)
        return tape.gradient(y, at)

    at = ops.convert_to_tensor(x, "float64")
    with keras.GradientTape() as outside:
        outside.watch(at)
        along = ops.sum(gradient(at) * ops.convert_to_tensor(direction, "float64"))
    got = np.asarray(outside.gradient(along, at))
    step = 1e-5
    moved = [np.asarray(gradient(ops.convert_to_tensor(x + s * step * direction, "float64"))) for s in (1, -1)]
    np.testing.assert_allclose(got, (moved[0] - moved[1]) / (2 * step), rtol=1e-6, atol=1e-7)


@pytest.fixture(autouse=True)
def double_precision(request):
    """Second derivatives are taken in float64."""
    before = keras.config.floatx()
    if "second" in request.node.name:
        keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx(before)


@both
def test_half_precision_is_computed_in_single(norm, centered):
    x, gamma, beta = data((40, 64), offset=100.0)
    got = norm(*(ops.cast(v, "float16") for v in (x, gamma, beta)))
    assert got.dtype == "float16"
    half = [v.astype("float16") for v in (x, gamma, beta)]
    np.testing.assert_allclose(np.asarray(got, "float32"), expected(*half, centered), rtol=5e-3, atol=5e-3)


@both
def test_without_the_blas(norm, centered, monkeypatch):
    monkeypatch.setattr(outer.gemm, "available", lambda dtype: False)
    args = data((1200, 128))
    for got in (norm(*args), function(norm)(*args)):
        np.testing.assert_allclose(np.asarray(got), expected(*args, centered), rtol=2e-5, atol=2e-5)


def test_a_thread_that_finds_the_desk_taken_uses_its_own():
    args = data((64, 16, 128))
    program = function(gradients(layer_norm))
    weights = args[0][::-1].copy()
    wanted = [np.array(v) for v in program(*args, weights)]
    wrong = []

    def work():
        for _ in range(20):
            for got, want in zip(program(*args, weights), wanted, strict=True):
                if not np.array_equal(np.asarray(got), want):
                    wrong.append(got)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
    with norms._taken:
        for got, want in zip(program(*args, weights), wanted, strict=True):
            np.testing.assert_array_equal(np.asarray(got), want)


@pytest.mark.parametrize("shape", [(1, 1), (6, 3), (1000, 128), (4096, 32)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_outer_products(shape, dtype):
    rng = np.random.default_rng(1)
    column, row = (rng.normal(size=n).astype(dtype) for n in shape)
    out = np.full(shape, np.nan, dtype)
    outer.outer(column, row, out)
    np.testing.assert_array_equal(out, column[:, None] * row)
    outer.outer(column, np.ones_like(row), out, add=True)
    np.testing.assert_allclose(out, column[:, None] * row + column[:, None], rtol=1e-3 if dtype == "float16" else 1e-6, atol=1e-6)


def test_a_prepared_product_keeps_its_arrays():
    out = np.zeros((64, 1000), "float32")
    call = outer.bound_outer(np.full(64, 2.0, "float32"), np.full(1000, 3.0, "float32"), out)
    others = [np.full(n, 5.0, "float32") for n in (64, 1000) * 50]  # what is free is taken
    call()
    assert others and (out == 6).all()


def test_the_rows_of_no_array():
    assert np.asarray(P.center_rows.impl(np.zeros((0, 4)))).shape == (0, 4)
    assert P.inverse_rms_rows.impl(np.zeros((0, 4)), epsilon=0.1).shape == (0, 1)
    assert ops.layer_normalization(np.zeros((3, 0), "float32")).shape == (3, 0)
