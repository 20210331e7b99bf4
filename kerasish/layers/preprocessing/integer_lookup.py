"""Integers of any size to numbers from 0 on, and back."""

from typing import Any

import numpy as np

from kerasish.base.registry import export
from kerasish.layers.preprocessing.hashing import bins_of
from kerasish.layers.preprocessing.host import as_array
from kerasish.layers.preprocessing.index_lookup import IndexLookup


@export("keras.layers.IntegerLookup")
class IntegerLookup(IndexLookup):
    """Integers to their numbers in a vocabulary, which is given or made by `adapt(data)`.

    oov_method: how unknown integers are spread over several numbers: "floormod", by their remainder, or "farmhash".
    The other arguments are those of StringLookup.

    >>> layer = IntegerLookup(vocabulary=[10, 30])
    >>> layer([[30, 10], [99, 10]]).tolist()
    [[2, 1], [0, 1]]
    """

    integers = True

    def __init__(
        self, max_tokens: int | None = None, num_oov_indices: int = 1, mask_token: Any = None, oov_token: int = -1,
        vocabulary: Any = None, vocabulary_dtype: str = "int64", idf_weights: Any = None, invert: bool = False,
        output_mode: str = "int", sparse: bool = False, pad_to_max_tokens: bool = False, oov_method: str = "floormod",
        salt: Any = None, name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        if vocabulary_dtype != "int64":
            raise ValueError(
                "Only `vocabulary_dtype='int64'` is supported at this time. Received: "
                f"vocabulary_dtype={vocabulary_dtype}"
            )
        self.vocabulary_dtype = vocabulary_dtype
        super().__init__(
            max_tokens=max_tokens, num_oov_indices=num_oov_indices, mask_token=mask_token, oov_token=oov_token,
            vocabulary=vocabulary, idf_weights=idf_weights, invert=invert, output_mode=output_mode, sparse=sparse,
            pad_to_max_tokens=pad_to_max_tokens, oov_method=oov_method, salt=salt, name=name, **kwargs,
        )  # fmt: skip

    def _tokens_of(self, vocabulary: Any) -> list:
        return self._values(np.asarray(as_array(vocabulary))).ravel().tolist()

    def _values(self, array: np.ndarray) -> np.ndarray:
        return array.astype(np.int64)

    def _unknown_bins(self, values: np.ndarray) -> np.ndarray:
        if self.oov_method == "floormod":
            return values % self.num_oov_indices
        return bins_of(values, self.num_oov_indices, self.salt)
