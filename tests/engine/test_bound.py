"""Kernels that are prepared for arrays which never move (kernels/bound.py): to the same bits as when they are called, as
often as one likes, with what the arrays hold then."""

import numpy as np
import pytest

import kerasish as keras
from kerasish.engine import kernels
from kerasish.engine.kernels import avg_pool, bound, conv, max_pool, relu_grad, softmax
from kerasish.engine.kernels.outer import repeat
from kerasish.engine.kernels.pool import WORTH_SHARING

rng = np.random.default_rng(0)

CONVOLUTIONS = {  # input shape, kernel size, channels out, strides, padding, dilation, groups
    "few channels": ((2, 9, 8, 3), (3, 3), 5, (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "one channel, no padding": ((1, 28, 28, 1), (3, 3), 32, (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "many channels": ((1, 13, 13, 32), (3, 3), 64, (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "strides and uneven padding": ((3, 12, 11, 6), (3, 2), 7, (2, 3), ((0, 1), (1, 0)), (1, 1), 1),
    "cropped": ((2, 9, 9, 4), (3, 3), 4, (1, 1), ((-1, -2), (0, 1)), (1, 1), 1),
    "dilated": ((2, 9, 9, 6), (3, 3), 4, (1, 1), ((2, 2), (2, 2)), (2, 2), 1),
    "pointwise": ((2, 6, 5, 9), (1, 1), 11, (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "pointwise with strides": ((2, 6, 5, 9), (1, 1), 11, (2, 2), ((0, 0), (0, 0)), (1, 1), 1),
    "one axis": ((2, 30, 8), (5,), 6, (1,), ((2, 2),), (1,), 1),
    "three axes": ((1, 5, 6, 4, 2), (2, 3, 2), 3, (1, 2, 1), ((0, 1), (1, 1), (1, 0)), (1, 1, 1), 1),
    "depthwise": ((2, 9, 8, 6), (3, 3), 6, (1, 1), ((1, 1), (1, 1)), (1, 1), 6),
    "groups": ((2, 9, 8, 6), (3, 3), 4, (1, 1), ((1, 1), (1, 1)), (1, 1), 2),
    "in long matrices": ((2, 40, 40, 16), (3, 3), 8, (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "too large to be prepared": ((4, 40, 40, 16), (3, 3), 64, (2, 2), ((1, 1), (1, 1)), (1, 1), 1),
    "one image in several tiles": ((1, 200, 150, 3), (3, 3), 1, (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    "no image": ((0, 9, 8, 3), (3, 3), 5, (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
}


def drawn(*shape):
    return rng.standard_normal(shape).astype("float32")


@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_convolution(case):
    shape, size, cout, *rest = CONVOLUTIONS[case]
    groups = rest[-1]
    x, w = drawn(*shape), drawn(*size, shape[-1] // groups, cout)
    out = np.full_like(conv(x, w, *rest), np.nan)
    call = bound.BOUND["conv"](x, w, out, *rest)
    moving = bound.MOVING["conv"](w, out, shape, *rest)
    for _ in range(2):
        x += 1
        w *= 0.5
        expected = conv(x, w, *rest)
        for way in (call, lambda: moving(x), lambda: moving(x.copy()), lambda: moving(np.asfortranarray(x))):
            out.fill(np.nan)
            way()
            np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("pool", [max_pool, avg_pool])
@pytest.mark.parametrize(
    "shape, size, strides, padding",
    [
        ((2, 8, 9, 3), (2, 2), (2, 2), ((0, 0), (0, 1))),
        ((2, 8, 9, 3), (3, 2), (1, 2), ((1, 1), (0, 0))),
        ((2, 8, 9, 3), (1, 3), (2, 1), ((0, 0), (1, 1))),
        ((2, 8, 9, 3), (2, 2), (2, 2), ((-1, 0), (0, -1))),
        ((3, 11, 2), (4,), (3,), ((1, 2),)),
        ((2, 700, 800, 1), (2, 2), (2, 2), ((0, 0), (0, 0))),
        ((0, 8, 8, 2), (2, 2), (2, 2), ((0, 0), (0, 0))),
    ],
)
def test_pooling(pool, shape, size, strides, padding):
    x = drawn(*shape)
    out = np.full_like(pool(x, size, strides, padding), np.nan)
    call = bound.BOUND[pool.__name__](x, out, size=size, strides=strides, padding=padding)
    for _ in range(2):
        x *= -1.5
        out.fill(np.nan)
        call()
        np.testing.assert_array_equal(out, pool(x, size, strides, padding))


def test_large_images_are_pooled_by_threads():
    assert 2 * 700 * 800 >= WORTH_SHARING  # one of the cases above


@pytest.mark.parametrize("shape, axis", [((3, 5), 1), ((2, 3, 4), -1), ((2, 3, 4), 1), ((40, 1000), 1), ((1, 1), 1)])
@pytest.mark.parametrize("rows", ["plain", "large", "tiny", "hidden", "nan"])
def test_softmax(rows, shape, axis):
    x = drawn(*shape)
    if rows == "large":
        x += 1000
    elif rows == "tiny":
        x -= 1000
    elif rows == "hidden":
        x[0] = -np.inf
    elif rows == "nan":
        x[-1].flat[0] = np.nan
    expected, out = softmax(x.copy(), axis), np.empty_like(x)
    with np.errstate(all="ignore"):  # as in programs
        bound.BOUND["softmax"](x, out, axis=axis)()
        np.testing.assert_array_equal(out, expected)
        bound.BOUND["softmax"](x, x, axis=axis)()
    np.testing.assert_array_equal(x, expected)


@pytest.mark.parametrize("n", [7, 4096, 40_000, 300_000])
def test_gradient_of_relu(n):
    dy, y, out = drawn(n), np.maximum(drawn(n), 0), np.empty(n, "float32")
    bound.BOUND["relu_grad"](dy, y, out)()
    np.testing.assert_array_equal(out, relu_grad(dy, y))


@pytest.mark.parametrize("once", [True, False])
@pytest.mark.parametrize("shape", [(4, 300), (200, 700), (3000, 64)])
def test_rows_are_laid_out_or_viewed(shape, once):
    row = drawn(shape[-1])
    wide = bound.rows_of(row, shape, once)
    for _ in range(2):
        row += 1
        repeat(row, wide)
        np.testing.assert_array_equal(wide, np.broadcast_to(row, shape))


def test_a_small_model_predicts_what_it_computes_eagerly():
    keras.utils.set_random_seed(1)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)), layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(2), layers.Conv2D(12, 3, padding="same"),
            layers.AveragePooling2D(3, padding="same"), layers.Conv2D(6, 1), layers.Flatten(), layers.Dense(10, "softmax"),
        ]
    )  # fmt: skip
    for n in (1, 3, 1):
        x = drawn(n, 28, 28, 1)
        np.testing.assert_allclose(model.predict(x, verbose=0), model(x), rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(model.predict(x, verbose=0), model.predict(x.copy(), verbose=0))


# -- gradients by steps over whole numbers ----------------------------------------------------------------------------

ODD = [-np.inf, -2.0, -1e-42, -0.0, 0.0, 1e-42, 0.5, 1.0, np.nextafter(np.float32(1), np.float32(2)), 3.0, np.inf]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_slopes_of_relu_and_clip_at_odd_numbers(dtype):
    with np.errstate(over="ignore", invalid="ignore"):
        x = np.array(ODD, dtype)
    for g in (1.5, -0.0, np.inf, -1e-42):
        dy = np.full(x.shape, g, dtype)
        for got in _ways("relu_grad", dy, x):
            np.testing.assert_array_equal(got, np.where(x > 0, dy, 0))
        share = np.where((x == 0) | (x == 1), 0.5, (x > 0) & (x < 1)).astype(dtype)
        for got in _ways("clip_grad", dy, x, low=0.0, high=1.0):
            np.testing.assert_array_equal(got, np.where(share > 0, dy * np.maximum(share, 0.5), 0).astype(dtype))


def test_slopes_of_clip_between_odd_ends():
    x = np.array([-np.nan, 0.0, 1.0, 2.0, np.nan], "f")
    for low, high, wanted in ((1.0, 1.0, [0, 0, 0.5, 0]), (2.0, 0.0, [0, 0, 0, 0]), (-np.inf, 1.0, [0, 1, 0.5, 0])):
        for got in _ways("clip_grad", np.ones(5, "f"), x, low=low, high=high):
            np.testing.assert_array_equal(got[:4], wanted)
            assert got[4] in (0, 1)
    for got in _ways("clip_grad", np.ones(2, "e"), np.array([0.1, 0.7], "e"), low=0.1, high=0.7):
        np.testing.assert_array_equal(got, 0.5)  # as clip sees the ends


def _ways(name, dy, x, **params):
    """A kernel's results: called, into memory, over its first argument, prepared, and with one number."""
    kernel = getattr(kernels, name)
    yield kernel(dy, x, **params)
    yield kernel(dy, x, **params, out=np.full_like(x, np.nan))
    over = dy.copy()
    kernel(over, x, **params, out=over)
    yield over
    out = np.full_like(x, np.nan)
    bound.BOUND[name](dy, x, out, **params)()
    yield out
    yield np.array([kernel(d, v, **params) for d, v in zip(dy, x)])


# -- masks ------------------------------------------------------------------------------------------------------------


def mask(seed, counter, shape, keep, dtype="float32"):
    return kernels.random_mask(np.array([seed, counter], np.uint32), shape, keep, 1.25, np.dtype(dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3,), (5, 7), (3, 16385), (2, 40000)], ids=str)
def test_masks_are_the_same_prepared(shape, dtype):
    state = np.array([7, 3], np.uint32)
    out = np.full(shape, np.nan, dtype)
    call = bound.BOUND["random_mask"](state, out, shape, 0.7, 1.25, np.dtype(dtype))
    for _ in range(2):
        call()
        wanted = kernels.random_mask(state, shape, 0.7, 1.25, np.dtype(dtype))
        np.testing.assert_array_equal(out, wanted)
        assert wanted.shape == shape and wanted.dtype == dtype and set(np.unique(wanted)) <= {0, np.dtype(dtype).type(1.25)}
        state[1] += 1


@pytest.mark.parametrize("keep", [0.0, 0.03, 0.5, 0.9, 1.0])
def test_masks_keep_what_they_should(keep):
    n, tries = 40000, [mask(s, c, (40000,), keep) > 0 for s in (0, 1, 2**32 - 1) for c in (0, 1, 2**31)]
    for kept in tries:
        assert abs(kept.mean() - keep) <= 4.5 * np.sqrt(keep * (1 - keep) / n)


def test_masks_do_not_depend_on_each_other():
    n = 1 << 16
    a, b, c = (np.sign(mask(s, k, (n,), 0.5) - 0.5) for s, k in ((5, 9), (5, 10), (6, 9)))
    limit = 4.5 / np.sqrt(n)
    for lag in (1, 2, 3, 4, 8, 4096, 8192, 1 << 14):
        assert abs(np.mean(a[lag:] * a[:-lag])) < limit * np.sqrt(n / (n - lag))
    for other in (b, c):
        assert abs(np.mean(a * other)) < limit and abs(np.mean(a[1:] * other[:-1])) < limit
