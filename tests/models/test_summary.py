"""model.summary(): what Keras says, in columns that are as wide as what they hold."""

import json
import pathlib

import pytest
from summary_cases import MODELS, OPTIONS, branches, cells, deep, text_of

import kerasish as keras
from kerasish import layers
from kerasish.models.summary import _bytes

GOLDEN = json.loads((pathlib.Path(__file__).parents[1] / "golden/summaries.json").read_text())
CASES = [(name, options) for name in MODELS for options in OPTIONS]


def table(text):
    return [line for line in text.splitlines() if line[:1] in "┏┃┡│├└" and line]


@pytest.mark.parametrize("name, options", CASES)
def test_the_same_as_keras(name, options):
    keras.utils.clear_session()
    assert cells(text_of(MODELS[name](keras), **OPTIONS[options])) == GOLDEN[f"{name}, {options}"]


@pytest.mark.parametrize("name, options", CASES)
def test_columns_are_aligned(name, options):
    lines = table(text_of(MODELS[name](keras), **OPTIONS[options]))
    bars = [[i for i, c in enumerate(line) if c in "┏┳┓┃┡╇┩│├┼┤└┴┘"] for line in lines if " └ " not in line]
    assert all(places == bars[0] for places in bars)
    assert {len(line) for line in lines} == {len(lines[0])}
    assert "…" not in "".join(lines)


@pytest.mark.parametrize("length", [60, 79, 140])
def test_line_length(length):
    text = text_of(branches(keras), line_length=length, show_trainable=True)
    assert {len(line) for line in table(text)} == {length}


@pytest.mark.parametrize("positions", [(0.3, 0.6, 0.8, 1.0), (30, 60, 80, 100)])
def test_positions(positions):
    lines = table(text_of(branches(keras), line_length=100, positions=positions))
    assert [i for i, c in enumerate(lines[0]) if c in "┳┓"] == [29, 59, 79, 99]


def test_too_few_positions():
    with pytest.raises(IndexError, match="positions"):
        branches(keras).summary(positions=[1.0])


def test_long_names_are_cut_only_where_the_width_is_given():
    assert "a_name_that_is_much_longer_than_others (Dense)" in text_of(branches(keras))
    assert "a_name_that_is_…" in text_of(branches(keras), positions=(0.2, 0.5, 0.7, 1.0))


def test_many_inputs_wrap():
    inputs = [keras.Input((2,), name=f"input_{i}") for i in range(9)]
    text = text_of(keras.Model(inputs, layers.Concatenate(name="join")(inputs), name="wide"))
    assert max(map(len, text.splitlines())) < 100
    assert cells(text)[-4][-1] == ", ".join(f"input_{i}[0][0]" for i in range(9))


def test_layer_range():
    rows = cells(text_of(branches(keras), layer_range=["stack", "add"]))
    assert [row[0].split()[0] for row in rows[2:-3]] == ["stack", "side", "add"]
    assert rows[-3] == ["Total params: 46 (184.00 B)"]  # of the whole model


@pytest.mark.parametrize("layer_range", [["nothing", "add"], ["stack"], "stack", ["stack", "side", "add"]])
def test_bad_layer_ranges(layer_range):
    with pytest.raises(ValueError, match="layer_range|layer_names"):
        branches(keras).summary(layer_range=layer_range)


def test_it_is_printed(capsys):
    deep(keras).summary()
    assert capsys.readouterr().out == text_of(deep(keras)) + "\n"


SIZES = {0: "0.00 B", 4: "4.00 B", 1023: "1023.00 B", 1200: "1.17 KB", 1_200_000: "1.14 MB", 1.2e9: "1.12 GB", 5e15: "4547.47 TB"}


@pytest.mark.parametrize("size", SIZES)
def test_sizes(size):
    assert _bytes(size) == SIZES[size]
