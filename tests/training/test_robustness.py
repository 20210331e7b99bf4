"""What users complained of in training loops: memory that grows, fits that hang, models broken by Ctrl-C."""

import gc
import os
import signal
import threading
import tracemalloc

import h5py
import numpy as np
import pytest
from fit_cases import X, Y, one

import kerasish as keras

MEGABYTE = 2**20


def growth(run, times, warm_up):
    """The bytes by which the memory in use grows over so many runs, the less of two times as many.

    A few bytes a run are Python's: its cache of attributes holds up to 4096 names, and is not full at the start. And now and
    then a table of the process, for instance that of all names in use, doubles: not twice in a row.
    """
    for _ in range(warm_up):
        run()
    tracemalloc.start()
    try:
        run()
        grown = []
        for _ in range(2):
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(times):
                run()
            gc.collect()
            grown.append(tracemalloc.get_traced_memory()[0] - before)
        return min(grown)
    finally:
        tracemalloc.stop()


def network(eager=False):
    layers = keras.layers
    model = keras.Sequential([keras.Input((16,)), layers.Dense(32, activation="relu"), layers.Dropout(0.5), layers.Dense(4)])
    model.compile("adam", "mse", metrics=["mae"], run_eagerly=eager)
    return model


ROWS = np.random.RandomState(0).normal(size=(64, 16)).astype("float32")
TARGETS = ROWS[:, :4].copy()

# name: (what is run, how often, in eager mode)
RUNS = {
    "predict of one batch": (lambda m: m.predict(ROWS[:8], verbose=0), 1000, False),
    "predict of several batches": (lambda m: m.predict(ROWS, batch_size=20, verbose=0), 1000, False),
    "predict, eagerly": (lambda m: m.predict(ROWS[:8], verbose=0), 1000, True),
    "predict_on_batch": (lambda m: m.predict_on_batch(ROWS[:8]), 1000, False),
    "call": (lambda m: m(ROWS[:8]), 1000, False),
    "fit": (lambda m: m.fit(ROWS, TARGETS, batch_size=20, verbose=0, validation_split=0.25), 50, False),
    "fit, eagerly": (lambda m: m.fit(ROWS, TARGETS, verbose=0), 50, True),
    "train_on_batch": (lambda m: m.train_on_batch(ROWS, TARGETS), 200, False),
    "fit after compile": (lambda m: (m.compile("adam", "mse"), m.fit(ROWS, TARGETS, verbose=0)), 50, False),
}


SLOW = ("fit after compile", "predict of several batches", "predict, eagerly")


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in RUNS])
def test_memory_stays_flat(name):
    run, times, eager = RUNS[name]
    model = network(eager)
    grown = growth(lambda: run(model), times, warm_up=3)
    assert grown < 96 * 1024, f"{grown} bytes over {times} runs"


@pytest.mark.slow
def test_memory_of_models_that_are_gone():
    """A model takes its programs, workspaces and variables with it."""

    def run():
        keras.utils.clear_session()
        model = network()
        model.fit(ROWS, TARGETS, verbose=0)
        model.predict(ROWS[:8], verbose=0)
        del model
        gc.collect()

    grown = growth(run, 30, warm_up=5)
    assert grown < 200 * 1024, f"{grown} bytes over 30 models"


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
def test_hdf5_larger_than_the_memory_of_a_fit(shuffle, tmp_path):
    rows, width = 8192, 512  # 32 MB as they are stored
    with h5py.File(tmp_path / "big.h5", "w") as f:
        x = f.create_dataset("x", (rows, width), "float64", chunks=(16, width))
        y = f.create_dataset("y", (rows, 1), "float32")
        for at in range(0, rows, 512):
            x[at : at + 512] = np.random.RandomState(at).normal(size=(512, width))
            y[at : at + 512] = x[at : at + 512, :1]
    model = keras.Sequential([keras.Input((width,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    with h5py.File(tmp_path / "big.h5", "r") as f:
        model.fit(ROWS[:, :1].repeat(width, 1), TARGETS[:, :1], verbose=0)
        tracemalloc.start()
        try:
            history = model.fit(f["x"], f["y"], batch_size=64, shuffle=shuffle, epochs=2, verbose=0, validation_split=0.25).history
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 4 * MEGABYTE
    assert history["val_loss"][-1] < history["loss"][0]


# -- workers that fail ------------------------------------------------------------------------------------------------


def within(seconds, function):
    """What a function returns or raises; fails if it takes longer."""
    outcome = {}

    def run():
        try:
            outcome["value"] = function()
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), f"still running after {seconds} seconds"
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


class Failing(keras.utils.PyDataset):
    def __init__(self, fail, **kwargs):
        super().__init__(**kwargs)
        self.fail = fail

    def __len__(self):
        return 20

    def __getitem__(self, index):
        if index == 7:
            self.fail()
        return X[:4], Y[:4]


def bad_row():
    raise ValueError("row 7 is bad")


WAYS = {
    "in the loop": {},
    "threads": {"workers": 3},
    "a process": {"workers": 1, "use_multiprocessing": True},
    "processes": {"workers": 2, "use_multiprocessing": True},
}
FAILURES = {
    "raises": (bad_row, ValueError, "row 7 is bad", WAYS),
    "exits": (lambda: os._exit(3), RuntimeError, "died.*Failing.*status 3", ("a process", "processes")),
    "is killed": (lambda: os.kill(os.getpid(), signal.SIGKILL), RuntimeError, "SIGKILL", ("a process", "processes")),
}


@pytest.mark.parametrize("failure, way", [(f, w) for f, row in FAILURES.items() for w in row[3]])
@pytest.mark.parametrize("verb", ["fit", "evaluate", "predict", "validation"])
def test_a_worker_that_fails_ends_it_and_is_named(verb, failure, way):
    fail, kind, message, _ = FAILURES[failure]
    model, data = one(keras), Failing(fail, **WAYS[way])
    verbs = {
        "fit": lambda: model.fit(data, verbose=0, epochs=2),
        "evaluate": lambda: model.evaluate(data, verbose=0),
        "predict": lambda: model.predict(data, verbose=0),
        "validation": lambda: model.fit(X, Y, validation_data=data, verbose=0),
    }
    with pytest.raises(kind, match=message):
        within(60, verbs[verb])
    assert np.isfinite(model.fit(X, Y, verbose=0).history["loss"]).all()
    for thread in threading.enumerate():  # after an error nobody waited for those that were still computing
        if thread.name.startswith("kerasish_data"):
            thread.join(10)
            assert not thread.is_alive()


# -- interrupted training ---------------------------------------------------------------------------------------------


def interrupt(*_):
    raise KeyboardInterrupt


def interrupted_batches():
    yield X[:8], Y[:8]
    yield X[8:16], Y[8:16]
    interrupt()


class Interrupting(keras.utils.PyDataset):
    def __len__(self):
        return 9

    def __getitem__(self, index):
        return (X[:8], Y[:8]) if index < 2 else interrupt()


def callback(**hooks):
    return {"callbacks": [keras.callbacks.LambdaCallback(**hooks)]}


INTERRUPTIONS = {
    "callback, after a batch": ((X, Y), lambda: callback(on_train_batch_end=interrupt)),
    "callback, before a batch": ((X, Y), lambda: callback(on_train_batch_begin=interrupt)),
    "callback, at an epoch's end": ((X, Y), lambda: callback(on_epoch_end=interrupt)),
    "generator": (None, dict),
    "data set": ((Interrupting(),), dict),
    "data set of threads": ((Interrupting(workers=2),), dict),
    "validation": ((X, Y), lambda: {"validation_data": Interrupting()}),
    "signal": ((X, Y), lambda: callback(on_train_batch_end=lambda *_: os.kill(os.getpid(), signal.SIGINT))),
}


@pytest.fixture
def ctrl_c():
    """SIGINT raises KeyboardInterrupt, even where the shell started the tests in the background and had it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("name", INTERRUPTIONS)
def test_the_model_is_usable_after_an_interruption(name, eager, tmp_path, ctrl_c):
    data, options = INTERRUPTIONS[name]
    model = one(keras, optimizer="adam", metrics=["mae"], run_eagerly=eager)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*(data or (interrupted_batches(),)), epochs=3, verbose=0, **({"batch_size": 4} if data and len(data) > 1 else {}), **options())
    steps = int(model.optimizer.iterations)
    weights = model.get_weights()
    assert all(np.isfinite(w).all() for w in weights)
    # it predicts, evaluates, is saved and trains on, to the numbers of the model that was saved
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert int(loaded.optimizer.iterations) == steps
    np.testing.assert_allclose(model.predict(X, verbose=0), loaded.predict(X, verbose=0), rtol=1e-6)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(loaded.evaluate(X, Y, verbose=0), rel=1e-6)
    found, want = (m.fit(X, Y, epochs=3, shuffle=False, verbose=0).history for m in (model, loaded))
    assert int(model.optimizer.iterations) == steps + 3
    for key in want:
        np.testing.assert_allclose(found[key], want[key], rtol=1e-5)
