"""Layers that turn raw values into numbers: every case gives what Keras gives."""

import json
import pathlib

import pytest
from preprocessing_cases import CASES, answer

import kerasish as keras

GOLDEN = json.loads((pathlib.Path(__file__).parents[1] / "golden/preprocessing.json").read_text(encoding="utf-8"))


def same(a, b):
    """Equal, with floats nearly so, at any depth."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) or isinstance(b, float):
        return a == pytest.approx(b, rel=1e-5, abs=1e-5, nan_ok=True)
    return a == b


def test_every_case_has_an_answer():
    assert list(GOLDEN) == list(CASES)


@pytest.mark.parametrize("name", CASES)
def test_answers_are_keras(name):
    ours, theirs = answer(keras, name), GOLDEN[name]
    if theirs.get("error") == "Exception":  # of TensorFlow's own kinds
        assert "error" in ours
    else:
        assert same(json.loads(json.dumps(ours)), theirs)


def test_unsplit_texts_are_filled_up_each():
    layer = keras.layers.TextVectorization(split=None, output_sequence_length=3, vocabulary=["x"])
    assert layer(["x", "y"]).tolist() == [[2, 0, 0], [1, 0, 0]]
