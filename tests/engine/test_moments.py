"""Means and variances by channel, in one pass: against NumPy in float64, where the mean is large, where the first block
tells nothing of the others, in blocks that do not come out even; and their gradients to order two."""

import numpy as np
import pytest

import kerasish as keras
from kerasish import ops
from kerasish.engine import primitives as P
from kerasish.engine.kernels import moments
from kerasish.engine.static import function

ROWS = moments.BLOCK // 64  # rows of 64 channels in a block
SHAPES = [(1, 1), (1, 300), (7, 64), (ROWS, 64), (ROWS + 1, 64), (3 * ROWS - 5, 64), (33, 7, 7, 24), (64, 16, 16, 32)]


def by_channel(x):
    flat = x.reshape(-1, x.shape[-1]).astype("float64")
    return flat.mean(0), flat.var(0)


def values(shape, offset=0.0, seed=0):
    return (np.random.default_rng(seed).normal(size=shape) + offset).astype("float32")


@pytest.mark.parametrize("offset", [0.0, 1000.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_values(shape, offset):
    x = values(shape, offset)
    mean, variance = by_channel(x)
    for prepared in (False, True):
        out = np.full((2, shape[-1]), np.nan, "float32")
        if prepared:
            call = moments.bound_channel_moments(x, out)
            call()
            call()
        else:
            P.channel_moments.impl(x, out=out)
        np.testing.assert_allclose(out[0], mean, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(out[1], variance, rtol=2e-6, atol=1e-12)


def test_a_first_block_unlike_the_others():
    x = values((16 * ROWS, 64))
    x[:ROWS] = 1e4
    mean, variance = by_channel(x)
    got = P.channel_moments.impl(x)
    np.testing.assert_allclose(got[0], mean, rtol=1e-6)
    np.testing.assert_allclose(got[1], variance, rtol=1e-5)


def test_channels_of_one_number_have_no_variance():
    x = np.broadcast_to(np.linspace(-900, 900, 64, dtype="float32"), (3 * ROWS, 64)).copy()
    got = P.channel_moments.impl(x)
    np.testing.assert_allclose(got[0], x[0], rtol=1e-6)
    assert (got[1] >= 0).all() and got[1].max() < 1e-6 * 900**2
    np.testing.assert_array_equal(P.channel_moments.impl(x[:1])[1], 0)


def test_infinite_numbers_stay_in_their_channel():
    x = values((40, 8))
    x[3, 2] = np.inf
    with np.errstate(all="ignore"):
        mean, variance = P.channel_moments.impl(x)
    assert np.isinf(mean[2]) and np.isnan(variance[2])
    rest = np.arange(8) != 2
    np.testing.assert_allclose(variance[rest], by_channel(x[:, rest])[1], rtol=1e-5)


def test_one_program_for_all_batches():
    program = function(lambda x: ops.moments(x, axes=[0, 1, 2]))
    for rows in (64, 1, 17):
        x = values((rows, 16, 16, 32), 5.0, seed=rows)
        for got, want, eager in zip(program(x), by_channel(x), ops.moments(x, axes=[0, 1, 2]), strict=True):
            np.testing.assert_allclose(np.asarray(got), want, rtol=1e-5)
            np.testing.assert_array_equal(np.asarray(got), np.asarray(eager))
    assert len(program.programs) == 1
    assert "channel_moments" in program.programs[0].source


def normalized(x):
    mean, variance = ops.moments(x, axes=[0, 1, 2])
    return ops.batch_normalization(x, mean, variance, -1, epsilon=1e-3)


def gradient_of_normalized(x, weights):
    with keras.GradientTape() as tape:
        at = ops.convert_to_tensor(x)
        tape.watch(at)
        y = ops.sum(normalized(at) * weights)
    return tape.gradient(y, at)


@pytest.mark.parametrize("rows", [1, 33])
def test_the_gradient_of_batch_normalization(rows):
    """By the formula of Ioffe and Szegedy 2015."""
    x, g = values((rows, 16, 16, 32), 3.0), values((rows, 16, 16, 32), seed=1)
    wide, (mean, variance) = x.astype("float64"), by_channel(x)
    r = 1 / np.sqrt(variance + 1e-3)
    y, axes = (wide - mean) * r, (0, 1, 2)
    want = r * (g - g.mean(axes, dtype="float64") - y * (g * y).mean(axes))
    for run in (gradient_of_normalized, function(gradient_of_normalized)):
        np.testing.assert_allclose(np.asarray(run(x, g)), want, rtol=1e-4, atol=2e-5)


def test_second_derivatives():
    keras.config.set_floatx("float64")
    try:
        rng = np.random.default_rng(3)
        x, direction, weights = rng.normal(size=(3, 2, 8, 8, 4))

        def gradient(at):
            with keras.GradientTape() as tape:
                tape.watch(at)
                y = ops.sum(ops.exp(normalized(at) * 0.3) * weights)
            return tape.gradient(y, at)

        at = ops.convert_to_tensor(x, "float64")
        with keras.GradientTape() as outside:
            outside.watch(at)
            along = ops.sum(gradient(at) * direction)
        got, step = np.asarray(outside.gradient(along, at)), 1e-5
        moved = [np.asarray(gradient(ops.convert_to_tensor(x + s * step * direction))) for s in (1, -1)]
        np.testing.assert_allclose(got, (moved[0] - moved[1]) / (2 * step), rtol=1e-6, atol=1e-8)
    finally:
        keras.config.set_floatx("float32")
