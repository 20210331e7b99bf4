"""Generators, loaders and other iterables of batches, and the choice of the adapter."""

import warnings

import numpy as np
import pytest

from kerasish.data import (
    ArrayBatches,
    Epochs,
    PyDataset,
    PyDatasetBatches,
    StreamBatches,
    as_batches,
    pack_x_y_sample_weight,
    unpack_x_y_sample_weight,
)

X, Y, W = np.ones((4, 2)), np.arange(4), np.ones(4, "float16")


class Loader:
    """Stands for a sized loader that starts afresh at each iteration."""

    def __init__(self, *batches, **attributes):
        self._batches = batches
        self.__dict__.update(attributes)

    def __iter__(self):
        return iter(self._batches)

    def __len__(self):
        return len(self._batches)


class DataLoader(Loader):
    __module__ = "torch.utils.data.dataloader"


class TfDataset:
    """Stands for a tf.data data set: sized by `cardinality`, if at all."""

    __module__ = "tensorflow.python.data.ops.dataset_ops"

    def __init__(self, count):
        self._count = count

    def cardinality(self):
        return np.int64(self._count)

    def __iter__(self):
        return iter([(X, Y)] * 3)

    def __len__(self):
        raise TypeError("The dataset has unknown cardinality.")


def generator(*batches):
    yield from batches


class Data(PyDataset):
    num_batches = 2

    def __getitem__(self, index):
        return X, Y


# name: (x, type of the adapter, num_batches, batch_size, partial_batch_size, restartable)
CHOICES = {
    "array": (np.ones(40), ArrayBatches, 2, 32, 8, True),
    "numbers": ([1.0, 2.0], ArrayBatches, 1, 32, 2, True),
    "arrays": ([X, X], ArrayBatches, 1, 32, 4, True),
    "dict": ({"a": X}, ArrayBatches, 1, 32, 4, True),
    "generator": (generator((X, Y)), StreamBatches, None, None, None, False),
    "iterator": (iter([(X, Y)]), StreamBatches, None, None, None, False),
    "loader": (Loader((X, Y)), StreamBatches, 1, None, None, True),
    "torch loader": (DataLoader((X, Y), (X, Y), batch_size=4, dataset=range(6)), StreamBatches, 2, 4, 2, True),
    "torch loader that drops": (DataLoader((X, Y), batch_size=4, dataset=range(6), drop_last=True),
                                StreamBatches, 1, 4, None, True),
    "tf.data": (TfDataset(3), StreamBatches, 3, None, None, True),
    "tf.data, unknown size": (TfDataset(-2), StreamBatches, None, None, None, True),
    "PyDataset": (Data(), PyDatasetBatches, 2, None, None, True),
}


@pytest.mark.parametrize("name", CHOICES)
def test_choice(name):
    x, kind, *sizes = CHOICES[name]
    batches = as_batches(x)
    assert type(batches) is kind
    assert [batches.num_batches, batches.batch_size, batches.partial_batch_size, batches.restartable] == sizes
    assert as_batches(batches) is batches


# name: (raw batch, what train_step gets)
BATCHES = {
    "pair": ((X, Y), (X, Y)),
    "triple": ((X, Y, W), (X, Y, W)),
    "one": ((X,), (X,)),
    "list": ([X, Y], (X, Y)),
    "bare": (X, X),
    "dict": ({"a": X}, {"a": X}),
    "nested": (({"a": X}, [Y, Y]), ({"a": X}, [Y, Y])),
    "with None": ((X, None), (X, None)),
    "numbers": (([[1.0, 2.0]], [3]), (np.array([[1.0, 2.0]]), np.array([3]))),
}


@pytest.mark.parametrize("name", BATCHES)
def test_batches_of_a_loader(name):
    raw, expected = BATCHES[name]
    stream = as_batches(Loader(raw, raw))
    assert len(list(stream.epoch())) == len(list(stream.epoch())) == 2  # it can be read again
    np.testing.assert_equal(next(stream.epoch(packed=True)), expected)
    got = next(stream.epoch())
    np.testing.assert_equal(got, unpack_x_y_sample_weight(expected))
    x = got[0]["a"] if isinstance(got[0], dict) else got[0]
    assert x.dtype == "float32"


def test_float32_batches_are_not_copied():
    x = np.ones((4, 2), "float32")
    assert next(as_batches(Loader((x, Y))).epoch())[0] is x


def test_other_train_steps_may_take_other_batches():
    four = (X, X, X, X)
    stream = as_batches(Loader(four))
    assert len(next(stream.epoch(packed=True))) == 4
    with pytest.raises(ValueError, match="4 elements"):
        next(stream.epoch())


def test_a_generator_goes_on_from_fit_to_fit():
    source = generator(*((np.full(2, i), Y) for i in range(6)))
    firsts = [int(x[0]) for x, _, _ in Epochs(as_batches(source), steps_per_epoch=2).epoch()]
    rest = [int(x[0]) for x, _, _ in Epochs(as_batches(source)).epoch()]
    assert (firsts, rest) == ([0, 1], [2, 3, 4, 5])


def test_class_weights_in_streams():
    stream = as_batches(Loader((X, Y)), class_weight={2: 5.0})
    assert next(stream.epoch())[2].tolist() == [1.0, 1.0, 5.0, 1.0]
    with pytest.raises(ValueError, match="at the same time"):
        next(as_batches(Loader((X, Y, W)), class_weight={2: 5.0}).epoch())


def spent():
    yield from ()


ERRORS = {
    "string": (dict(x="abc"), "Unrecognized data type"),
    "set": (dict(x={1, 2}), "Unrecognized data type"),
    "number": (dict(x=object()), "Unrecognized data type"),
    "y with generator": (dict(x=generator((X,)), y=Y), "generator, `y` should not be passed"),
    "sample_weight with loader": (dict(x=DataLoader((X,)), sample_weight=W), "`sample_weight` should not be passed"),
    "y with PyDataset": (dict(x=Data(), y=Y), "PyDataset, `y` should not be passed"),
    "class_weight with generator": (dict(x=generator((X,)), class_weight={}), "class_weight"),
    "class_weight with torch": (dict(x=DataLoader((X,)), class_weight={}), "class_weight"),
    "empty generator": (dict(x=spent()), "at least one"),
    "generator of arrays": (dict(x=generator(X)), "must yield tuples"),
    "generator of lists": (dict(x=generator([X, Y])), "must yield tuples"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    arguments, message = ERRORS[name]
    with pytest.raises(ValueError, match=message):
        as_batches(**arguments)


def test_scalars_in_batches():
    with pytest.raises(ValueError, match="at least one axis"):
        next(as_batches(Loader((X, np.float32(1)))).epoch())


SHUFFLES = {
    "generator": (lambda: generator((X, Y)), True),
    "loader": (lambda: DataLoader((X, Y)), True),
    "tf.data": (lambda: TfDataset(3), True),
    "endless PyDataset": (lambda: type("Endless", (Data,), {"num_batches": None})(), True),
    "PyDataset": (Data, False),
    "array": (lambda: X, False),
}


@pytest.mark.parametrize("name", SHUFFLES)
def test_shuffle_where_it_cannot_be_done(name):
    make, warns = SHUFFLES[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        as_batches(make(), shuffle=True)
    assert [("will be ignored" in str(w.message)) for w in caught] == [True] * warns


@pytest.mark.parametrize("packed", [(1,), (1, 2), (1, 2, 3), ([1, 2],), ({"a": 1},)], ids=repr)
def test_pack_undoes_unpack(packed):
    assert pack_x_y_sample_weight(*unpack_x_y_sample_weight(packed)) in (packed, packed[0])


def test_unpack_refuses_more_than_three():
    with pytest.raises(ValueError, match="4 elements"):
        unpack_x_y_sample_weight((1, 2, 3, 4))
