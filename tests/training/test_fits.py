"""Whole fits give Keras's history: names, order of values, numbers; and the static program gives what the tape gives."""

import json
import pathlib

import numpy as np
import pytest
from fit_cases import CASES, PADDED, X, Y, masked, one

import kerasish as keras

GOLDEN = json.loads((pathlib.Path(__file__).parents[1] / "golden/fits.json").read_text())


@pytest.fixture(autouse=True)
def fresh_names():
    keras.utils.clear_session()


# Keras on JAX forgets masks between the loss and the metrics of a training step; its evaluate does not
WITHOUT_MASKS = {"masks": ("mae", "weighted_mae"), "masks and weights": ("mae", "weighted_mae")}


@pytest.mark.filterwarnings("ignore:Gradients do not exist")  # of the output without a loss
@pytest.mark.parametrize("case", CASES)
def test_history(case):
    found = CASES[case](keras)
    assert set(found) == set(GOLDEN[case])
    for key, want in GOLDEN[case].items():
        if key in WITHOUT_MASKS.get(case, ()):
            continue
        np.testing.assert_allclose(np.reshape(found[key], -1), want, rtol=1e-4, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("options", [{}, {"weighted_metrics": ["mae"]}, {"metrics": ["AUC"], "loss": "binary_crossentropy"}], ids=str)
def test_the_bar_the_history_and_evaluate_agree(options, capsys):
    """Means over a ragged last batch and weights are means over the rows, wherever they are shown."""
    model = one(keras, **{**options, "optimizer": keras.optimizers.SGD(0.0)})
    weights = np.linspace(0.5, 2, 20)
    history = model.fit(X, Y, batch_size=7, epochs=1, sample_weight=weights, verbose=2).history
    printed = capsys.readouterr().out
    evaluated = model.evaluate(X, Y, batch_size=6, sample_weight=weights, verbose=0, return_dict=True)
    for key, (value,) in history.items():
        assert value == pytest.approx(evaluated[key], rel=1e-5)
        assert f"{key}: {value:.4f}" in printed


def test_metrics_of_training_are_those_of_evaluate_under_masks():
    model = masked(keras)
    model.optimizer.learning_rate = 0.0
    trained = model.fit(PADDED, np.ones((6, 4, 1)), batch_size=4, shuffle=False, verbose=0).history
    evaluated = model.evaluate(PADDED, np.ones((6, 4, 1)), batch_size=4, verbose=0, return_dict=True)
    assert {k: v[0] for k, v in trained.items()} == pytest.approx(evaluated, rel=1e-5)


def test_interrupted_training_goes_on():
    model = one(keras)

    def stop(batch, logs):
        if batch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=4, verbose=0, callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=stop)])
    before = int(model.optimizer.iterations)
    model.fit(X, Y, batch_size=4, verbose=0)
    assert before == 2 and int(model.optimizer.iterations) == 7


def test_weights_of_rows_with_masks_of_steps():
    """A weight a row and a mask within the rows, which Keras can't bring together, count as the weight at every step."""

    def loss(weights):
        keras.utils.clear_session()
        model = masked(keras)
        model.compile("sgd", "mse")
        return model.evaluate(PADDED, np.ones((6, 4, 1)), sample_weight=weights, verbose=0)

    rows = np.arange(1.0, 7.0)
    assert loss(rows) == pytest.approx(loss(np.repeat(rows[:, None], 4, 1)), rel=1e-6)
