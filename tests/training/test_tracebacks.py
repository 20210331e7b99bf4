"""Tracebacks end in the user's code; ours is hidden unless it is asked for."""

import pathlib
import subprocess
import sys
import traceback

import numpy as np
import pytest

import kerasish as keras

OURS = (str(pathlib.Path(keras.__file__).parent), "<kerasish")
X = np.ones((4, 3), "float32")


class Broken(keras.layers.Layer):
    def call(self, x):
        raise KeyError("mine")


class BrokenStep(keras.Model):
    def call(self, x):
        return x

    def train_step(self, data):
        return {"loss": 1 / 0}


class BrokenData(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        raise OSError("disk")


def fit(model, *data):
    model.compile("sgd", "mse")
    model.fit(*data, verbose=0)


def broken_loss(y, p):
    raise LookupError("loss")


def compiled(**options):
    model = keras.Sequential([keras.layers.Dense(3)])
    model.compile("sgd", **options)
    return model


def broken_callback(epoch, logs):
    raise OSError("callback")


# name: (what the user runs, the error, the user's innermost function in the traceback)
CASES = {
    "layer": (lambda: Broken()(X), KeyError, "call"),
    "layer in fit": (lambda: fit(keras.Sequential([Broken()]), X, X), KeyError, "call"),
    "layer in a graph": (lambda: Broken()(keras.Input((3,))), KeyError, "call"),
    "step": (lambda: fit(BrokenStep(), X, X), ZeroDivisionError, "train_step"),
    "data": (lambda: fit(keras.Sequential([keras.layers.Dense(1)]), BrokenData()), OSError, "__getitem__"),
    "data of threads": (lambda: fit(keras.Sequential([keras.layers.Dense(1)]), BrokenData(workers=2)), OSError, "__getitem__"),
    "loss": (lambda: compiled(loss=broken_loss).fit(X, X, verbose=0), LookupError, "broken_loss"),
    "callback": (lambda: compiled(loss="mse").fit(X, X, verbose=0, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=broken_callback)]),
                 OSError, "broken_callback"),
    "input": (lambda: keras.layers.Dense(3)("x"), ValueError, "<lambda>"),
    "constructor": (lambda: keras.layers.Dense(-1), ValueError, "<lambda>"),
    "op": (lambda: keras.ops.matmul(X, X), ValueError, "<lambda>"),
    "rows": (lambda: fit(keras.Sequential([keras.layers.Dense(3)]), X, X[:2]), ValueError, "fit"),
    "evaluate": (lambda: compiled(loss="mse").evaluate(X, X[:2], verbose=0), ValueError, "<lambda>"),
    "compile": (lambda: compiled(loss="nope"), ValueError, "compiled"),
}  # fmt: skip


def frames(case):
    run, kind, _ = CASES[case]
    with pytest.raises(kind) as caught:
        run()
    return traceback.extract_tb(caught.value.__traceback__)


@pytest.mark.parametrize("case", CASES)
def test_only_the_user_is_left(case):
    keras.config.enable_traceback_filtering()
    try:
        found = frames(case)
    finally:
        keras.config.disable_traceback_filtering()
    assert not [f for f in found if f.filename.startswith(OURS)]
    assert [f.name for f in found if f.filename == __file__][-1] == CASES[case][2]


@pytest.mark.parametrize("case", CASES)
def test_everything_on_demand(case):
    assert [f for f in frames(case) if f.filename.startswith(OURS)]


def test_filtering_is_the_default():
    script = "import kerasish; print(kerasish.config.is_traceback_filtering_enabled())"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "True\n"


def test_causes_are_filtered_too():
    class Chained(keras.layers.Layer):
        def call(self, x):
            try:
                return keras.ops.matmul(x, x)
            except ValueError as e:
                raise RuntimeError("shapes") from e

    keras.config.enable_traceback_filtering()
    try:
        assert keras.config.is_traceback_filtering_enabled()
        with pytest.raises(RuntimeError) as caught:
            Chained()(X)
    finally:
        keras.config.disable_traceback_filtering()
    cause = traceback.extract_tb(caught.value.__cause__.__traceback__)
    assert [f.name for f in cause] == ["call"]
