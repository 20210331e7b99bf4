"""Texts as numbers of words."""

from typing import Any

import numpy as np

from kerasish import ops
from kerasish.base.errors import UnsafeFileError
from kerasish.base.registry import export
from kerasish.engine.dims import Dim
from kerasish.layers.preprocessing.adapting import pieces
from kerasish.layers.preprocessing.encoding import check_no_sparse
from kerasish.layers.preprocessing.host import HostCall, HostLayer, on_host
from kerasish.layers.preprocessing.string_lookup import StringLookup
from kerasish.layers.preprocessing.text import SPLIT, STANDARDIZE, standardized, tokens_of, with_ngrams
from kerasish.ops import dtypes
from kerasish.ops.symbolic import KerasTensor
from kerasish.saving.serialization import deserialize_keras_object

PARTS = ("standardize", "split")


@export("keras.layers.TextVectorization")
class TextVectorization(HostLayer):
    """Texts to the numbers of their words: 0 fills up, 1 is an unknown word; the vocabulary is given or made by `adapt`.

    max_tokens:   the most numbers there may be.
    standardize:  "lower_and_strip_punctuation", "lower", "strip_punctuation", None, or a function of an array of strings.
    split:        "whitespace", "character", None, or a function of an array of strings that gives a list of lists.
    ngrams:       the longest run of words that counts as one, or a tuple of lengths.
    output_mode:  "int": the numbers of the words in order; "multi_hot", "count", "tf_idf": a vector for each text.
    output_sequence_length: texts are cut or filled up to this length; without it, they are as long as the longest, which
                  a program can't know: then a model runs eagerly.
    pad_to_max_tokens: vectors have the length max_tokens.

    Inputs have shape (batch,) or (batch, 1), or are a single text.

    >>> layer = TextVectorization(vocabulary=["the", "dog"])
    >>> layer(["The dog!", "Over the moon"]).tolist()
    [[2, 3, 0], [1, 2, 1]]
    """

    def __init__(
        self, max_tokens: int | None = None, standardize: Any = "lower_and_strip_punctuation", split: Any = "whitespace",
        ngrams: Any = None, output_mode: str = "int", output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False, vocabulary: Any = None, idf_weights: Any = None, sparse: bool = False,
        ragged: bool = False, encoding: str = "utf-8", name: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        size = kwargs.pop("vocabulary_size", None)
        super().__init__(name=name, **kwargs)
        if ragged:
            raise ValueError("`ragged=True` can only be used with the TensorFlow backend. Use `output_sequence_length`.")
        for part, value, known in (("standardize", standardize, STANDARDIZE), ("split", split, SPLIT)):
            if value is not None and not callable(value) and value not in known:
                raise ValueError(
                    f"Unknown value for `{part}` argument of TextVectorization. Allowed values are: {tuple(known)}, None or a "
                    f"function. Received: {part}={value}"
                )
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        if isinstance(ngrams, (list, tuple)) and all(isinstance(n, int) for n in ngrams):
            ngrams = tuple(ngrams)
        elif ngrams is not None and not isinstance(ngrams, int):
            raise ValueError(f"`ngrams` must be None, an integer, or a tuple of integers. Received: ngrams={ngrams}")
        if output_mode == "int" and not isinstance(output_sequence_length, int | None):
            raise ValueError(
                "`output_sequence_length` must be either None or an integer when `output_mode` is 'int'. Received: "
                f"output_sequence_length={output_sequence_length}"
            )
        if output_mode != "int" and output_sequence_length is not None:
            raise ValueError(
                "`output_sequence_length` must not be set if `output_mode` is not 'int'. Received "
                f"output_sequence_length={output_sequence_length}."
            )
        self.max_tokens, self.standardize, self.split, self.ngrams = max_tokens, standardize, split, ngrams
        self.output_mode, self.output_sequence_length = output_mode, output_sequence_length
        self.pad_to_max_tokens, self.sparse, self.ragged = pad_to_max_tokens, check_no_sparse(sparse), False
        self.encoding = encoding
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens, vocabulary=vocabulary, idf_weights=idf_weights, mask_token="", output_mode=output_mode,
            pad_to_max_tokens=pad_to_max_tokens, encoding=encoding, vocabulary_size=size, dtype=kwargs.get("dtype"),
        )  # fmt: skip
        self.built = True

    # -- the vocabulary -----------------------------------------------------------------------------------------------

    def get_vocabulary(self, include_special_tokens: bool = True) -> list:
        """The words in the order of their numbers."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """The number of words, special ones included."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Use these words: a list, an array, or the path of a file with one a line."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Make the vocabulary of the words of texts: an array, a list, or any iterable of batches, of which `steps` limits
        the number."""
        del batch_size  # arrays are counted at once
        self._lookup_layer._check_not_fixed()
        self.reset_state()
        for i, piece in enumerate(pieces(data)):
            if steps is not None and i >= steps:
                break
            self.update_state(piece)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the words of a batch of texts."""
        self._lookup_layer._check_not_fixed()
        for piece in pieces(data):
            self._lookup_layer.count(self._words(piece))

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        self._lookup_layer.finalize_state()

    def reset_state(self) -> None:
        """Forget the vocabulary, unless it was set."""
        self._lookup_layer.reset_state()

    # -- calling ------------------------------------------------------------------------------------------------------

    def _words(self, texts: np.ndarray) -> list[list[str]]:
        """The words of each text."""
        texts = standardized(texts, self.standardize, self.encoding)
        if self.split is None:
            words = texts.reshape(len(texts), -1).tolist() if texts.ndim > 1 else [[t] for t in texts.ravel().tolist()]
        else:
            if texts.ndim > 1 and texts.shape[-1] != 1:
                raise ValueError(
                    "When using `TextVectorization` to tokenize strings, the input rank must be 1 or the last shape "
                    f"dimension must be 1. Received: inputs.shape={texts.shape} with rank={texts.ndim}"
                )
            words = tokens_of(texts.ravel(), self.split, self.encoding)
        sizes = tuple(range(1, self.ngrams + 1)) if isinstance(self.ngrams, int) else self.ngrams
        return words if sizes is None else [with_ngrams(w, sizes) for w in words]

    def _numbers(self, texts: np.ndarray) -> np.ndarray:
        """The numbers of the words, (batch, longest), filled up with zeros."""
        words = self._words(texts)
        lengths = [len(w) for w in words]
        longest = max(lengths, default=0) if self.output_sequence_length is None else self.output_sequence_length
        out = np.zeros((len(words), longest), dtypes.narrowed("int64"))
        inside = np.arange(longest) < np.array(lengths).reshape(-1, 1)
        flat = [w for row in words for w in row[:longest]]
        out[inside] = self._lookup_layer.indices(np.array([*flat, None], object)[:-1])
        return out if texts.ndim and not self._as_given(texts) else out[:, 0] if self._as_given(texts) else out[0]

    def _as_given(self, texts: Any) -> bool:
        """Whether texts are looked up one by one, so that numbers have the shape of the texts."""
        unsplit = self.split is None and self.ngrams is None
        return unsplit and len(texts.shape) == 1 and self.output_sequence_length is None

    def _counts(self, texts: np.ndarray) -> np.ndarray:
        """How often each number occurs in each text, (batch, depth)."""
        lookup, words = self._lookup_layer, self._words(texts)
        rows = np.repeat(np.arange(len(words)), [len(w) for w in words])
        numbers = lookup.indices(np.array([*[w for row in words for w in row], None], object)[:-1])
        known = numbers >= 0
        places = rows[known] * lookup.depth + numbers[known]
        out = np.bincount(places, minlength=len(words) * lookup.depth).reshape(len(words), lookup.depth)
        if self.split is None and self.ngrams is None and texts.ndim == 1:
            out = out.sum(0, keepdims=True)  # of all together, as in StringLookup
            return out[0].astype(dtypes.narrowed("int64"))
        return (out if texts.ndim else out[0]).astype(dtypes.narrowed("int64"))

    def call(self, inputs: Any) -> Any:
        lookup, dtype = self._lookup_layer, dtypes.narrowed("int64")
        if self.output_mode == "int":
            return on_host(HostCall(self._numbers, lambda x: (self._sequence_shape(x), dtype)), inputs)
        counts = on_host(HostCall(self._counts, lambda x: (self._vector_shape(x), dtype)), inputs)
        if self.output_mode == "multi_hot":
            return ops.cast(counts > 0, dtype)
        if self.output_mode == "count":
            return counts
        return ops.cast(counts, self.compute_dtype) * ops.cast(lookup.idf(), self.compute_dtype)

    def _sequence_shape(self, texts: Any) -> tuple:
        if self._as_given(texts):
            return texts.shape
        length: Any = self.output_sequence_length
        if length is None and self.split is None and self.ngrams is None:
            length = texts.shape[-1]
        if length is None:
            length = Dim.symbol(f"words_of_{self.name}")  # no program knows it: see static.Function
        return (*texts.shape[:1], length)

    def _vector_shape(self, texts: Any) -> tuple:
        if self.split is None and self.ngrams is None and len(texts.shape) == 1:
            return (self._lookup_layer.depth,)
        return (*texts.shape[:1], self._lookup_layer.depth)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(self.compute_output_spec(KerasTensor(input_shape, "string")).shape)

    def compute_output_spec(self, inputs: Any) -> Any:
        return self._inferred((inputs,), {})

    # -- files --------------------------------------------------------------------------------------------------------

    def get_config(self) -> dict:
        inner = self._lookup_layer.get_config()
        return {**super().get_config(), **{k: inner[k] for k in ("vocabulary", "idf_weights", "vocabulary_size")}}

    def _config_value(self, name: str) -> Any:
        return None if name in ("vocabulary", "idf_weights") else super()._config_value(name)

    @classmethod
    def from_config(cls, config: dict) -> Any:
        config = dict(config)
        if isinstance(config.get("vocabulary"), str):
            raise UnsafeFileError(
                f"The config of {cls.__name__} '{config.get('name')}' names a file to read the vocabulary from: "
                f"{config['vocabulary']!r}. Files that a config names are not opened. If you trust it, make the layer yourself "
                "with `vocabulary=path`, or have the model saved again with the words in it."
            )
        for part in PARTS:
            if isinstance(config.get(part), dict):
                config[part] = deserialize_keras_object(config[part])
        if isinstance(config.get("ngrams"), list):
            config["ngrams"] = tuple(config["ngrams"])
        return super().from_config(config)

    def save_own_variables(self, store: Any) -> None:
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        self._lookup_layer.load_own_variables(store)

    def save_assets(self, dir_path: str) -> None:
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: str | None) -> None:
        self._lookup_layer.load_assets(dir_path)
