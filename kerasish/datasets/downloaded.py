"""Data sets that are fetched once, checked by their hashes, and kept in ~/.keras/datasets, as Keras keeps them."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from kerasish.datasets.pickles import load_arrays
from kerasish.utils.downloads import get_file

Split = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

STORE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
TORONTO = "https://www.cs.toronto.edu/~kriz/"

# Each file: where it comes from, and its hash (SHA-256, or MD5 where that is what is published)
SOURCES: dict[str, tuple[str, str | None]] = {
    "boston_housing.npz": (STORE + "boston_housing.npz", "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"),
    "california_housing.npz": (STORE + "california_housing.npz", "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"),
    "cifar-10-batches-py-target": (TORONTO + "cifar-10-python.tar.gz", "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"),
    "cifar-100-python-target": (TORONTO + "cifar-100-python.tar.gz", "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"),
    "imdb.npz": (STORE + "imdb.npz", "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"),
    "imdb_word_index.json": (STORE + "imdb_word_index.json", "bfafd718b763782e994055a2d397834f"),
    "mnist.npz": (STORE + "mnist.npz", "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"),
    "reuters.npz": (STORE + "reuters.npz", "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"),
    "reuters_word_index.json": (STORE + "reuters_word_index.json", "4d44cc38712099c9e383dc6e5f11a921"),
    "t10k-images-idx3-ubyte.gz": (STORE + "t10k-images-idx3-ubyte.gz", None),
    "t10k-labels-idx1-ubyte.gz": (STORE + "t10k-labels-idx1-ubyte.gz", None),
    "train-images-idx3-ubyte.gz": (STORE + "train-images-idx3-ubyte.gz", None),
    "train-labels-idx1-ubyte.gz": (STORE + "train-labels-idx1-ubyte.gz", None),
}


def fetch(name: str, path: Any = None, **options: Any) -> str:
    """The place of a file of `SOURCES` on this machine; `path` is another name to keep it under."""
    origin, file_hash = SOURCES[name]
    return get_file(fname=name if path is None else path, origin=origin, file_hash=file_hash, **options)


def shuffled(seed: int, *arrays: np.ndarray) -> list[np.ndarray]:
    """The rows of the arrays in the order that Keras's loaders give them."""
    return shuffled_by(np.random.RandomState(seed), *arrays)  # whose numbers never change between versions


def shuffled_by(draw: np.random.RandomState, *arrays: np.ndarray) -> list[np.ndarray]:
    """The rows of the arrays in the next order that `draw` gives."""
    order = np.arange(len(arrays[0]))
    draw.shuffle(order)
    return [array[order] for array in arrays]


def load_columns(name: str, path: Any, test_split: float, seed: int, rows: int | None = None) -> Split:
    """A table of numbers, shuffled, the last `test_split` of it apart; of its first `rows` rows, if given."""
    if not 0 <= test_split < 1:
        raise ValueError(f"Invalid `test_split` argument: {test_split}. It must be between 0 and 1 (exclusive of 1).")
    arrays = load_arrays(fetch(name, path))
    x, y = shuffled(seed, arrays["x"][:rows], arrays["y"][:rows])
    train = int(len(x) * (1 - test_split))
    return (x[:train], y[:train]), (x[train:], y[train:])


# -- texts as lists of the numbers of words ---------------------------------------------------------------------------


def with_offset(texts: Iterable, start_char: int | None, index_from: int) -> list[list[int]]:
    """Words numbered from `index_from` on, after a mark of the beginning."""
    start = [] if start_char is None else [start_char]
    return [start + [word + (index_from or 0) for word in text] for text in texts]


def shorter_than(maxlen: int | None, texts: list, labels: np.ndarray) -> tuple[list, np.ndarray]:
    """The texts of fewer than `maxlen` words, with their labels."""
    if not maxlen:
        return texts, labels
    kept = [i for i, text in enumerate(texts) if len(text) < maxlen]
    return [texts[i] for i in kept], labels[kept]


def known_words(texts: list, num_words: int | None, skip_top: int, oov_char: int | None) -> list[list[int]]:
    """Words outside of skip_top … num_words - 1 replaced by `oov_char`, or left out if that is None.

    Without `num_words`, it is the largest number there is, as in Keras: the rarest word counts as unknown.
    """
    limit = num_words or max(max(text) for text in texts)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < limit] for text in texts]
    return [[word if skip_top <= word < limit else oov_char for word in text] for text in texts]


def ragged(texts: list) -> np.ndarray:
    """An array of lists."""
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array
