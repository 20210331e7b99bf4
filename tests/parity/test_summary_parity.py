"""model.summary() says what Keras's says."""

import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

from summary_cases import MODELS, OPTIONS, cells, text_of

import kerasish

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", MODELS)
def test_summary(name, options, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")  # Keras cuts the names of layers at the terminal's width
    for k in (keras, kerasish):
        k.utils.clear_session()
    theirs = cells(text_of(MODELS[name](keras), line_length=250, **OPTIONS[options]))
    theirs = [[cell.replace("(1, ", "(None, ") for cell in row] for row in theirs]  # one batch does not fix their size here
    assert cells(text_of(MODELS[name](kerasish), **OPTIONS[options])) == theirs
