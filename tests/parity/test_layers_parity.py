"""Every layer beside an installed Keras: numbers, weights and configs, both ways."""

import importlib.util
import json
import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

from layer_keras import made, outputs_and_gradients
from layer_row import fill, flat
from layer_table import ROWS

import kerasish

# Keras's own warnings are not ours to judge
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]
# Keras makes these only where TensorFlow is installed, too; elsewhere the numbers in tests/golden stand for it
OF_TENSORFLOW = ("Hashing", "HashedCrossing", "IntegerLookup") if importlib.util.find_spec("tensorflow") is None else ()
ALL = [pytest.param(row, id=row.id) for rows in ROWS.values() for row in rows if row.id.split()[0] not in OF_TENSORFLOW]
FIXED = [p for p in ALL if not p.values[0].random]

# Keys of Keras's configs that hold what differs from machine to machine
CHANGING = ("shared_object_id",)


def ours(row):
    layer = row.make(kerasish)
    inputs = kerasish.tree.map_structure(kerasish.ops.convert_to_tensor, row.inputs)
    if not layer.built:
        row.apply(layer, inputs)
    fill(layer)
    return layer, inputs


def plain(config):
    """A config as it stands in a file, without what is not compared."""

    def cut(x):
        if isinstance(x, dict):
            return {k: cut(v) for k, v in x.items() if k not in CHANGING}
        if isinstance(x, float):
            return float(f"{x:.6g}")  # Keras keeps some numbers in float32
        return [cut(v) for v in x] if isinstance(x, list) else x

    return cut(json.loads(json.dumps(config)))


@pytest.fixture(autouse=True)
def fresh_names():
    keras.utils.clear_session()
    kerasish.utils.clear_session()


@pytest.mark.parametrize("row", FIXED)
def test_outputs(row):
    layer, inputs = ours(row)
    expected, _ = outputs_and_gradients(keras, row, gradients=False)
    for y, want in zip(flat(row.apply(layer, inputs)), expected, strict=True):
        np.testing.assert_allclose(np.asarray(y), want, rtol=row.tolerance, atol=row.tolerance)


@pytest.mark.parametrize("row", ALL)
def test_weights(row):
    layer, _ = ours(row)
    theirs = made(keras, row)
    assert [(w.name, tuple(w.shape), str(w.dtype)) for w in layer.weights] == [
        (w.name, tuple(w.shape), str(w.dtype)) for w in theirs.weights
    ]
    assert [w.name for w in layer.trainable_weights] == [w.name for w in theirs.trainable_weights]


@pytest.mark.parametrize("row", ALL)
def test_configs(row):
    layer, theirs = row.make(kerasish), row.make(keras)
    form, expected = kerasish.saving.serialize_keras_object(layer), keras.saving.serialize_keras_object(theirs)
    assert plain(form)["config"] == plain(expected)["config"]
    keras.saving.deserialize_keras_object(plain(form))
    again = kerasish.saving.deserialize_keras_object(plain(expected))
    assert plain(again.get_config()) == plain(layer.get_config())
