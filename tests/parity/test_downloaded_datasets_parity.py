"""Keras's loaders and ours, on the same files."""

import importlib
import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

from downloaded_cases import BAD, LOADS, make_files, serve

import kerasish
from kerasish.datasets import downloaded

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    make_files(folder)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def served(files, cache, monkeypatch):
    """Both load what is served here; of Keras's loaders, only the function that fetches is replaced."""
    monkeypatch.setenv("KERAS_HOME", str(cache))
    sources = serve(files, downloaded.SOURCES)
    monkeypatch.setattr(downloaded, "SOURCES", sources)

    def get_file(fname, origin, file_hash=None, **options):
        assert file_hash == hashes[fname]
        return downloaded.fetch(fname, **options)

    hashes = {name: file_hash for name, (_, file_hash) in published.items()}
    for name in {name for name, _ in LOADS.values()}:
        monkeypatch.setattr(importlib.import_module(f"keras.src.datasets.{name}"), "get_file", get_file)


published = dict(downloaded.SOURCES)


@pytest.mark.parametrize("case", LOADS)
def test_the_same_arrays(case):
    name, options = LOADS[case]
    theirs, ours = (sum(getattr(k.datasets, name).load_data(**options), ()) for k in (keras, kerasish))
    for a, b in zip(ours, theirs, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert all(list(p) == list(q) for p, q in zip(a, b)) if a.dtype == object else np.array_equal(a, b)


@pytest.mark.parametrize("case", BAD)
def test_the_same_errors(case):
    name, options = BAD[case]
    for k in (keras, kerasish):
        with pytest.raises(ValueError):
            getattr(k.datasets, name).load_data(**options)


def test_the_same_words_and_labels():
    assert kerasish.datasets.reuters.get_label_names() == keras.datasets.reuters.get_label_names()
    for name in ("imdb", "reuters"):
        assert getattr(kerasish.datasets, name).get_word_index() == getattr(keras.datasets, name).get_word_index()
