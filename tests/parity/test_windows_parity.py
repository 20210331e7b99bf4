"""Ops over windows beside an installed Keras, over draws of sizes, strides, dilation, groups, padding and layout."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

import kerasish

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]


def drawn(seed):
    """Shapes and options that go together: strides and dilation exclude each other, and the window fits."""
    rng = np.random.RandomState(seed)
    rank = rng.randint(1, 4)
    window, strides, dilation = (tuple(rng.randint(1, 4, rank).tolist()) for _ in range(3))
    strides, dilation = ((1,) * rank, dilation) if rng.rand() < 0.3 else (strides, (1,) * rank)
    padding = str(rng.choice(["valid", "same"]))
    least = [(k - 1) * e + 1 if padding == "valid" else 1 for k, e in zip(window, dilation, strict=True)]
    sizes = tuple(n + rng.randint(0, 5) for n in least)
    first = bool(rng.rand() < 0.4)
    x = rng.normal(size=(2, 4, *sizes) if first else (2, *sizes, 4)).astype("float32")
    options = {"padding": padding, "data_format": "channels_first" if first else "channels_last"}
    return rng, x, window, sizes, options, {"strides": strides, "dilation_rate": dilation}


def compare(f):
    mine, theirs = (np.asarray(f(library.ops)) for library in (kerasish, keras))
    assert mine.dtype == theirs.dtype
    np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("seed", range(12))
def test_convolutions(seed):
    rng, x, window, _, options, steps = drawn(seed)
    kernel = rng.normal(size=(*window, rng.choice([1, 2, 4]), 4)).astype("float32")
    compare(lambda ops: ops.conv(x, kernel, **steps, **options))
    if len(window) < 3:  # as far as Keras goes
        depthwise = rng.normal(size=(*window, 4, 2)).astype("float32")
        pointwise = rng.normal(size=(*[1] * len(window), 8, 3)).astype("float32")
        compare(lambda ops: ops.depthwise_conv(x, depthwise, **steps, **options))
        compare(lambda ops: ops.separable_conv(x, depthwise, pointwise, **steps, **options))


@pytest.mark.parametrize("seed", range(24))
def test_transposed_convolutions(seed):
    rng, x, window, _, options, steps = drawn(seed)
    kernel = rng.normal(size=(*window, 3, 4)).astype("float32")
    extra = None if rng.rand() < 0.5 else tuple(int(rng.randint(0, s)) for s in steps["strides"])
    compare(lambda ops: ops.conv_transpose(x, kernel, output_padding=extra, **steps, **options))


@pytest.mark.parametrize("name", ["max_pool", "average_pool"])
@pytest.mark.parametrize("seed", range(12))
def test_pooling(seed, name):
    _, x, window, _, options, steps = drawn(seed)
    compare(lambda ops: getattr(ops, name)(x, window, strides=steps["strides"], **options))


@pytest.mark.parametrize("name", ["adaptive_max_pool", "adaptive_average_pool"])
@pytest.mark.parametrize("seed", range(12))
def test_adaptive_pooling(seed, name):
    rng, x, _, sizes, options, _ = drawn(seed)
    outputs = tuple(int(rng.randint(1, n)) if n > 1 else 1 for n in sizes)
    compare(lambda ops: getattr(ops, name)(x, outputs, data_format=options["data_format"]))
