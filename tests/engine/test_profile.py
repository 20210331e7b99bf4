"""Profiles of programs: every statement has a time, products are counted, and nothing is left changed."""

import numpy as np

import kerasish as keras
from kerasish import layers

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(6, 5)).astype("float32"), rng.normal(size=(6, 3)).astype("float32")


def test_matrix_products_are_counted():
    model = keras.Sequential([keras.Input((5,)), layers.Dense(7, "tanh"), layers.Dense(3)])
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=6, verbose=0)
    before = model.get_weights()
    profile = model.program("train").profile(X, Y, runs=2)
    # forward; then the kernels' gradients, and that of the hidden units
    assert sum(profile.operations) == 2 * 6 * (5 * 7 + 7 * 3) + 2 * 6 * (5 * 7 + 7 * 3 + 7 * 3)
    assert profile.peak > 0 and 0 < profile.share_of_peak
    assert len(profile.rows) == len(profile.operations)
    assert "million operations" in str(profile) and "workspace" in str(profile)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_convolutions_are_counted():
    model = keras.Sequential([keras.Input((6, 6, 2)), layers.Conv2D(4, 3, use_bias=False), layers.Flatten()])
    model.compile("sgd", "mse")
    x, y = rng.normal(size=(4, 6, 6, 2)).astype("float32"), np.zeros((4, 64), "float32")
    model.fit(x, y, batch_size=4, verbose=0)
    profile = model.program("train").profile(x, y, runs=1)
    assert sum(profile.operations) == 2 * 2 * 4 * 16 * 18 * 4  # forward, and the kernel's gradient


def test_programs_without_products():
    model = keras.Sequential([keras.Input((5,)), layers.Activation("relu")])
    model.predict(X, verbose=0)
    profile = model.program("predict").profile(X, runs=1)
    assert profile.share_of_peak == 0.0 and "0.0 million" in str(profile)


def test_every_statement_belongs_somewhere():
    model = keras.Sequential([keras.Input((5,)), layers.Dense(7, "tanh", name="first"), layers.Dense(3, name="second")])
    model.compile(keras.optimizers.Adam(name="adam"), "mse", metrics=["mae"])
    model.fit(X, Y, batch_size=6, verbose=0)
    profile = model.program("train").profile(X, Y, runs=1)
    found = {name.split(" test_profile")[0].replace("sequential_", "sequential").split("/")[-1] for name in profile.by(0)}
    forward = {"first", "second", "mean_squared_error"}
    assert forward | {"optimizer adam", "metrics"} <= found and "of no layer" not in found
    assert any(name.startswith("gradient of") and "first" in name for name in profile.by(0))
    assert any(name.startswith("gradient of") and "second" in name for name in profile.by(0))
