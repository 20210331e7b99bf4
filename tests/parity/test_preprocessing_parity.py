"""Layers for raw values, and functions of keras.utils, beside an installed Keras: files both ways. Needs no TensorFlow, so
there are no strings here; their answers are in tests/golden."""

import importlib.util
import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

import kerasish

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]  # Keras's own warnings are not ours to judge
X = np.random.RandomState(0).normal(size=(30, 3)).astype("float32")
COLUMNS = np.array([[0, 1, 3], [3, 3, 2]], "int32")
LAYERS = {
    "Normalization": lambda k: k.layers.Normalization(),
    "Normalization of all": lambda k: k.layers.Normalization(axis=None),
    "Discretization": lambda k: k.layers.Discretization(num_bins=4),
    "Discretization one_hot": lambda k: k.layers.Discretization(num_bins=4, output_mode="one_hot"),
}
if importlib.util.find_spec("tensorflow") is None:  # Keras's Discretization can't adapt without it
    LAYERS = {name: make for name, make in LAYERS.items() if "Discretization" not in name}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("writer, reader", [(keras, kerasish), (kerasish, keras)], ids=["we read", "they read"])
def test_adapted_layers_are_saved(name, writer, reader, tmp_path):
    inputs = writer.Input((3,))
    layer = LAYERS[name](writer)
    layer.adapt(X)
    model = writer.Model(inputs, layer(inputs))
    model.save(tmp_path / "m.keras")
    again = reader.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(np.asarray(again(X)), np.asarray(model(X)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_adapted_numbers(name):
    found = []
    for k in (keras, kerasish):
        layer = LAYERS[name](k)
        layer.adapt(X)
        found.append(np.asarray(layer(X)))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-5, atol=1e-5)


def test_every_name_of_utils_is_there():
    elsewhere = {"model_to_dot", "plot_model"}
    assert not {n for n in dir(keras.utils) if n[0] != "_"} - set(dir(kerasish.utils)) - elsewhere


@pytest.mark.parametrize("options", [{}, {"maxlen": 2}, {"padding": "post", "value": 7}, {"maxlen": 5, "truncating": "post"}])
def test_padded_sequences(options):
    x = [[1], [2, 3], [4, 5, 6]]
    assert np.array_equal(kerasish.utils.pad_sequences(x, **options), keras.utils.pad_sequences(x, **options))


def test_encoded_categories_are_numbers_of_keras():
    for mode in ("one_hot", "multi_hot", "count"):
        ours, theirs = (k.layers.CategoryEncoding(4, output_mode=mode)(COLUMNS) for k in (kerasish, keras))
        assert np.array_equal(np.asarray(ours), np.asarray(theirs))
