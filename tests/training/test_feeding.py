"""Whatever fit is fed from, the same rows give the same training; sizes that do not fit are dealt with as in Keras."""

import h5py
import numpy as np
import pytest
from fit_cases import WEIGHTS, X, Y, one

import kerasish as keras

SIZE = 8


class Frame:
    """What is used of a pandas frame or series: positions and a conversion; lists would be structure."""

    def __init__(self, array, names=None):
        self.array, self.columns = np.asarray(array), names

    @property
    def iloc(self):
        return self

    @property
    def shape(self):
        return self.array.shape

    def __len__(self):
        return len(self.array)

    def __getitem__(self, rows):
        return Frame(self.array[rows], self.columns)

    def to_numpy(self):
        return self.array

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.array, dtype)


class TorchTensor:
    """What is used of a torch tensor."""

    def __init__(self, array):
        self.array, self.shape = array, array.shape

    def detach(self):
        return self

    cpu = detach

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.array, dtype)

    def __len__(self):
        return len(self.array)


def batches(weights=False, tensor=lambda a: a):
    parts = (X, Y, WEIGHTS) if weights else (X, Y)
    for at in range(0, len(X), SIZE):
        yield tuple(tensor(p[at : at + SIZE]) for p in parts)


def for_ever():
    while True:
        yield from batches()


class Unsized:
    def __iter__(self):
        return batches()


class Sized(Unsized):
    def __len__(self):
        return 3


class DataLoader:
    """A torch DataLoader, as far as it is recognised: by module and name."""

    __module__ = "torch.utils.data.dataloader"
    batch_size, drop_last, dataset = SIZE, False, range(len(X))

    def __iter__(self):
        return ([x, y] for x, y in batches(tensor=TorchTensor))

    def __len__(self):
        return 3


class Indexed(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(index * SIZE, (index + 1) * SIZE)
        return X[rows], Y[rows]


@pytest.fixture
def file(tmp_path):
    with h5py.File(tmp_path / "rows.h5", "w") as f:
        f["x"], f["y"] = X, Y
        yield f


# name: the arguments of fit, made from an open file
FEEDS = {
    "arrays": lambda f: (X, Y),
    "tensors": lambda f: (keras.ops.convert_to_tensor(X), keras.ops.convert_to_tensor(Y)),
    "torch tensors": lambda f: (TorchTensor(X), TorchTensor(Y)),
    "float64": lambda f: (X.astype("float64"), Y.astype("int64")),
    "not contiguous": lambda f: (np.asfortranarray(X), np.repeat(Y, 2, 0)[::2]),
    "lists of numbers": lambda f: (X.tolist(), Y.tolist()),
    "frame and series": lambda f: (Frame(X, ["a", "b", "c"]), Frame(Y[:, 0])),
    "hdf5": lambda f: (f["x"], f["y"]),
    "generator": lambda f: (for_ever(),),
    "iterable without size": lambda f: (Unsized(),),
    "iterable with size": lambda f: (Sized(),),
    "list of batches": lambda f: (iter(list(batches()) * 9),),
    "torch loader": lambda f: (DataLoader(),),
    "py dataset": lambda f: (Indexed(),),
    "py dataset, threads": lambda f: (Indexed(workers=3),),
    "py dataset, processes": lambda f: (Indexed(workers=2, use_multiprocessing=True, max_queue_size=2),),
}


def history(data, epochs=2, **options):
    model = one(keras, metrics=["mae"])
    endless = hasattr(data[0], "__next__")
    steps = {"steps_per_epoch": 3} if endless else {}
    return model.fit(*data, batch_size=SIZE, epochs=epochs, shuffle=False, verbose=0, **steps, **options).history


@pytest.fixture(scope="module")
def wanted():
    return history((X, Y), validation_data=(X, Y), validation_batch_size=SIZE)


@pytest.mark.parametrize("name", FEEDS)
def test_fit_and_validation(name, wanted, file):
    data, validation = FEEDS[name](file), FEEDS[name](file)
    endless = hasattr(validation[0], "__next__")
    found = history(
        data, validation_data=validation if len(validation) > 1 else validation[0], validation_batch_size=SIZE,
        **({"validation_steps": 3} if endless else {}),
    )  # fmt: skip
    assert set(found) == set(wanted)
    for key in wanted:
        np.testing.assert_allclose(found[key], wanted[key], rtol=1e-5, err_msg=key)


@pytest.mark.parametrize("name", FEEDS)
def test_evaluate_and_predict(name, file):
    model = one(keras, metrics=["mae"])
    data = FEEDS[name](file)
    steps = {"steps": 3} if hasattr(data[0], "__next__") else {}
    want = model.evaluate(X, Y, verbose=0)
    assert model.evaluate(*data, batch_size=SIZE, verbose=0, **steps) == pytest.approx(want, rel=1e-5)
    out = model.predict(FEEDS[name](file)[0], batch_size=SIZE, verbose=0, **steps)
    np.testing.assert_allclose(out, model.predict(X, verbose=0), rtol=1e-5)


def steps_of(epochs=2, **options):
    """The number of steps in each epoch of a fit."""
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(0), on_train_batch_end=lambda batch, logs: seen.append(seen.pop() + 1)
    )
    one(keras).fit(epochs=epochs, verbose=0, callbacks=[watch], shuffle=False, **options)
    return seen


# name: (options of fit, steps of each epoch, what the warning says)
STEPS = {
    "all": ({"x": X, "y": Y, "batch_size": 8}, [3, 3], None),
    # as in Keras, the next epoch goes on where the last one stopped, and ends with the data
    "short of the data": ({"x": X, "y": Y, "batch_size": 8, "steps_per_epoch": 2, "epochs": 4}, [2, 1, 2, 1], "ran out of data"),
    "beyond the data": ({"x": X, "y": Y, "batch_size": 8, "steps_per_epoch": 5}, [3, 3], "ran out of data"),
    "a divisor of the data": ({"x": X, "y": Y, "batch_size": 5, "steps_per_epoch": 2}, [2, 2], None),
    "generator": ({"x": for_ever(), "steps_per_epoch": 4}, [4, 4], None),
    "generator that ends with an epoch": ({"x": batches(), "epochs": 1}, [3], None),
    "generator that ends too soon": ({"x": batches(), "steps_per_epoch": 2, "epochs": 3}, [2, 1], "ran out of data"),
    "iterable, unsized": ({"x": Unsized()}, [3, 3], None),
    "iterable, short of the data": ({"x": Unsized(), "steps_per_epoch": 2, "epochs": 4}, [2, 1, 2, 1], "ran out of data"),
    "iterable, beyond the data": ({"x": Sized(), "steps_per_epoch": 5}, [3, 3], "ran out of data"),
    "py dataset, short of the data": ({"x": Indexed(), "steps_per_epoch": 1, "epochs": 4}, [1, 1, 1, 1], None),
}


@pytest.mark.parametrize("name", STEPS)
def test_steps(name):
    options, wanted, warning = STEPS[name]
    if warning is None:
        assert steps_of(**options) == wanted
    else:
        with pytest.warns(UserWarning, match=warning):
            assert steps_of(**options) == wanted


VALIDATION = {
    "every epoch": ({}, [1, 2, 3, 4]),
    "every second": ({"validation_freq": 2}, [2, 4]),
    "at some": ({"validation_freq": [1, 3]}, [1, 3]),
    "from a later epoch": ({"validation_freq": 2, "initial_epoch": 2}, [4]),
}


@pytest.mark.parametrize("name", VALIDATION)
def test_validation_freq(name):
    options, wanted = VALIDATION[name]
    seen = []
    watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch + 1) if "val_loss" in logs else None)
    fitted = one(keras).fit(X, Y, epochs=4, verbose=0, validation_data=(X, Y), callbacks=[watch], **options)
    assert seen == wanted and len(fitted.history["val_loss"]) == len(wanted)
    assert fitted.epoch == list(range(options.get("initial_epoch", 0), 4))


def test_weights_of_validation_and_its_batch_size():
    sizes = []

    class Watching(keras.layers.Layer):
        def call(self, x, training=False):
            if not training:
                sizes.append(x.shape[0])
            return x

    model = keras.Sequential([keras.Input((3,)), Watching(), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    sizes.clear()
    fitted = model.fit(X, Y, verbose=0, validation_data=(X, Y, WEIGHTS), validation_batch_size=7).history
    assert [s for s in sizes if isinstance(s, int)] == [7, 7, 6]
    want = model.evaluate(X, Y, sample_weight=WEIGHTS, verbose=0)
    assert fitted["val_loss"][0] == pytest.approx(want, rel=1e-5) != fitted["loss"][0]


def test_validation_split_takes_the_last_rows():
    model = one(keras, optimizer=keras.optimizers.SGD(0.0))
    found = model.fit(X, Y, validation_split=0.25, verbose=0).history
    assert found["loss"][0] == pytest.approx(model.evaluate(X[:15], Y[:15], verbose=0), rel=1e-5)
    assert found["val_loss"][0] == pytest.approx(model.evaluate(X[15:], Y[15:], verbose=0), rel=1e-5)
