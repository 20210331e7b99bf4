"""`keras.datasets.reuters`."""

import json
from typing import Any

from kerasish.base.registry import export
from kerasish.datasets.downloaded import Split, fetch, known_words, ragged, shorter_than, shuffled, with_offset
from kerasish.datasets.pickles import load_arrays

TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass crude "
    "nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi iron-steel "
    "rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


@export("keras.datasets.reuters.load_data")
def load_data(
    path: Any = "reuters.npz", num_words: int | None = None, skip_top: int = 0, maxlen: int | None = None,
    test_split: float = 0.2, seed: int = 113, start_char: int | None = 1, oov_char: int | None = 2, index_from: int = 3,
) -> Split:  # fmt: skip
    """11,228 news of 46 topics as lists of numbers of words; the last `test_split` of them apart.

    The other arguments are those of `keras.datasets.imdb.load_data`.
    """
    arrays = load_arrays(fetch("reuters.npz", path))
    texts, labels = shuffled(seed, arrays["x"], arrays["y"])
    texts, labels = shorter_than(maxlen, with_offset(texts, start_char, index_from), labels)
    if not texts:
        raise ValueError(
            f"After filtering for sequences shorter than maxlen={maxlen}, no sequence was kept. Increase maxlen."
        )
    texts = known_words(texts, num_words, skip_top, oov_char)
    train = int(len(texts) * (1 - test_split))
    return (ragged(texts[:train]), labels[:train]), (ragged(texts[train:]), labels[train:])


@export("keras.datasets.reuters.get_word_index")
def get_word_index(path: Any = "reuters_word_index.json") -> dict[str, int]:
    """The number of each word; in `load_data`, `index_from` is added to it."""
    with open(fetch("reuters_word_index.json", path), encoding="utf-8") as file:
        return json.load(file)


@export("keras.datasets.reuters.get_label_names")
def get_label_names() -> tuple[str, ...]:
    """The topics, in the order of the labels."""
    return tuple(TOPICS.split())
