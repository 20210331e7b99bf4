"""How a data set that comes with the library is read, shuffled and split."""

import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
Split = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def load(name: str, test_split: float, seed: int) -> Split:
    """The rows of `name`.npz in the order that `seed` means, the last `test_split` of them apart.

    Raises ValueError unless 0 <= test_split < 1.
    """
    if not 0 <= test_split < 1:
        raise ValueError(
            f"`test_split` is the fraction of rows kept for testing, at least 0 and below 1. Received: {test_split!r}"
        )
    with open(HERE / f"{name}.npz", "rb") as file:
        with np.load(file, allow_pickle=False) as arrays:
            x, y = arrays["x"], arrays["y"]
    order = permutation(len(x), seed)
    x, y = x[order], y[order]
    train = int(len(x) * (1 - test_split))
    return (x[:train], y[:train]), (x[train:], y[train:])


def permutation(n: int, seed: int) -> np.ndarray:
    """The numbers below `n` in the order of the SHA-256 of the text "seed:number".

    Not NumPy's generator: its streams may change between versions, and these splits must not.

    >>> permutation(5, seed=113).tolist()
    [4, 2, 1, 3, 0]
    """
    import hashlib  # also loads OpenSSL, which takes a while

    digests = [hashlib.sha256(f"{seed}:{i}".encode()).digest() for i in range(n)]
    return np.array(sorted(range(n), key=digests.__getitem__), dtype=np.intp)
