"""Summaries of streams of numbers, from which their quantiles can be told with a given error.

A summary is an array (2, n): rising values, and how many numbers of the stream each stands for. Greenwald and Khanna 2001,
simplified; the numbers are those of Keras.
"""

import numpy as np


def summary(values: np.ndarray, epsilon: float) -> np.ndarray:
    """The summary of an array: every so-manieth of its values in order."""
    ordered = np.sort(values.ravel())
    apart = len(ordered) * epsilon
    step = max(int(apart), 1)
    kept = ordered[step - 1 :: step]
    return np.stack([kept, np.full(len(kept), max(apart, 1.0), "float32")]).astype("float32")


def merged(a: np.ndarray, b: np.ndarray, epsilon: float) -> np.ndarray:
    """The summary of both streams together."""
    both = np.concatenate([a, b], axis=1)
    return compressed(both[:, np.argsort(both[0], kind="stable")], epsilon)


def compressed(s: np.ndarray, epsilon: float) -> np.ndarray:
    """The same stream with about 1 / epsilon values, as far apart as that many quantiles."""
    if s.shape[1] * epsilon < 1:
        return s
    reached = np.cumsum(s[1])
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    values = np.interp(shares, reached / reached[-1], s[0])
    counts = np.interp(shares, reached / reached[-1], reached)
    return np.stack([values, np.diff(counts, prepend=0.0)]).astype("float32")


def boundaries(s: np.ndarray, bins: int) -> np.ndarray:
    """The values between `bins` parts of about equally many numbers."""
    return compressed(s, 1.0 / bins)[0, :-1]
