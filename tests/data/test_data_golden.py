"""What Keras does with data, recorded, against what we do."""

import json
import pathlib
import warnings

import numpy as np
import pytest
from data_cases import CLASS_WEIGHTS, STEP_CASES, STEP_DIFFERENCES, make_data

from kerasish.data import ArrayBatches, Epochs, PyDataset, as_batches, class_weight_to_sample_weight
from kerasish.data.packing import train_validation_split

GOLDEN = json.loads((pathlib.Path(__file__).parents[1] / "golden" / "data.json").read_text())


@pytest.mark.parametrize("name", STEP_CASES)
def test_steps_of_each_epoch(name):
    make, batch_size, steps_per_epoch, count = STEP_CASES[name]
    batches = as_batches(**make_data(make, PyDataset), batch_size=batch_size, steps=steps_per_epoch)
    epochs = Epochs(batches, steps_per_epoch)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        steps = [sum(1 for _ in epochs.epoch()) for _ in range(count)]
        epochs.close()
    ran_out = sum("ran out of data" in str(w.message) for w in caught)
    assert {"steps": steps, "ran_out": ran_out} == STEP_DIFFERENCES.get(name, GOLDEN["steps"][name])


@pytest.mark.parametrize("name", CLASS_WEIGHTS)
def test_class_weights(name):
    y, class_weight = CLASS_WEIGHTS[name]
    weights = class_weight_to_sample_weight(np.array(y), class_weight)
    assert weights.tolist() == GOLDEN["class_weights"][name]
    assert weights.dtype == "float32"


@pytest.mark.parametrize("dtype", GOLDEN["dtypes"])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("keep", [None, 2])
def test_dtypes(dtype, shuffle, keep):
    (x, _, _), = ArrayBatches(np.ones((3, 2), dtype), shuffle=shuffle).epoch(keep=keep)
    assert x.dtype == GOLDEN["dtypes"][dtype]


@pytest.mark.parametrize("case", GOLDEN["splits"])
def test_validation_split(case):
    rows, fraction = int(case.split()[0]), float(case.split()[1])
    expected = GOLDEN["splits"][case]
    data = {"a": np.arange(rows), "b": None}
    if expected is None:
        with pytest.raises(ValueError, match="validation_split"):
            train_validation_split(data, fraction)
    else:
        train, validation = train_validation_split(data, fraction)
        assert np.asarray(train["a"]).tolist() == list(range(expected))
        assert np.asarray(validation["a"]).tolist() == list(range(expected, rows))
        assert train["b"] is validation["b"] is None
