"""Image layers: against what Keras made of the same transformations; and what holds for all of them."""

import json
import pathlib

import numpy as np
import pytest
from image_layer_cases import CASES, results, unpacked

import kerasish as keras
from kerasish import layers, ops

_file = np.load(pathlib.Path(__file__).parent.parent / "golden" / "image_layers.npz")
GOLDEN = json.loads(bytes(_file["records"]))


def plain(x):
    """As it is in a file: tuples are lists there."""
    return json.loads(json.dumps(x))


def test_every_case_was_recorded():
    assert {c.id for c in CASES} == set(GOLDEN)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_transformation_does_what_it_does_in_keras(case):
    record = GOLDEN[case.id]
    got = results(case.make(keras), case, unpacked(record["transformation"], _file))
    wanted = {k: unpacked(v, _file) for k, v in record["results"].items()}
    assert set(got) == set(wanted)
    for name, array in wanted.items():
        assert got[name].shape == array.shape, name
        if (case.layer, name) == ("Equalization", "images"):  # XLA's division puts exact halves on either side
            away = np.abs(got[name] - array)
            assert away.max() <= 1 and np.mean(away > 1e-3) < 0.02
            continue
        np.testing.assert_allclose(got[name], array, rtol=1e-4, atol=5e-3 if array.max() > 2 else 2e-5, err_msg=name)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_configs_are_those_of_keras(case):
    layer = case.make(keras)
    config = layer.get_config()
    wanted = GOLDEN[case.id]["config"]
    extra = {"RandomGrayscale": {"seed"}, "MaxNumBoundingBoxes": {"fill_value"}}.get(case.layer, set())  # lost by Keras
    assert set(config) - {"name", "trainable", "dtype"} - extra == set(wanted)
    for key, value in wanted.items():
        if (case.layer, key) != ("RandomCrop", "seed"):
            assert plain(config[key]) == value, key
    again = type(layer).from_config(plain(config))
    assert plain(again.get_config()) == plain(config)
