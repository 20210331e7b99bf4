"""Tokens and their numbers, and how often tokens occur."""

import os
from collections import Counter
from typing import Any, Iterable

import numpy as np


class Vocabulary:
    """Distinct tokens in order: strings, or integers. `find` gives the position of each of many values, or -1."""

    def __init__(self, tokens: Iterable = (), integers: bool = False):
        if integers:
            self.tokens = np.array([int(t) for t in tokens], np.int64)
            self._order = np.argsort(self.tokens, kind="stable")
            self._sorted = self.tokens[self._order]
        else:
            self.tokens = np.array([*tokens, None], object)[:-1]  # one-dimensional, whatever the tokens are
            self._places = {t: i for i, t in enumerate(self.tokens.tolist())}
        self.integers = integers

    def __len__(self) -> int:
        return len(self.tokens)

    def find(self, values: np.ndarray) -> np.ndarray:
        """The positions of values, -1 for those that are not there."""
        if not self.integers:
            get = self._places.get
            flat = np.fromiter((get(v, -1) for v in values.ravel().tolist()), np.int64, values.size)
            return flat.reshape(values.shape)
        if not len(self):
            return np.full(values.shape, -1, np.int64)
        near = np.minimum(np.searchsorted(self._sorted, values), len(self) - 1)
        return np.where(self._sorted[near] == values, self._order[near], -1)

    def repeated(self) -> list:
        """Tokens that are there more than once."""
        return [t for t, n in Counter(self.tokens.tolist()).items() if n > 1]


class TokenCounts:
    """How often tokens occur in documents, added up over any number of batches."""

    def __init__(self) -> None:
        self.counts: Counter = Counter()
        self.documents: Counter = Counter()  # in how many a token occurs
        self.total = 0

    def add(self, documents: Iterable[list], count_documents: bool) -> None:
        """Count a batch of documents, which are lists of tokens."""
        for document in documents:
            self.counts.update(document)
            self.total += 1
            if count_documents:
                self.documents.update(set(document))

    def most_common(self, limit: int | None, without: Iterable) -> list:
        """The most frequent tokens first; of equally frequent ones the greatest."""
        left_out = set(without)
        tokens = sorted(((n, t) for t, n in self.counts.items() if t not in left_out), reverse=True)
        return [t for _, t in (tokens if limit is None else tokens[:limit])]

    def inverse_document_frequency(self, tokens: Iterable) -> np.ndarray:
        """log(1 + n / (1 + in how many of the n documents a token is))."""
        found = np.array([self.documents[t] for t in tokens], "float64")
        return np.log(1 + self.total / (1 + found)).astype("float32")


def read_vocabulary(path: Any, encoding: str = "utf-8") -> list[str]:
    """The lines of a file that the user named."""
    path = os.fspath(path)
    if not os.path.exists(path):
        raise ValueError(f"Vocabulary file {path} does not exist.")
    with open(path, encoding=encoding, newline="\n") as file:
        return file.read().removesuffix("\n").split("\n")
