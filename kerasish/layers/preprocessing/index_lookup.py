"""What StringLookup and IntegerLookup share: a vocabulary, numbers for what is not in it, and their encodings."""

import os
from typing import Any

import numpy as np

from kerasish import ops
from kerasish.base.errors import UnsafeFileError
from kerasish.layers.preprocessing.adapting import pieces
from kerasish.layers.preprocessing.encoding import check_no_sparse, encode, encoded_shape
from kerasish.layers.preprocessing.host import HostCall, HostLayer, on_host
from kerasish.layers.preprocessing.vocabulary import TokenCounts, Vocabulary, read_vocabulary
from kerasish.ops import dtypes

VOCABULARY_FILE = "vocabulary.txt"


class IndexLookup(HostLayer):
    """Tokens to numbers: 0 for the mask token (in "int" mode), then those for unknown tokens, then the vocabulary's."""

    integers = False
    modes = ("int", "one_hot", "multi_hot", "count", "tf_idf")

    def __init__(
        self, max_tokens: int | None, num_oov_indices: int, mask_token: Any, oov_token: Any, vocabulary: Any,
        idf_weights: Any, invert: bool, output_mode: str, sparse: bool, pad_to_max_tokens: bool, salt: Any,
        oov_method: str = "floormod", **kwargs: Any,
    ):  # fmt: skip
        kind = type(self).__name__
        kwargs.pop("has_input_vocabulary", None)
        self._saved_size = kwargs.pop("vocabulary_size", None)  # of a vocabulary that is yet to be loaded
        super().__init__(**kwargs)
        if max_tokens is not None and max_tokens <= 1:
            raise ValueError(f"If set, `max_tokens` must be greater than 1. Received: max_tokens={max_tokens}")
        if pad_to_max_tokens and max_tokens is None:
            raise ValueError(f"If pad_to_max_tokens is True, must set `max_tokens`. Received: max_tokens={max_tokens}")
        if num_oov_indices < 0:
            raise ValueError(
                f"`num_oov_indices` must be greater than or equal to 0. Received: num_oov_indices={num_oov_indices}"
            )
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        if output_mode not in self.modes:
            raise ValueError(
                f"Unknown value for `output_mode` argument of {kind}. Allowed values are: {self.modes}. Received: "
                f"output_mode={output_mode}"
            )
        if invert and output_mode != "int":
            raise ValueError(f"`output_mode` must be `'int'` when `invert` is true. Received: output_mode={output_mode}")
        if idf_weights is not None and output_mode != "tf_idf":
            raise ValueError(
                f"`idf_weights` should only be set if `output_mode` is `'tf_idf'`. Received: idf_weights={idf_weights} and "
                f"output_mode={output_mode}"
            )
        if vocabulary is not None and output_mode == "tf_idf" and idf_weights is None:
            raise ValueError(
                "When specifying the `vocabulary` argument, in TF-IDF output mode, the `idf_weights` argument must also be "
                "provided."
            )
        if oov_method not in ("floormod", "farmhash"):
            raise ValueError(
                f"Unknown value for `oov_method` argument of {kind}. Allowed values are: ('floormod', 'farmhash'). "
                f"Received: oov_method={oov_method}"
            )
        if self.integers and salt is not None and oov_method != "farmhash":
            raise ValueError(f"`salt` can only be used when `oov_method='farmhash'`. Received: oov_method={oov_method}")
        if isinstance(salt, int):
            salt = (salt, salt)
        if salt is not None and (not isinstance(salt, (tuple, list)) or len(salt) != 2):
            raise ValueError(
                "The `salt` argument for `IndexLookup` can only be a tuple of 2 integers, or a single integer. Received: "
                f"salt={salt}."
            )
        self.max_tokens, self.num_oov_indices = max_tokens, num_oov_indices
        self.mask_token, self.oov_token = mask_token, oov_token
        self.invert, self.output_mode, self.sparse = invert, output_mode, check_no_sparse(sparse)
        self.pad_to_max_tokens, self.oov_method = pad_to_max_tokens, oov_method
        self.salt = None if salt is None else tuple(salt)
        self._vocabulary = Vocabulary((), self.integers)
        self._counts = TokenCounts()
        self._idf: np.ndarray | None = None  # of all numbers, those of unknown tokens too
        self._given: tuple | None = None  # what the vocabulary was constructed from, which configs have
        self._fixed = False
        if vocabulary is not None:
            if isinstance(vocabulary, (str, os.PathLike)):
                vocabulary = self._read(vocabulary)
            self.set_vocabulary(vocabulary, idf_weights)
            weights = None if idf_weights is None else tuple(np.asarray(idf_weights, "float64").tolist())
            self._given = tuple(self._tokens_of(vocabulary)), weights
        self.built = True

    def _read(self, path: Any) -> list:
        return read_vocabulary(path)

    def _tokens_of(self, vocabulary: Any) -> list:
        """A vocabulary given in any form as a list of tokens."""
        raise NotImplementedError

    # -- the vocabulary -----------------------------------------------------------------------------------------------

    def _special(self, shown: bool = True) -> list:
        mask = [self.mask_token] if self.mask_token is not None and self.output_mode == "int" else []
        return [*mask, *[self.oov_token] * self.num_oov_indices]

    @property
    def _first_unknown(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    def vocabulary_size(self) -> int:
        """The number of tokens, special ones included."""
        if not len(self._vocabulary) and self._saved_size is not None:
            return self._saved_size
        return len(self._vocabulary) + len(self._special())

    def get_vocabulary(self, include_special_tokens: bool = True) -> list:
        """The tokens in the order of their numbers."""
        tokens = self._vocabulary.tokens.tolist()
        return [*self._special(), *tokens] if include_special_tokens else tokens

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Use these tokens: a list, an array, or the path of a file with a token a line. They may begin with the special
        tokens of `get_vocabulary()`. In "tf_idf" mode `idf_weights` has a weight for each."""
        self._fixed = True
        self._set(vocabulary, idf_weights)

    def _set(self, vocabulary: Any, idf_weights: Any) -> None:
        if self.output_mode != "tf_idf" and idf_weights is not None:
            raise ValueError(
                f"`idf_weights` should only be set if output_mode is `'tf_idf'`. Received: output_mode={self.output_mode} "
                f"and idf_weights={idf_weights}"
            )
        if isinstance(vocabulary, (str, os.PathLike)):
            vocabulary = self._read(vocabulary)
        given = self._tokens_of(vocabulary)
        if not given:
            raise ValueError(f"Cannot set an empty vocabulary. Received: vocabulary={vocabulary}")
        special = self._special()
        start = len(special) if special and given[: len(special)] == special else 0
        tokens = given[start:]
        new = Vocabulary(tokens, self.integers)
        repeated = new.repeated()
        if repeated:
            raise ValueError(
                "The passed vocabulary has at least one repeated term. Please uniquify your dataset. The repeated terms "
                f"are: {repeated[:20]}"
            )
        for token, name in ((self.mask_token, "mask"), (self.oov_token if self.invert else None, "OOV")):
            if token is not None and token in tokens:
                raise ValueError(
                    f"Found reserved {name} token at unexpected location in `vocabulary`. Note that passed `vocabulary` does "
                    "not need to include the OOV and mask tokens. Either remove all mask and OOV tokens, or include them "
                    f"only at the start of the vocabulary in precisely this order: {special}. Received: "
                    f"{name.lower()}_token={token} at vocabulary index {given.index(token)}"
                )
        size = len(tokens) + len(special)
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(
                "Attempted to set a vocabulary larger than the maximum vocab size. Received vocabulary size is "
                f"{size}; `max_tokens` is {self.max_tokens}."
            )
        if self.output_mode == "tf_idf":
            self._idf = self._all_weights(idf_weights, given, start)
        self._vocabulary = new

    def _all_weights(self, idf_weights: Any, given: list, start: int) -> np.ndarray:
        """A weight for every number: unknown tokens have the average, unless theirs are given, too."""
        if idf_weights is None:
            raise ValueError("`idf_weights` must be set if output_mode is 'tf_idf'.")
        weights = np.asarray(idf_weights, "float32")
        if len(weights) != len(given):
            raise ValueError(
                "`idf_weights` must be the same length as vocabulary. len(idf_weights) is "
                f"{len(weights)}; len(vocabulary) is {len(given)}"
            )
        if not start:
            weights = np.concatenate([np.full(self.num_oov_indices, np.mean(weights), "float32"), weights])
        return self._padded(weights)

    def _padded(self, weights: np.ndarray) -> np.ndarray:
        missing = self.max_tokens - len(weights) if self.pad_to_max_tokens else 0
        return np.pad(weights, (0, missing)) if missing > 0 else weights

    # -- adapt --------------------------------------------------------------------------------------------------------

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Make the vocabulary of what occurs in the data, the most frequent tokens first.

        data:  an array, list or table, whose rows are documents, or any iterable of batches of such.
        steps: the number of batches to use.
        """
        self._check_not_fixed()
        self.reset_state()
        for i, piece in enumerate(pieces(data)):
            if steps is not None and i >= steps:
                break
            self.update_state(piece)
        self.finalize_state()

    def _check_not_fixed(self) -> None:
        if self._fixed:
            raise ValueError(
                f"Cannot adapt layer '{self.name}' after setting a static vocabulary via `vocabulary` argument or "
                "`set_vocabulary()` method."
            )

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch."""
        self._check_not_fixed()
        for piece in pieces(data):
            values = self._values(piece)
            rows = values.reshape(len(values), -1) if values.ndim > 1 else values.reshape(-1, 1)
            self.count(rows.tolist())

    def count(self, documents: Any) -> None:
        """Count the tokens of documents, which are lists of tokens."""
        self._counts.add(documents, self.output_mode == "tf_idf")

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        if self._fixed or not self._counts.total:
            return
        limit = None if self.max_tokens is None else self.max_tokens - len(self._special())
        tokens = self._counts.most_common(limit, (self.mask_token, self.oov_token))
        self._vocabulary = Vocabulary(tokens, self.integers)
        if self.output_mode == "tf_idf":
            weights = self._counts.inverse_document_frequency(tokens)
            unknown = np.full(self.num_oov_indices, np.mean(weights) if len(weights) else 0, "float32")
            self._idf = self._padded(np.concatenate([unknown, weights]))
        self._counts = TokenCounts()

    def reset_state(self) -> None:
        """Forget the vocabulary, unless it was set."""
        if self._fixed:
            return
        self._vocabulary, self._counts, self._idf = Vocabulary((), self.integers), TokenCounts(), None
        self._saved_size = None

    # -- calling ------------------------------------------------------------------------------------------------------

    def _values(self, array: np.ndarray) -> np.ndarray:
        """An array of what the vocabulary holds: str objects, or int64."""
        raise NotImplementedError

    def _unknown_bins(self, values: np.ndarray) -> np.ndarray:
        """Which of several numbers unknown tokens get."""
        raise NotImplementedError

    @property
    def depth(self) -> int:
        """The length of vectors."""
        return self.max_tokens if self.pad_to_max_tokens and self.max_tokens else self.vocabulary_size()

    def indices(self, values: np.ndarray) -> np.ndarray:
        """The numbers of values; -1 for masked ones in other modes than "int"."""
        if not len(self._vocabulary):
            raise RuntimeError(
                f"Layer '{self.name}' has no vocabulary. Pass `vocabulary`, or call `adapt(data)` or `set_vocabulary()` first."
            )
        values = self._values(values)
        found = self._vocabulary.find(values)
        known = found >= 0
        masked = values == self.mask_token if self.mask_token is not None else np.zeros(values.shape, bool)
        out = found + len(self._special())
        unknown = ~known & ~masked
        if np.any(unknown):
            if not self.num_oov_indices:
                examples = list(dict.fromkeys(values[unknown].ravel().tolist()))[:10]
                raise ValueError(
                    f"When `num_oov_indices=0` all inputs should be in vocabulary, found OOV values {examples}, consider "
                    "setting `num_oov_indices=1`."
                )
            bins = 0 if self.num_oov_indices == 1 else self._unknown_bins(values)
            out = np.where(unknown, self._first_unknown + bins, out)
        return np.where(masked, 0 if self.output_mode == "int" else -1, out)

    def tokens(self, indices: np.ndarray) -> np.ndarray:
        """The tokens with these numbers."""
        if indices.dtype.kind not in "iuf":
            raise TypeError(f"With `invert=True` the inputs are indices. Received an array of {indices.dtype}.")
        place = indices.astype(np.int64) - len(self._special())
        table = np.append(self._vocabulary.tokens, np.array([self.oov_token], self._vocabulary.tokens.dtype))
        out = table[np.where((place >= 0) & (place < len(self._vocabulary)), place, -1)]
        if self._first_unknown:
            out = np.where(indices == 0, np.array(self.mask_token, table.dtype), out)
        return out

    def call(self, inputs: Any) -> Any:
        if self.invert:
            dtype = np.dtype(np.int64 if self.integers else object)
            return on_host(HostCall(self.tokens, lambda x: (x.shape, dtype)), inputs)
        dtype = dtypes.narrowed("int64")
        found = on_host(HostCall(lambda x: self.indices(x).astype(dtype), lambda x: (x.shape, dtype)), inputs)
        return self.encoded(found)

    def encoded(self, indices: Any) -> Any:
        """Numbers as the output mode has them."""
        if self.output_mode == "int":
            return indices
        if self.output_mode != "tf_idf":
            return encode(indices, self.output_mode, self.depth, indices.dtype)
        counts = encode(indices, "count", self.depth, self.compute_dtype)
        return counts * ops.cast(self.idf(), self.compute_dtype)

    def idf(self) -> Any:
        """The weights of all numbers; zeros before there are any, when a model is built for weights to be loaded."""
        return np.zeros(self.depth, "float32") if self._idf is None else self._idf

    def compute_output_shape(self, input_shape: Any) -> Any:
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        return encoded_shape(input_shape, mode, self.depth)

    def compute_output_spec(self, inputs: Any) -> Any:
        return self._inferred((inputs,), {})

    # -- files --------------------------------------------------------------------------------------------------------

    def get_config(self) -> dict:
        config = super().get_config()
        vocabulary, weights = self._given or (None, None)
        if vocabulary is None and not self.integers and any("\n" in t for t in self._vocabulary.tokens):
            vocabulary = self.get_vocabulary()  # a file with a token a line can't hold them
            weights = None if self._idf is None else self._idf[: len(vocabulary)].tolist()
        config["vocabulary"] = None if vocabulary is None else list(vocabulary)
        config["idf_weights"] = None if weights is None else list(weights)
        config["salt"] = None if self.salt is None else list(self.salt)
        size = self.vocabulary_size() if len(self._vocabulary) else self._saved_size
        return {**config, "vocabulary_size": size, "oov_method": self.oov_method}

    def _config_value(self, name: str) -> Any:
        return None if name in ("vocabulary", "idf_weights") else super()._config_value(name)

    @classmethod
    def from_config(cls, config: dict) -> Any:
        if isinstance(config.get("vocabulary"), str):
            raise UnsafeFileError(
                f"The config of {cls.__name__} '{config.get('name')}' names a file to read the vocabulary from: "
                f"{config['vocabulary']!r}. Files that a config names are not opened. If you trust it, make the layer yourself "
                "with `vocabulary=path`, or have the model saved again with the tokens in it."
            )
        return super().from_config(config)

    def save_own_variables(self, store: Any) -> None:
        if self.output_mode == "tf_idf" and self._idf is not None:
            store["idf_weights"] = self._idf

    def load_own_variables(self, store: Any) -> None:
        if self.output_mode == "tf_idf" and "idf_weights" in store:
            self._idf = np.asarray(store["idf_weights"], "float32")

    def save_assets(self, dir_path: str) -> None:
        """Write the vocabulary, a token a line, unless the config has it."""
        if self._given is None and len(self._vocabulary) and self.get_config()["vocabulary"] is None:
            with open(os.path.join(dir_path, VOCABULARY_FILE), "w", encoding="utf-8", newline="\n") as file:
                file.write("\n".join(map(str, self.get_vocabulary())))

    def load_assets(self, dir_path: str | None) -> None:
        """Read what `save_assets` wrote."""
        path = dir_path and os.path.join(dir_path, VOCABULARY_FILE)
        if self._given is not None or not path or not os.path.exists(path):
            return
        weights = self._idf
        tokens = self._tokens_of(read_vocabulary(path))
        special = self._special()
        if tokens[: len(special)] == special:
            tokens = tokens[len(special) :]
        if not tokens:
            return
        self._set(tokens, None if self.output_mode != "tf_idf" else np.zeros(len(tokens)))
        self._idf = weights
        self._fixed = True
