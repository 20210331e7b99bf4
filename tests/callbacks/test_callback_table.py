"""Every callback in a fit: what holds for all of them."""

import numpy as np
import pytest
from callback_rows import ELSEWHERE, ROWS, X, Y, files_in, fit, model_for

import kerasish as keras

CASES = [pytest.param(row, id=name) for name, row in ROWS.items()]


def test_every_callback_has_a_row():
    assert set(keras.callbacks.__all__) - ELSEWHERE == set(ROWS)


@pytest.mark.parametrize("row", CASES)
def test_it_runs_as_long_and_writes_what_it_should(row, tmp_path):
    history, _ = fit(keras, row, [row.make(keras, tmp_path)])
    assert {len(values) for values in history.values()} == {row.epochs}
    assert files_in(tmp_path) == list(row.files)


@pytest.mark.parametrize("row", CASES)
def test_it_changes_the_numbers_only_if_that_is_its_work(row, tmp_path):
    with_it, _ = fit(keras, row, [row.make(keras, tmp_path)])
    without, _ = fit(keras, row, [])
    same = all(values == without[name][: len(values)] for name, values in with_it.items() if name in without)
    assert same == row.quiet


@pytest.mark.parametrize("row", CASES)
def test_programs_and_eager_steps_are_alike(row, tmp_path):
    programs, _ = fit(keras, row, [row.make(keras, tmp_path)])
    eager, _ = fit(keras, row, [row.make(keras, tmp_path)], run_eagerly=True)
    assert list(programs) == list(eager)
    for name, values in programs.items():
        np.testing.assert_allclose(eager[name], values, rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("row", CASES)
def test_it_may_be_used_again(row, tmp_path):
    callback = row.make(keras, tmp_path)
    fit(keras, row, [callback])
    again, _ = fit(keras, row, [callback])
    fresh, _ = fit(keras, row, [row.make(keras, tmp_path)])
    assert {name: values[-row.epochs :] for name, values in again.items()} == fresh


@pytest.mark.parametrize("row", CASES)
def test_it_stands_evaluation_and_prediction(row, tmp_path):
    model = model_for(keras, row)
    before, loss = model.predict(X, verbose=0), model.evaluate(X, Y, verbose=0)
    if row.optimizer:
        model.optimizer.build(model.trainable_variables)  # averages of what has not been trained: the weights
        for average, weight in zip(model.optimizer._model_variables_moving_average, model.trainable_variables):
            average.assign(weight)
    callback = row.make(keras, tmp_path)
    assert model.evaluate(X, Y, verbose=0, callbacks=[callback]) == loss
    np.testing.assert_array_equal(model.predict(X, verbose=0, callbacks=[callback]), before)


@pytest.mark.parametrize("row", CASES)
def test_its_memory_can_be_stored_and_taken_back(row, tmp_path):
    callback = row.make(keras, tmp_path)
    fit(keras, row, [callback])
    state = callback.get_state()
    other = row.make(keras, tmp_path)
    other.set_model(model_for(keras, row))
    other.set_state(state)
    assert repr(other.get_state()) == repr(state)


@pytest.mark.parametrize("row", CASES)
def test_it_knows_model_and_params(row, tmp_path):
    callback = row.make(keras, tmp_path)
    _, model = fit(keras, row, [callback])
    assert callback.model is model
    assert {name: callback.params[name] for name in ("epochs", "steps", "verbose")} == {"epochs": 4, "steps": 3, "verbose": 0}
