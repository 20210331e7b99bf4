"""Metrics beside an installed Keras, on data that were not recorded."""

import os
import pathlib
import sys
import types

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "metrics"))

from metric_rows import ROWS, SCENARIOS, run  # noqa: E402

from kerasish import metrics, ops  # noqa: E402

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:Explicitly requested dtype"),  # jax keeps 64-bit numbers in 32
    pytest.mark.filterwarnings("ignore:__array__ implementation"),  # Keras's own, with NumPy 2
]

ours = types.SimpleNamespace(metrics=metrics, ops=ops)


def close(got, wanted):
    if isinstance(wanted, str):
        assert isinstance(got, str)
        return
    scale = max(1.0, float(np.abs(np.nan_to_num(wanted)).max(initial=0)))
    np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-6 * scale)


@pytest.mark.parametrize("number", range(len(ROWS)), ids=ROWS.keys())
def test_numbers(number):
    """One scenario a row, the next for the next row, as Keras takes its time."""
    row = list(ROWS.values())[number]
    scenario = list(SCENARIOS)[number % len(SCENARIOS)]
    close(run(ours, row, scenario, seed=1), run(keras, row, scenario, seed=1))


def test_models_of_keras_read_our_configs():
    for row in ROWS.values():
        config = metrics.serialize(getattr(metrics, row.cls)(**row.config)) if row.cls != "MeanMetricWrapper" else None
        if config is not None:
            theirs = keras.metrics.deserialize(config)
            assert type(theirs).__name__ == row.cls
            assert theirs.get_config().keys() <= config["config"].keys()
