"""ArrayBatches over every kind of array, by invariants."""

import tracemalloc

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasish.base import tree
from kerasish.data import ArrayBatches, as_batches
from kerasish.data.columns import SparseColumn, as_column
from kerasish.data.packing import train_validation_split


class Tensorish:
    """Stands for a tensor of any library."""

    def __init__(self, array):
        self._array = array

    def __array__(self, dtype=None, copy=None):
        return self._array


class Torchish(Tensorish):
    """A tensor that must be detached and fetched before it can be read."""

    def __init__(self, array, ready=False):
        super().__init__(array)
        self._ready = ready

    def detach(self):
        return Torchish(self._array)

    def cpu(self):
        return Torchish(self._array, ready=True)

    def __array__(self, dtype=None, copy=None):
        assert self._ready
        return self._array


class Frameish:
    """Stands for a pandas frame or series: NumPy only by `to_numpy`."""

    iloc = None

    def __init__(self, array):
        self._array = array
        self.ndim = array.ndim

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("frames are converted by to_numpy")

    def to_numpy(self):
        return self._array


class Csr:
    """Stands for a SciPy sparse matrix."""

    __module__ = "scipy.sparse"

    def __init__(self, array):
        self._array = array
        self.shape, self.dtype = array.shape, array.dtype

    def tocsr(self):
        return self

    def __getitem__(self, rows):
        return Csr(self._array[rows])

    def toarray(self):
        return self._array


def _hdf5(array):
    file = h5py.File("unused", "w", driver="core", backing_store=False)
    return file.create_dataset("data", data=array, chunks=(min(4, len(array)), *array.shape[1:]))


def _memmap(array, directory):
    mapped = np.memmap(directory / "map", array.dtype, "w+", shape=array.shape)
    mapped[:] = array
    return mapped


SOURCES = {
    "C order": lambda a, d: a,
    "Fortran order": lambda a, d: np.asfortranarray(a),
    "strided": lambda a, d: np.repeat(a, 2, axis=0)[::2],
    "big-endian": lambda a, d: a.astype(a.dtype.newbyteorder(">")),
    "list of lists": lambda a, d: a.tolist(),
    "list of tuples": lambda a, d: list(map(tuple, a.tolist())),
    "tensor": lambda a, d: Tensorish(a),
    "torch tensor": lambda a, d: Torchish(a),
    "frame": lambda a, d: Frameish(np.asfortranarray(a)),
    "memory map": _memmap,
    "HDF5": lambda a, d: _hdf5(a),
    "sparse": lambda a, d: Csr(a),
    "window": lambda a, d: as_column(np.concatenate([a, a])).window(0, len(a)),
    "HDF5 window": lambda a, d: as_column(_hdf5(np.concatenate([a[:3], a, a]))).window(3, 3 + len(a)),
}
ROWS = 11


@pytest.mark.parametrize("keep", [None, 1, 2])
@pytest.mark.parametrize("shuffle", [False, True, "batch"])
@pytest.mark.parametrize("dtype", ["float64", "int32"])
@pytest.mark.parametrize("kind", SOURCES)
def test_every_row_comes_once(kind, dtype, shuffle, keep, tmp_path):
    original = np.arange(ROWS * 3).reshape(ROWS, 3).astype(dtype)
    source = SOURCES[kind](original, tmp_path)
    batches = ArrayBatches(source, np.arange(ROWS), batch_size=4, shuffle=shuffle, seed=1)
    assert (batches.num_batches, batches.batch_size, batches.partial_batch_size) == (3, 4, 3)
    for _ in range(2):
        seen = []
        for number, (x, y, sample_weight) in enumerate(batches.epoch(keep=keep)):
            assert x.shape == ((4, 3) if number < 2 else (3, 3))
            assert x.dtype == ("float32" if dtype == "float64" else "int64" if "list" in kind else "int32")
            assert x.flags.c_contiguous and x.dtype.isnative and sample_weight is None
            np.testing.assert_array_equal(x, original[y])
            if shuffle == "batch":
                assert set(y.tolist()) == set(range(4 * number, min(4 * number + 4, ROWS)))
            seen += y.tolist()
        assert sorted(seen) == list(range(ROWS))
        assert (seen == sorted(seen)) == (not shuffle)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 50),
    batch_size=st.integers(1, 60),
    shuffle=st.sampled_from([False, True, "batch"]),
    keep=st.sampled_from([None, 1, 3]),
    start=st.integers(0, 60),
    packed=st.booleans(),
)
def test_sizes(rows, batch_size, shuffle, keep, start, packed):
    def ids(**options):
        found = ArrayBatches(np.arange(rows), np.arange(rows), batch_size=batch_size, shuffle=shuffle, seed=3)
        return [batch[1].tolist() for batch in found.epoch(keep=keep, packed=packed, **options)], found

    passes, batches = ids()
    assert sorted(sum(passes, [])) == list(range(rows))
    assert len(passes) == batches.num_batches
    assert [len(batch) for batch in passes[:-1]] == [batch_size] * (len(passes) - 1)
    assert len(passes[-1]) == (batches.partial_batch_size or batch_size)
    assert ids(start=start)[0] == passes[start:]


STRUCTURES = {
    "one array": lambda a: (a, None, None),
    "with targets": lambda a: (a, a + 100, None),
    "with weights": lambda a: (a, a + 100, a + 200),
    "list": lambda a: ([a, a + 1], a + 100, None),
    "tuple": lambda a: ((a, a + 1), a + 100, None),
    "dict": lambda a: ({"b": a, "a": a + 1}, {"y": a + 100}, {"y": a + 200}),
    "deep, with holes": lambda a: ({"b": [a, None], "a": (a + 1,)}, a + 100, None),
    "weights for all outputs": lambda a: (a, [a + 100, a + 101], a + 200),
    "weights without targets": lambda a: (a, None, a + 200),
}


@pytest.mark.parametrize("keep", [None, 2])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("name", STRUCTURES)
def test_structures(name, shuffle, keep):
    given_ = STRUCTURES[name](np.arange(6.0))
    expected = given_
    if name == "weights for all outputs":
        expected = (given_[0], given_[1], [given_[2], given_[2]])
    for batch in ArrayBatches(*given_, batch_size=4, shuffle=shuffle).epoch(keep=keep):
        tree.assert_same_structure(batch, expected)
        rows = (tree.flatten(batch[0])[0] - tree.flatten(expected[0])[0][0]).astype(int)
        for leaf, whole in zip(tree.flatten(batch), tree.flatten(expected), strict=True):
            if whole is None:
                assert leaf is None
            else:
                np.testing.assert_array_equal(leaf, whole[rows])


PACKED = {
    "bare": ((np.ones(3),), np.ndarray),
    "list": (([np.ones(3), np.ones(3)],), (list,)),
    "dict": (({"a": np.ones(3)},), dict),
    "with targets": ((np.ones(3), np.ones(3)), (np.ndarray, np.ndarray)),
    "all": ((np.ones(3), np.ones(3), np.ones(3)), (np.ndarray, np.ndarray, np.ndarray)),
}


@pytest.mark.parametrize("name", PACKED)
def test_packed_batches_are_what_train_step_gets(name):
    arguments, expected = PACKED[name]
    data = next(ArrayBatches(*arguments).epoch(packed=True))
    if isinstance(expected, tuple):
        assert isinstance(data, tuple) and tuple(map(type, data)) == expected
    else:
        assert isinstance(data, expected)


def test_memory_is_reused_only_on_request():
    def addresses(keep):
        batches = ArrayBatches(np.arange(40), batch_size=4, shuffle=True)
        return [x.__array_interface__["data"][0] for x, _, _ in list(batches.epoch(keep=keep))]

    assert len(set(addresses(None))) == 10
    assert len(set(addresses(3))) == 3


def test_contiguous_batches_are_views_that_cannot_be_written():
    source = np.zeros((8, 2), "float32")
    for x, _, _ in ArrayBatches(source, batch_size=4).epoch():
        assert np.shares_memory(x, source)
        with pytest.raises(ValueError, match="read-only"):
            x[0] = 1
    source[0] = 1  # the caller's array stays writeable


def test_a_series_becomes_a_column():
    (x, _, _), = ArrayBatches(Frameish(np.arange(3))).epoch()
    assert x.shape == (3, 1)


def test_mixed_frames_become_floats():
    class Mixed(Frameish):
        dtypes = [np.dtype(bool), np.dtype("int64")]

        def to_numpy(self, dtype=object, na_value=None):
            return self._array.astype(dtype)

    (x, _, _), = ArrayBatches(Mixed(np.array([[True, 2]]))).epoch()
    assert x.dtype == "float32" and x.tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize("strings", [["a", "bc"], np.array(["a", "bc"]), np.array(["a", "bc"], object)], ids=repr)
@pytest.mark.parametrize("keep", [None, 1])
@pytest.mark.parametrize("shuffle", [False, True])
def test_strings_pass_through(strings, keep, shuffle):
    (x, _, _), = ArrayBatches(strings, shuffle=shuffle).epoch(keep=keep)
    assert sorted(x.tolist()) == ["a", "bc"]


def test_passes_differ_and_can_be_had_again():
    def order(batches, **options):
        return [int(i) for x, _, _ in batches.epoch(**options) for i in x]

    batches = ArrayBatches(np.arange(50), shuffle=True, seed=5)
    first, state, second = order(batches), batches.get_state(), order(batches)
    assert first != second == order(batches, again=True)
    resumed = ArrayBatches(np.arange(50), shuffle=True, seed=99)
    resumed.set_state(state)
    assert order(resumed, again=True) == first
    assert order(resumed) == second
    assert order(ArrayBatches(np.arange(50), shuffle=True, seed=5)) == first


def test_numpys_global_seed_determines_the_order():
    def order():
        np.random.seed(7)
        return [x.tolist() for x, _, _ in ArrayBatches(np.arange(50), shuffle=True).epoch()]

    assert order() == order()


MEGABYTE = 2**20


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
def test_hdf5_is_streamed(shuffle, tmp_path):
    with h5py.File(tmp_path / "big.h5", "w") as file:
        data = file.create_dataset("x", (4096, 512), "float64", chunks=(16, 512))  # 16 MB
        for start in range(0, 4096, 512):
            data[start : start + 512] = np.arange(start, start + 512)[:, None]
    with h5py.File(tmp_path / "big.h5", "r") as file:
        train, validation = train_validation_split((file["x"], np.arange(4096)), 0.25)
        tracemalloc.start()
        try:
            for part in (train, validation):
                for x, y, _ in as_batches(*part, batch_size=64, shuffle=shuffle).epoch(keep=2):
                    assert (x == y[:, None]).all() and x.dtype == "float32"
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 3 * MEGABYTE  # a batch is 0.25 MB as it is stored


def test_in_memory_arrays_are_not_copied_as_a_whole():
    x = np.zeros((4096, 512))  # 16 MB of float64, to be float32
    tracemalloc.start()
    try:
        for shuffle in (False, True):
            for _ in ArrayBatches(x, batch_size=64, shuffle=shuffle).epoch(keep=2):
                pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * MEGABYTE


def test_sparse_sources_are_recognised():
    assert isinstance(as_column(Csr(np.eye(3))), SparseColumn)


ERRORS = {
    "cardinality": (dict(x=np.ones((20, 2)), y=np.ones((5, 1))), "Data cardinality is ambiguous"),
    "cardinality of weights": (dict(x=[1, 2], y=[1, 2], sample_weight=[1]), "'sample_weight' sizes: 1"),
    "no rows": (dict(x=np.ones((0, 2))), "empty"),
    "no arrays": (dict(x=[]), "empty"),
    "nothing": (dict(x=None), "empty"),
    "scalar": (dict(x=np.float32(3)), "at least one axis"),
    "ragged list": (dict(x=[[1, 2], [3]]), "rectangular"),
    "not an array": (dict(x=object()), "Expected an array"),
    "batch_size": (dict(x=[1, 2], batch_size=-1), "batch_size"),
    "batch_size not whole": (dict(x=[1, 2], batch_size=1.5), "batch_size"),
    "both weights": (dict(x=[1], y=[1], sample_weight=[1], class_weight={0: 1}), "at the same time"),
    "class weights, two outputs": (dict(x=[1], y={"a": [1], "b": [1]}, class_weight={0: 1}), "single output"),
    "class weights, no targets": (dict(x=[1], class_weight={0: 1}), "needs targets"),
    "class weights, images": (dict(x=[1], y=np.ones((1, 2, 2)), class_weight={0: 1}), "one class per sample"),
    "weights, two outputs": (
        dict(x=[1], y={"a": [1], "b": [1]}, sample_weight=np.ones((1, 3))),
        "one number per sample",
    ),
    "weights, other structure": (
        dict(x=[1], y={"a": [1], "b": [1]}, sample_weight={"a": np.ones(1)}),
        "structures differ",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    arguments, message = ERRORS[name]
    with pytest.raises(ValueError, match=message):
        ArrayBatches(**arguments)


def test_split_errors():
    with pytest.raises(ValueError, match="only supported for arrays"):
        train_validation_split(iter([1]), 0.5)
    assert train_validation_split((None, None), 0.5) == ((None, None), (None, None))
