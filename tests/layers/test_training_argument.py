"""A layer's `training` in a graph: what the caller said holds, unless the model is called in a mode of its own."""

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers

ONES = np.ones((1, 400), "float32")


def drops(model, **call):
    return bool((np.asarray(model(ONES, **call)) == 0).any())


def graph(layer, said):
    x = keras.Input((400,))
    return keras.Model(x, layer(x) if said is None else layer(x, training=said))


LAYERS = {
    "layer": lambda: layers.Dropout(0.5, seed=1),
    "model": lambda: keras.Sequential([keras.Input((400,)), layers.Dropout(0.5, seed=1)]),
}


@pytest.mark.parametrize("made", LAYERS)
@pytest.mark.parametrize("said", [None, True, False])
def test_in_a_graph(made, said):
    model = graph(LAYERS[made](), said)
    assert drops(model) is bool(said)
    assert drops(model, training=True) and not drops(model, training=False)


def test_it_is_kept_in_files(tmp_path):
    graph(LAYERS["layer"](), True).save(tmp_path / "m.keras")
    model = keras.models.load_model(tmp_path / "m.keras")
    assert drops(model) and not drops(model, training=False)
