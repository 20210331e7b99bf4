"""Layers that turn raw values into numbers: every case gives what Keras gives."""

import json
import pathlib

import pytest
from preprocessing_cases import CASES, answer, same

import kerasish as keras

GOLDEN = json.loads((pathlib.Path(__file__).parents[1] / "golden/preprocessing.json").read_text(encoding="utf-8"))


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
