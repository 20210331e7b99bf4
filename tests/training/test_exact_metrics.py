"""Metrics are means over rows: of a ragged last batch, of weights, of masks; the bar shows what history has, averaged once."""

import re

import numpy as np
import pytest

import kerasish as keras

rng = np.random.RandomState(3)
X = rng.normal(size=(23, 5)).astype("float32")
Y = rng.normal(size=(23, 2)).astype("float32")
WEIGHTS = rng.uniform(0.1, 3, 23)
STEPS = rng.normal(size=(9, 4, 5)).astype("float32")
STEPS[0, 2:], STEPS[4, 1:], STEPS[7] = 0, 0, 0
MASK = STEPS.any(-1)


class OwnStep(keras.Sequential):
    """A step of the user's own whose logs are metrics."""

    def train_step(self, data):
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        loss = self.compute_loss(x, y, self(x, training=True), weight)
        self._loss_tracker.update_state(loss, sample_weight=keras.ops.shape(x)[0])
        return self.compute_metrics(x, y, self(x), weight)


def model(cls=keras.Sequential, **options):
    made = cls([keras.Input((5,)), keras.layers.Dense(2)])
    made.compile(keras.optimizers.SGD(0.0), "mse", metrics=["mae"], weighted_metrics=[keras.metrics.MeanSquaredError(name="wmse")], **options)
    return made


def shown(text):
    """The values of the last state of a bar."""
    last = re.split(r"[\r\n\x08]", text.strip())[-1]
    return {k: float(v) for k, v in re.findall(r"(\w+): ([\d.e+-]+)", last)}


CASES = {
    "program": {},
    "eagerly": {"run_eagerly": True},
    "several steps at once": {"steps_per_execution": 2},
    "own step": {"cls": OwnStep},
}


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weights"])
@pytest.mark.parametrize("batch_size", [1, 4, 22, 23, 100])
@pytest.mark.parametrize("case", CASES)
def test_bar_history_and_evaluate_are_the_means_over_all_rows(case, batch_size, weights, capsys):
    made = model(**CASES[case])
    capsys.readouterr()
    fitted = made.fit(X, Y, batch_size=batch_size, sample_weight=weights, verbose=1, validation_data=(X, Y) if weights is None else (X, Y, weights))
    bar = shown(capsys.readouterr().out)
    evaluated = made.evaluate(X, Y, batch_size=7, sample_weight=weights, verbose=0, return_dict=True)
    error = made.predict(X, verbose=0) - Y
    w = np.ones(23) if weights is None else weights
    squared = (error**2).mean(1)
    # a batch's loss is the sum of weighted losses over its rows, as in Keras; a weighted metric is divided by the weights
    want = {"loss": (w * squared).mean(), "mae": np.abs(error).mean(), "wmse": (w * squared).sum() / w.sum()}
    for key, value in want.items():
        assert evaluated[key] == pytest.approx(value, rel=1e-5)
        assert fitted.history[key] == pytest.approx([value], rel=1e-5)
        assert fitted.history[f"val_{key}"] == pytest.approx([value], rel=1e-5)
        assert bar[key] == pytest.approx(value, abs=6e-5) and bar[f"val_{key}"] == pytest.approx(value, abs=6e-5)


def test_the_bar_does_not_average_a_second_time(capsys):
    """After each batch the bar shows the mean so far, and not the mean of such means."""
    made, seen = model(), []
    watch = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(dict(logs)))
    made.fit(X, Y, batch_size=5, shuffle=False, verbose=0, callbacks=[watch])
    error = np.abs(made.predict(X, verbose=0) - Y).mean(1)
    for step, logs in enumerate(seen):
        assert logs["mae"] == pytest.approx(error[: 5 * (step + 1)].mean(), rel=1e-5)
    bar = keras.utils.Progbar(3, stateful_metrics=["mae"], verbose=1)
    for step, value in enumerate((4.0, 2.0, 1.0), 1):
        bar.update(step, [("mae", value)], finalize=step == 3)
    assert shown(capsys.readouterr().out)["mae"] == 1.0


def test_weights_of_steps_with_masks_and_a_ragged_last_batch():
    """What is masked counts for nothing, whatever its weight."""
    made = keras.Sequential([keras.Input((4, 5)), keras.layers.Masking(), keras.layers.TimeDistributed(keras.layers.Dense(1))])
    made.compile(keras.optimizers.SGD(0.0), "mse", weighted_metrics=["mae"])
    y, w = rng.normal(size=(9, 4, 1)).astype("float32"), rng.uniform(0.1, 3, (9, 4))
    error = np.abs(made.predict(STEPS, verbose=0) - y)[..., 0]
    want = (error * w * MASK).sum() / (w * MASK).sum()
    for batch_size in (2, 4, 9):
        # a mask is averaged out batch by batch, as in Keras, so the loss depends on which rows meet
        fitted = made.fit(STEPS, y, sample_weight=w, batch_size=batch_size, shuffle=False, verbose=0).history
        evaluated = made.evaluate(STEPS, y, sample_weight=w, batch_size=batch_size, verbose=0, return_dict=True)
        assert fitted["mae"][0] == pytest.approx(want, rel=1e-5) == pytest.approx(evaluated["mae"], rel=1e-5)
        assert fitted["loss"][0] == pytest.approx(evaluated["loss"], rel=1e-5)
    again = w + 100 * ~MASK
    assert made.evaluate(STEPS, y, sample_weight=again, verbose=0) == pytest.approx(made.evaluate(STEPS, y, sample_weight=w, verbose=0), rel=1e-5)
