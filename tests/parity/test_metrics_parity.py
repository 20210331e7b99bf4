"""Metrics beside an installed Keras, on data that were not recorded."""

import json
import os
import pathlib
import sys
import types

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "metrics"))

from metric_rows import ROWS, SCENARIOS, make, run  # noqa: E402

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


# One scenario a row, the next for the next row, as Keras takes its time
CASES = [(row, list(SCENARIOS)[i % len(SCENARIOS)]) for i, row in enumerate(ROWS.values())]


@pytest.mark.parametrize("row, scenario", CASES, ids=[f"{row.id}, {scenario}" for row, scenario in CASES])
def test_numbers(row, scenario):
    close(run(ours, row, scenario, seed=1), run(keras, row, scenario, seed=1))


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_configs_both_ways(row):
    """Each reads what the other writes. What Keras leaves out of a config can't be asked of it."""
    written, read = (json.loads(json.dumps(k.metrics.serialize(make(k, row, name="one")))) for k in (ours, keras))
    wanted = read["config"]
    again = ours.metrics.deserialize(read)
    assert type(again).__name__ == row.cls
    got = {key: json.loads(json.dumps(again.get_config()))[key] for key in wanted}
    if isinstance(wanted.get("label_weights"), dict):  # a tensor, here a list
        got["label_weights"] = {**wanted["label_weights"], "config": {"value": got["label_weights"], "dtype": "float32"}}
    assert got == wanted
    theirs = keras.metrics.deserialize(written)
    assert type(theirs).__name__ == row.cls
    assert json.loads(json.dumps(keras.metrics.serialize(theirs)))["config"] == wanted
