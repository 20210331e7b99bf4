"""What TextVectorization does to strings before they are looked up."""

import re
import string
from typing import Any, Callable

import numpy as np

from kerasish.layers.preprocessing.host import as_text

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_NO_PUNCTUATION = dict.fromkeys(map(ord, string.punctuation))
_LOWER_WITHOUT = {**_LOWER, **_NO_PUNCTUATION}
_WORD = re.compile(r"[^ \t\n\r\f\v]+")

# As in Keras, only letters and punctuation of ASCII are changed, and only its white space separates.
STANDARDIZE: dict[str, Callable] = {
    "lower_and_strip_punctuation": lambda s: s.translate(_LOWER_WITHOUT),
    "lower": lambda s: s.translate(_LOWER),
    "strip_punctuation": lambda s: s.translate(_NO_PUNCTUATION),
}
SPLIT: dict[str, Callable] = {"whitespace": _WORD.findall, "character": list}


def standardized(texts: np.ndarray, how: Any, encoding: str) -> np.ndarray:
    """Texts after a standardization: a name in STANDARDIZE, a function of an array of strings, or None."""
    texts = as_text(texts, encoding)
    if how is None:
        return texts
    if callable(how):
        return as_text(np.asarray(how(texts)), encoding)
    rule = STANDARDIZE[how]
    out = np.empty(texts.size, object)
    out[:] = [rule(s) for s in texts.ravel().tolist()]
    return out.reshape(texts.shape)


def tokens_of(texts: np.ndarray, split: Any, encoding: str) -> list[list[str]]:
    """The tokens of each of a row of texts: a name in SPLIT, or a function of an array of strings that gives lists."""
    if not callable(split):
        return [SPLIT[split](s) for s in texts.tolist()]
    parts = split(texts)
    parts = parts.to_list() if hasattr(parts, "to_list") else parts
    parts = parts.tolist() if hasattr(parts, "tolist") else parts
    return [[t.decode(encoding) if isinstance(t, bytes) else t for t in row] for row in parts]


def with_ngrams(tokens: list[str], sizes: tuple) -> list[str]:
    """All runs of so many neighbouring tokens, joined by spaces."""
    return [" ".join(tokens[i : i + n]) for n in sizes for i in range(len(tokens) - n + 1)]
