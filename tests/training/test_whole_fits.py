"""Whole fits give the same numbers as programs and eagerly; tests/parity has them beside Keras."""

import importlib.util

import numpy as np
import pytest
import whole_fits
from whole_fits import CASES, TOLERANCE, X, Y, compare, with_own_loss

import kerasish as keras

HERE = [case for case in CASES if case != "mixed_bfloat16" or importlib.util.find_spec("ml_dtypes")]


@pytest.mark.filterwarnings("ignore:Your input ran out of data")  # where more steps are asked for than there are
@pytest.mark.parametrize("case", HERE)
def test_programs_and_eager_mode_agree(case, monkeypatch):
    keras.utils.clear_session()
    found = CASES[case](keras)
    monkeypatch.setattr(whole_fits, "EAGER", True)
    keras.utils.clear_session()
    compare(found, CASES[case](keras), TOLERANCE.get(case, 1e-4))


@pytest.mark.parametrize("eager", [False, True])
def test_a_loss_of_ones_own_trains_and_its_metrics_are_in_the_logs(eager):
    model = with_own_loss(keras)
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=eager)  # nothing but an optimizer
    history = model.fit(X, Y, epochs=20, verbose=0, validation_data=(X, Y)).history
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    assert set(history) == {n for name in ("loss", "gap", "twice") for n in (name, f"val_{name}")}
    np.testing.assert_allclose(history["twice"], 2 * np.array(history["gap"]), rtol=1e-6)
    assert set(model.evaluate(X, Y, verbose=0, return_dict=True)) == {"loss", "gap", "twice"}
    assert set(model.train_on_batch(X, Y, return_dict=True)) == {"loss", "gap", "twice"}
