"""What normalization layers keep between calls, and what they refuse."""

import pathlib

import numpy as np
import pytest
from normalization_cases import BATCHES, CASES, TARGETS, spread

import kerasish as keras
from kerasish import layers

GOLDEN = pathlib.Path(__file__).parents[1] / "golden/normalization_state.npz"


@pytest.mark.parametrize("name", CASES)
def test_state_is_keras(name):
    with np.load(GOLDEN) as file:
        expected = [file[k] for k in file.files if k.rpartition("/")[0] == name]
    found = CASES[name](keras)
    assert len(found) == len(expected)
    for x, want in zip(found, expected, strict=True):
        np.testing.assert_allclose(x, want, rtol=2e-5, atol=2e-5)


def test_a_frozen_layer_keeps_its_statistics_and_weights():
    norm = layers.BatchNormalization(trainable=False)
    model = keras.Sequential([keras.Input((4,)), norm, layers.Dense(4)])
    model.compile("sgd", "mse")
    before = norm.get_weights()
    model.fit(BATCHES[1], TARGETS, epochs=2, verbose=0)
    assert norm.trainable_weights == [] and len(norm.non_trainable_weights) == 4
    assert all(np.array_equal(a, b) for a, b in zip(before, norm.get_weights(), strict=True))
    norm.trainable = True
    assert [v.name for v in norm.trainable_weights] == ["gamma", "beta"]


@pytest.mark.parametrize("eagerly", [True, False])
def test_statistics_move_the_same_in_both_modes(eagerly):
    norm = layers.BatchNormalization(renorm=True)
    model = keras.Sequential([keras.Input((4,)), norm])
    model.compile("sgd", "mse", run_eagerly=eagerly)
    for x in BATCHES:
        model.train_on_batch(x, TARGETS)
    moved = layers.BatchNormalization(renorm=True)
    for x in BATCHES:
        moved(x, training=True)
    for name in ("moving_mean", "moving_variance", "moving_stddev", "renorm_mean", "renorm_stddev"):
        np.testing.assert_allclose(getattr(norm, name).numpy(), getattr(moved, name).numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("eagerly", [True, False])
def test_spectral_gradients_are_those_at_the_divided_kernel(eagerly):
    dense = layers.Dense(3, use_bias=False, name="dense")
    layer = layers.SpectralNormalization(dense, power_iterations=2)
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=eagerly)
    kernel, u = np.arange(12, dtype="float32").reshape(4, 3) / 10, np.array([[0.1, 0.2, 0.3]], "float32")
    dense.kernel.assign(kernel)
    layer.vector_u.assign(u)
    x, y = BATCHES[0], TARGETS[:, :3]
    model.train_on_batch(x, y)
    divided = kernel / np.linalg.norm(kernel, 2)
    expected = divided - 0.1 * x.T @ (2 * (x @ divided - y)) / y.size
    np.testing.assert_allclose(dense.kernel.numpy(), expected, rtol=1e-4, atol=1e-4)
    path = f"{model.name}/{layer.name}"
    assert [w.path for w in layer.weights] == [f"{path}/dense/kernel", f"{path}/vector_u"]


def test_spectral_normalization_of_embeddings():
    layer = layers.SpectralNormalization(layers.Embedding(5, 3), power_iterations=30)
    layer.build((None, 3))
    layer.kernel.assign(spread((5, 3)) * [1.0, 2.0, 4.0])  # singular values that lie apart
    layer.vector_u.assign([[0.1, -0.2, 0.3]])
    assert layer(np.array([[1, 2, 4]]), training=True).shape == (1, 3, 3)
    assert np.linalg.norm(layer.layer.embeddings.numpy(), 2) == pytest.approx(1, rel=1e-3)


def test_half_precision_statistics_are_computed_in_full():
    x = np.full((2, 70000), 6.0, "float16")  # its sum of squares is far beyond float16
    for layer in (layers.LayerNormalization(dtype="mixed_float16"), layers.GroupNormalization(1, dtype="mixed_float16")):
        y = layer(x)
        assert str(y.dtype) == "float16" and np.abs(y.numpy()).max() < 0.1


def test_axis_is_a_list_once_built_as_in_keras_configs():
    layer = layers.LayerNormalization(axis=(2, 1))
    layer.build((None, 3, 4))
    assert layer.get_config()["axis"] == [1, 2] and layer.gamma.shape == (3, 4)
    assert layers.LayerNormalization.from_config(layer.get_config()).axis == [1, 2]


def test_rms_scaling_divides_by_the_deviation():
    with pytest.warns(UserWarning, match="rms_scaling"):
        layer = layers.LayerNormalization(rms_scaling=True, epsilon=1e-6)
    x = BATCHES[1]
    np.testing.assert_allclose(layer(x), x / x.std(1, keepdims=True), rtol=1e-4)
    assert [w.name for w in layer.weights] == ["gamma"] and layer.get_config()["rms_scaling"] is True
    half = keras.ops.layer_normalization(x, np.full(4, 0.5, "float32"), np.ones(4, "float32"), rms_scaling=True)
    np.testing.assert_allclose(half, 0.5 * x / x.std(1, keepdims=True), rtol=1e-4)
    symbolic = keras.Input((4,))
    model = keras.Model(symbolic, layer(symbolic))
    np.testing.assert_allclose(model.predict(x, verbose=0), x / x.std(1, keepdims=True), rtol=1e-4)


def test_instance_normalization_remembers_its_groups():
    layer = layers.GroupNormalization(-1)
    layer.build((None, 4, 6))
    assert layer.get_config()["groups"] == 6


def test_synchronized_is_taken():
    layer = layers.BatchNormalization(synchronized=True)
    assert layer.get_config()["synchronized"] is True and layer(BATCHES[0], training=True).shape == (6, 4)


ERRORS = [
    (ValueError, "one dimension less", lambda: layers.BatchNormalization()(BATCHES[0], mask=np.ones((6, 4), bool))),
    (ValueError, "out of bounds", lambda: layers.BatchNormalization(axis=2)(BATCHES[0])),
    (ValueError, "invalid keys", lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"max": 1})),
    (ValueError, "greater than rmin", lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"rmin": 2, "rmax": 1})),
    (ValueError, "non-negative", lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"dmax": -1})),
    (ValueError, "expected axis -1", lambda: _called_twice(layers.BatchNormalization(), 4, 5)),
    (TypeError, "int or a list/tuple", lambda: layers.LayerNormalization(axis="last")),
    (ValueError, "out of bounds", lambda: layers.LayerNormalization(axis=3)(BATCHES[0])),
    (ValueError, "out of bounds", lambda: layers.RMSNormalization(axis=-4).compute_output_shape((2, 3))),
    (TypeError, "int or a list/tuple", lambda: layers.UnitNormalization(axis=1.5)),
    (ValueError, "out of bounds", lambda: layers.UnitNormalization(axis=(1, 4)).compute_output_shape((2, 3))),
    (ValueError, "positive integer", lambda: layers.GroupNormalization(0)),
    (ValueError, "multiple of the number of groups", lambda: layers.GroupNormalization(3)(BATCHES[0])),
    (ValueError, "multiple of the number of groups", lambda: layers.GroupNormalization()(BATCHES[0])),
    (ValueError, "must be known", lambda: layers.GroupNormalization(1).build((2, None))),
    (ValueError, "greater than zero", lambda: layers.SpectralNormalization(layers.Dense(2), power_iterations=0)),
    (ValueError, "`kernel` or `embeddings`", lambda: layers.SpectralNormalization(layers.Dropout(0.5))(BATCHES[0])),
    (ValueError, "layer", lambda: layers.SpectralNormalization("dense")),
]  # fmt: skip


def _called_twice(layer, *sizes):
    for n in sizes:
        layer(np.ones((2, n)))


@pytest.mark.parametrize("kind, match, make", ERRORS, ids=[f"{i} {m}" for i, (_, m, _) in enumerate(ERRORS)])
def test_errors(kind, match, make):
    with pytest.raises(kind, match=match):
        make()


@pytest.fixture
def float64():
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx(before)


def test_second_derivatives_of_moments(float64):
    """The gradient of the variance leaves out what is zero; its own gradient must not."""
    rng = np.random.RandomState(0)
    start, direction, weights = rng.normal(size=(3, 5, 2))

    def function(x):
        mean, variance = keras.ops.moments(x, axes=[0])
        return keras.ops.sum(keras.ops.exp(mean) * keras.ops.square(variance)) + keras.ops.sum(x * weights)

    def gradient(x):
        with keras.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x)

    x = keras.ops.convert_to_tensor(start, "float64")
    with keras.GradientTape() as outer:
        outer.watch(x)
        along = keras.ops.sum(gradient(x) * keras.ops.convert_to_tensor(direction, "float64"))
    found = np.asarray(outer.gradient(along, x))
    step = 1e-5
    ends = [np.asarray(gradient(keras.ops.convert_to_tensor(start + t * direction, "float64"))) for t in (step, -step)]
    np.testing.assert_allclose(found, (ends[0] - ends[1]) / (2 * step), rtol=1e-6, atol=1e-7)
