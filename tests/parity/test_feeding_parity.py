"""Data and callbacks beside an installed Keras, and the libraries whose data both accept."""

import json
import os
import pathlib
import sys

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")
pandas = pytest.importorskip("pandas")
scipy_sparse = pytest.importorskip("scipy.sparse")
tf = pytest.importorskip("tensorflow")
torch = pytest.importorskip("torch")

tests = pathlib.Path(__file__).parents[1]
sys.path[:0] = [str(tests / "data"), str(tests / "callbacks")]

from callback_scenarios import SCENARIOS, play  # noqa: E402
from data_cases import STEP_CASES, keras_steps  # noqa: E402
from keras.src.trainers.data_adapters import get_data_adapter  # noqa: E402

from kerasish import callbacks  # noqa: E402
from kerasish.base import tree  # noqa: E402
from kerasish.data import as_batches  # noqa: E402

pytestmark = pytest.mark.parity

X = np.arange(12, dtype="float64").reshape(6, 2)
Y = np.arange(6)
FRAME = pandas.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1, 2, 3]})


def loader(*arrays, **options):
    dataset = torch.utils.data.TensorDataset(*map(torch.from_numpy, arrays))
    return torch.utils.data.DataLoader(dataset, batch_size=4, **options)


SOURCES = {
    "frame": lambda: dict(x=FRAME, y=FRAME["b"]),
    "frame of ints": lambda: dict(x=FRAME[["b"]], y=FRAME["a"]),
    "frame of bools and floats": lambda: dict(x=pandas.DataFrame({"a": [True, False], "b": [1.5, 2]})),
    "frame, reordered": lambda: dict(x=FRAME.iloc[::-1], y=FRAME["b"].iloc[::-1]),
    "torch tensor": lambda: dict(x=torch.from_numpy(X), y=torch.from_numpy(Y)),
    "tensorflow tensor": lambda: dict(x=tf.constant(X), y=tf.constant(Y)),
    "keras tensor": lambda: dict(x=keras.ops.convert_to_tensor(X), y=keras.ops.convert_to_tensor(Y)),
    "sparse": lambda: dict(x=scipy_sparse.coo_matrix(X)),
    "tf.data": lambda: dict(x=tf.data.Dataset.from_tensor_slices((X.astype("float32"), Y)).batch(4)),
    "tf.data of dicts": lambda: dict(x=tf.data.Dataset.from_tensor_slices({"a": X.astype("float32")}).batch(4)),
    "torch loader": lambda: dict(x=loader(X.astype("float32"), Y)),
    "torch loader that drops": lambda: dict(x=loader(X.astype("float32"), Y, drop_last=True)),
    "generator": lambda: dict(x=((X.astype("float32"), Y) for _ in range(2))),
    "structures": lambda: dict(x={"b": X, "a": [X, Y]}, y=(Y, Y), sample_weight=np.ones(6, "float16")),
    "class weights": lambda: dict(x=X, y=Y, class_weight={1: 2.0}),
}


@pytest.mark.parametrize("name", SOURCES)
def test_batches(name):
    theirs, ours = (make(**SOURCES[name](), batch_size=4) for make in (get_data_adapter, as_batches))
    assert (theirs.num_batches, theirs.batch_size) == (ours.num_batches, ours.batch_size)
    expected, found = list(theirs.get_numpy_iterator()), list(ours.epoch(packed=True))
    assert len(expected) == len(found)
    for want, got in zip(expected, found, strict=True):
        wanted, gotten = tree.flatten(want), tree.flatten(got)
        for leaf, mine in zip(wanted, gotten, strict=True):
            leaf = leaf.toarray() if hasattr(leaf, "toarray") else np.asarray(leaf)
            assert (leaf.shape, leaf.dtype) == (mine.shape, mine.dtype)
            np.testing.assert_array_equal(leaf, mine)


def test_missing_values_of_pandas():
    frame = pandas.DataFrame({"a": pandas.array([1, None], "Int64"), "b": pandas.array([True, False], "boolean")})
    (x, _, _), = as_batches(frame).epoch()
    assert x.dtype == "float32"
    np.testing.assert_array_equal(x, [[1, 1], [np.nan, 0]])


def test_tensors_that_want_gradients():
    (x, _, _), = as_batches(torch.ones(2, 3, requires_grad=True)).epoch()
    assert x.tolist() == np.ones((2, 3)).tolist()


@pytest.mark.parametrize("name", STEP_CASES)
def test_recorded_steps_are_those_of_the_installed_keras(name):
    recorded = json.loads((tests / "golden" / "data.json").read_text())["steps"]
    assert keras_steps(keras, name) == recorded[name]


@pytest.mark.parametrize("name", SCENARIOS)
def test_callbacks(name, tmp_path):
    theirs, ours = (json.dumps(play(module, name, tmp_path)) for module in (keras.callbacks, callbacks))
    assert theirs == ours
