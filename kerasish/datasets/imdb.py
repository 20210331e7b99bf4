"""`keras.datasets.imdb`."""

import json
from typing import Any

import numpy as np

from kerasish.base.registry import export
from kerasish.datasets.downloaded import Split, fetch, known_words, ragged, shorter_than, shuffled_by, with_offset
from kerasish.datasets.pickles import load_arrays


@export("keras.datasets.imdb.load_data")
def load_data(
    path: Any = "imdb.npz", num_words: int | None = None, skip_top: int = 0, maxlen: int | None = None, seed: int = 113,
    start_char: int | None = 1, oov_char: int | None = 2, index_from: int = 3, **kwargs: Any,
) -> Split:  # fmt: skip
    """25,000 and 25,000 reviews of films as lists of numbers of words, the most frequent first; 1 for praise.

    num_words, skip_top: words that are rarer, or among the `skip_top` most frequent, become `oov_char`, or are left out
                         if that is None.
    maxlen:              reviews of as many words or more are left out; ValueError if no others are left.
    start_char:          stands before each review. index_from: the words are numbered from here on.
    """
    if kwargs:
        raise TypeError(f"load_data() got unexpected keyword arguments: {sorted(kwargs)}")
    arrays = load_arrays(fetch("imdb.npz", path))
    draw = np.random.RandomState(seed)
    parts = []
    for part in ("train", "test"):
        texts, labels = shuffled_by(draw, arrays[f"x_{part}"], arrays[f"y_{part}"])
        parts.append(shorter_than(maxlen, with_offset(texts, start_char, index_from), labels))
    (x_train, y_train), (x_test, y_test) = parts
    if not x_train or not x_test:
        raise ValueError(
            f"After filtering for sequences shorter than maxlen={maxlen}, no sequence was kept. Increase maxlen."
        )
    texts = known_words(x_train + x_test, num_words, skip_top, oov_char)
    return (ragged(texts[: len(x_train)]), y_train), (ragged(texts[len(x_train) :]), y_test)


@export("keras.datasets.imdb.get_word_index")
def get_word_index(path: Any = "imdb_word_index.json") -> dict[str, int]:
    """The number of each word; in `load_data`, `index_from` is added to it."""
    with open(fetch("imdb_word_index.json", path), encoding="utf-8") as file:
        return json.load(file)
