"""Mistakes that users make raise Keras's type of error, which says what was received."""

import json
import pathlib
import re

import numpy as np
import pytest
from bad_input import CASES

import kerasish as keras

GOLDEN = json.loads((pathlib.Path(__file__).parents[1] / "golden/bad_input.json").read_text())

# Where Keras takes what cannot be meant, or raises what says nothing
STRICTER = {
    "a list of losses for one output": "ValueError",  # Keras leaves out the second loss
    "an empty data set": "ValueError",  # Keras: StopIteration
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input(case):
    expected = STRICTER.get(case, GOLDEN[case])
    if expected is None:
        CASES[case](keras)
        return
    with pytest.raises(Exception) as caught:
        CASES[case](keras)
    assert type(caught.value).__name__ == expected or expected in [c.__name__ for c in type(caught.value).__mro__]
    message = str(caught.value)
    assert len(message) > 30 and re.search(r"""[\d'"`:=]""", message), message


def test_targets_that_are_nan_show_in_the_loss_and_can_end_the_fit():
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    y = np.zeros((8, 1), "float32")
    y[3] = np.nan
    history = model.fit(np.ones((8, 3)), y, batch_size=2, epochs=5, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN()])
    assert np.isnan(history.history["loss"]).all() and len(history.epoch) == 1
