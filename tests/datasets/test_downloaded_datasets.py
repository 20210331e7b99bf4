"""Keras's data sets, from small files in the same forms instead of the network."""

import importlib
import os
import pickle

import numpy as np
import pytest
from downloaded_cases import BAD, LOADS, make_files, serve

import kerasish as keras
from kerasish.datasets import DOWNLOADED, downloaded, pickles


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    make_files(folder, rows=2)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def served(files, cache, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(cache))
    monkeypatch.setattr(downloaded, "SOURCES", serve(files, downloaded.SOURCES))


def load(name, **options):
    return getattr(keras.datasets, name).load_data(**options)


SHAPES = {
    "mnist": [("uint8", (6, 28, 28)), ("uint8", (6,)), ("uint8", (4, 28, 28)), ("uint8", (4,))],
    "fashion_mnist": [("uint8", (5, 28, 28)), ("uint8", (5,)), ("uint8", (3, 28, 28)), ("uint8", (3,))],
    "cifar10": [("uint8", (10, 32, 32, 3)), ("uint8", (10, 1)), ("uint8", (2, 32, 32, 3)), ("uint8", (2, 1))],
    "cifar100": [("uint8", (7, 32, 32, 3)), ("int64", (7, 1)), ("uint8", (5, 32, 32, 3)), ("int64", (5, 1))],
    "boston": [("float64", (16, 13)), ("float64", (16,)), ("float64", (4, 13)), ("float64", (4,))],
    "california, small": [("float32", (300, 8)), ("float32", (300,)), ("float32", (300, 8)), ("float32", (300,))],
    "imdb": [("object", (12,)), ("int64", (12,)), ("object", (9,)), ("int64", (9,))],
    "reuters": [("object", (12,)), ("int64", (12,)), ("object", (3,)), ("int64", (3,))],
}


@pytest.mark.parametrize("case", SHAPES)
def test_what_is_loaded(case):
    name, options = LOADS[case]
    (x_train, y_train), (x_test, y_test) = load(name, **options)
    assert [(str(a.dtype), a.shape) for a in (x_train, y_train, x_test, y_test)] == SHAPES[case]


@pytest.mark.parametrize("case", LOADS)
def test_it_is_fetched_once_and_always_the_same(case, monkeypatch, capsys):
    name, options = LOADS[case]
    first = load(name, **options)
    capsys.readouterr()
    second = load(name, **options)
    assert "Downloading" not in capsys.readouterr().out
    for a, b in zip(sum(first, ()), sum(second, ())):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(case):
    name, options = BAD[case]
    with pytest.raises(ValueError, match=r"test_split|version|label_mode|Increase maxlen"):
        load(name, **options)


def test_the_texts(files):
    (x_train, y_train), _ = load("imdb", start_char=None, index_from=0, oov_char=None, num_words=1000)
    with np.load(files / "imdb.npz", allow_pickle=True) as stored:
        order = np.arange(12)
        np.random.RandomState(113).shuffle(order)
        assert [list(text) for text in x_train] == [list(stored["x_train"][i]) for i in order]
        assert y_train.tolist() == stored["y_train"][order].tolist()
    (marked, _), _ = load("imdb", num_words=1000)
    assert list(marked[0]) == [1, *(word + 3 for word in x_train[0])]
    (known, _), _ = load("imdb", num_words=10, skip_top=4)
    assert {word for text in known for word in text} == {2, 4, 5, 6, 7, 8, 9}
    (short, _), _ = load("imdb", maxlen=6)
    assert [len(text) for text in short] == [len(text) for text in marked if len(text) < 6]


def test_channels_first():
    (last, _), _ = load("cifar100")
    keras.config.set_image_data_format("channels_first")
    try:
        (first, _), _ = load("cifar100")
    finally:
        keras.config.set_image_data_format("channels_last")
    assert np.array_equal(first.transpose(0, 2, 3, 1), last)


def test_word_indices_and_labels():
    assert keras.datasets.imdb.get_word_index() == keras.datasets.reuters.get_word_index() == {"the": 1, "café": 2}
    labels = keras.datasets.reuters.get_label_names()
    assert (len(labels), labels[0], labels[-1]) == (46, "cocoa", "lead")


def test_another_name(cache):
    load("mnist", path="digits.npz")
    assert os.path.isfile(cache / "datasets" / "digits.npz")


def test_another_file_is_refused(files, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setitem(downloaded.SOURCES, "mnist.npz", (downloaded.SOURCES["mnist.npz"][0], "0" * 64))
    with pytest.raises(ValueError, match="hash does not match"):
        load("mnist")


def test_every_source_is_https():
    assert all(origin.startswith("https://") for origin, _ in importlib.reload(downloaded).SOURCES.values())
    assert len(downloaded.SOURCES) == 13 and sum(h is None for _, h in downloaded.SOURCES.values()) == 4


@pytest.mark.parametrize("name", DOWNLOADED)
def test_names(name):
    assert name in dir(keras.datasets)
    assert getattr(keras.datasets, name).__name__ == f"kerasish.datasets.{name}"


def test_unknown_sets():
    with pytest.raises(AttributeError, match="has no attribute 'emnist'"):
        keras.datasets.emnist  # noqa: B018


# -- pickles ----------------------------------------------------------------------------------------------------------


class Harm:
    def __reduce__(self):
        return os.mkdir, ("harm",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_of_every_protocol(protocol, tmp_path):
    value = {b"data": np.arange(6, dtype="uint8").reshape(2, 3), b"labels": [1, 2], b"number": np.float32(2)}
    (tmp_path / "file").write_bytes(pickle.dumps(value, protocol=protocol))
    loaded = pickles.load_pickle(tmp_path / "file")
    assert np.array_equal(loaded[b"data"], value[b"data"]) and loaded[b"labels"] == [1, 2] and loaded[b"number"] == 2


def test_pickles_cannot_run_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_bytes(pickle.dumps({b"data": Harm()}))
    with pytest.raises(ValueError, match=r"asks for (posix|nt)\.mkdir"):
        pickles.load_pickle("file")
    array = np.empty(1, dtype=object)
    array[0] = Harm()
    np.savez("file.npz", x=array)
    with pytest.raises(ValueError, match=r"asks for (posix|nt)\.mkdir"):
        pickles.load_arrays("file.npz")
    assert not os.path.exists("harm")
