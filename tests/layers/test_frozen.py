"""A layer that is frozen from the start holds, saves and loads each variable once."""

import numpy as np

import kerasish as keras


def test_variables_of_a_layer_that_is_frozen_from_the_start(tmp_path):
    layer = keras.layers.Dense(2, trainable=False)
    model = keras.Sequential([keras.Input((3,)), layer])
    assert len(layer._trainable_variables) + len(layer._non_trainable_variables) == len(layer.weights) == 2
    model.save(tmp_path / "frozen.keras")
    again = keras.saving.load_model(tmp_path / "frozen.keras")
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    layer.trainable = True
    assert [w.name for w in layer.trainable_weights] == ["kernel", "bias"]
