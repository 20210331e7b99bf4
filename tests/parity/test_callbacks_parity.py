"""Every callback in a fit, beside Keras's."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

from callback_rows import ELSEWHERE, ROWS, files_in, fit

import kerasish

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]
# Keras's own needs TensorFlow and its TensorBoard: test_tensorboard_parity.py
CASES = [pytest.param(row, id=name) for name, row in ROWS.items() if name != "TensorBoard"]


def test_every_callback_of_keras_has_a_row():
    names = {name for name in dir(keras.callbacks) if isinstance(getattr(keras.callbacks, name), type)}
    assert names - ELSEWHERE == set(ROWS)


@pytest.mark.parametrize("row", CASES)
def test_the_same_history_weights_and_files(row, tmp_path):
    found = {}
    for k in (keras, kerasish):
        folder = tmp_path / k.__name__
        folder.mkdir()
        history, model = fit(k, row, [row.make(k, folder)])
        found[k] = history, model.get_weights(), files_in(folder)
    (ours, our_weights, our_files), (theirs, their_weights, their_files) = found[kerasish], found[keras]
    assert sorted(ours) == sorted(theirs) and our_files == their_files
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-4, atol=1e-6, err_msg=name)
    for a, b in zip(our_weights, their_weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("row", CASES)
def test_the_same_attributes(row, tmp_path):
    """What users read and set: all that Keras's callbacks have without an underscore."""
    theirs, ours = (row.make(k, tmp_path) for k in (keras, kerasish))
    plain = (bool, int, float, str, type(None))
    for name, value in vars(theirs).items():
        if not name.startswith("_") and name not in ("seen", "pinned") and isinstance(value, plain):
            assert getattr(ours, name) == value, name
