"""Strings to numbers and back."""

from typing import Any

import numpy as np

from kerasish.base.registry import export
from kerasish.layers.preprocessing.hashing import bins_of
from kerasish.layers.preprocessing.host import as_array, as_text
from kerasish.layers.preprocessing.index_lookup import IndexLookup
from kerasish.layers.preprocessing.vocabulary import read_vocabulary


@export("keras.layers.StringLookup")
class StringLookup(IndexLookup):
    """Strings to their numbers in a vocabulary, which is given or made by `adapt(data)`.

    max_tokens:        the most numbers there may be, special ones included.
    num_oov_indices:   the numbers for unknown strings; if there are several, a hash decides, with `salt` SipHash.
    mask_token:        a string with number 0, which other modes than "int" leave out.
    vocabulary:        strings, or the path of a file with one a line; for "tf_idf" with `idf_weights`.
    invert:            from numbers to strings.
    output_mode:       "int"; "one_hot": a vector for each string; "multi_hot", "count", "tf_idf": one for each row.
    pad_to_max_tokens: vectors have the length max_tokens.

    >>> layer = StringLookup(vocabulary=["a", "b"])
    >>> layer([["a", "b"], ["c", "a"]]).tolist(), layer.get_vocabulary()
    ([[1, 2], [0, 1]], ['[UNK]', 'a', 'b'])
    """

    def __init__(
        self, max_tokens: int | None = None, num_oov_indices: int = 1, mask_token: Any = None, oov_token: str = "[UNK]",
        vocabulary: Any = None, idf_weights: Any = None, invert: bool = False, output_mode: str = "int",
        pad_to_max_tokens: bool = False, sparse: bool = False, encoding: str = "utf-8", name: str | None = None,
        salt: Any = None, **kwargs: Any,
    ):  # fmt: skip
        self.encoding = encoding
        super().__init__(
            max_tokens=max_tokens, num_oov_indices=num_oov_indices, mask_token=mask_token, oov_token=oov_token,
            vocabulary=vocabulary, idf_weights=idf_weights, invert=invert, output_mode=output_mode, sparse=sparse,
            pad_to_max_tokens=pad_to_max_tokens, salt=salt, name=name, **kwargs,
        )  # fmt: skip

    def _read(self, path: Any) -> list:
        return read_vocabulary(path, self.encoding)

    def _tokens_of(self, vocabulary: Any) -> list:
        return as_text(np.asarray(as_array(vocabulary)), self.encoding).ravel().tolist() if len(vocabulary) else []

    def _values(self, array: np.ndarray) -> np.ndarray:
        return as_text(array, self.encoding)

    def _unknown_bins(self, values: np.ndarray) -> np.ndarray:
        return bins_of(values, self.num_oov_indices, self.salt)
