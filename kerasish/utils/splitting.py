"""A data set in two parts."""

import random
from typing import Any

import numpy as np

from kerasish.base import tree
from kerasish.base.registry import export
from kerasish.data import PyDataset
from kerasish.engine.tensor import Tensor
from kerasish.utils.indexed import IndexedRows, Steps


class Samples(IndexedRows):
    """Single rows of arrays, or samples in a list."""

    def __init__(self, samples: Any, indices: list):
        super().__init__(len(indices), None, False, 0)
        self.samples, self.indices = samples, indices

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} samples. Received: index={index}")
        i = self.indices[index]
        return self.samples[i] if isinstance(self.samples, list) else tree.map_structure(lambda a: a[i], self.samples)

    def batch(self, batch_size: int) -> "Batched":
        """The data set of batches of so many samples."""
        return Batched(self, batch_size)


class Batched(IndexedRows):
    """Batches of samples."""

    def __init__(self, samples: Samples, batch_size: int):
        super().__init__(len(samples), batch_size, False, 0)
        self.samples = samples

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} batches. Received: index={index}")
        last = min((index + 1) * self.batch_size, self.count)
        chosen = [self.samples[i] for i in range(index * self.batch_size, last)]
        return tree.map_structure(lambda *rows: np.stack(rows), *chosen)


@export("keras.utils.split_dataset")
def split_dataset(
    dataset: Any, left_size: Any = None, right_size: Any = None, shuffle: bool = False, seed: int | None = None,
    preferred_backend: Any = None,
) -> tuple:  # fmt: skip
    """Two data sets of single samples, of arrays, of a list or tuple of arrays, or of any iterable of samples.

    left_size, right_size: numbers of samples, or shares between 0 and 1; one of them tells the other.
    `batch(n)` of each makes batches.

    >>> left, right = split_dataset(np.arange(10), left_size=0.8)
    >>> len(left), list(right)
    (8, [np.int64(8), np.int64(9)])
    """
    samples, total = _samples(dataset)
    left, right = _sizes(left_size, right_size, total)
    order = list(range(total))
    if shuffle:
        random.Random(np.random.randint(10**6) if seed is None else seed).shuffle(order)
    return Samples(samples, order[:left]), Samples(samples, order[total - right :])


def _samples(dataset: Any) -> tuple[Any, int]:
    """Arrays, or a list of samples; and how many there are."""
    if isinstance(dataset, (np.ndarray, Tensor)):
        array = np.asarray(dataset)
        return array, len(array)
    if isinstance(dataset, (list, tuple)):
        arrays = tuple(np.asarray(a) for a in dataset)
        lengths = {len(a) if a.ndim else 0 for a in arrays}
        if len(lengths) != 1:
            raise ValueError(f"Received a list of NumPy arrays with different lengths: {[a.shape for a in arrays]}")
        return arrays, lengths.pop()
    if isinstance(dataset, (PyDataset, Steps)) or hasattr(dataset, "__iter__") and not isinstance(dataset, (dict, str, bytes)):
        found = [tree.map_structure(np.asarray, s) for s in dataset]
        return found, len(found)
    raise TypeError(f"Unsupported dataset type: {type(dataset)}. Pass arrays, a list or tuple of arrays, or an iterable.")


def _sizes(left: Any, right: Any, total: int) -> tuple[int, int]:
    """The numbers of samples on both sides."""
    if left is None and right is None:
        raise ValueError(
            "At least one of the `left_size` or `right_size` must be specified. Received: left_size=None and right_size=None"
        )
    for name, size in (("left_size", left), ("right_size", right)):
        if size is None:
            continue
        if isinstance(size, bool) or not isinstance(size, (int, float)):
            raise TypeError(f"Invalid `{name}` Type. Expected: int or float or None, Received: type({name})={type(size)}.  ")
        if not 0 < size < (total if isinstance(size, int) else 1):
            raise ValueError(
                f"`{name}` should be either a positive integer smaller than {total}, or a float within the range `[0, 1]`. "
                f"Received: {name}={size}"
            )
    if isinstance(left, float) and isinstance(right, float) and left + right > 1:
        raise ValueError(
            "The sum of `left_size` and `right_size` is greater than 1. It must be less than or equal to 1."
        )
    a, b = (None if s is None else round(s * total) if isinstance(s, float) else s for s in (left, right))
    a = total - b if a is None else a
    b = total - a if b is None else b
    if a + b > total:
        raise ValueError(
            f"The sum of `left_size` and `right_size` should be smaller than the {total}. Received: left_size + right_size = "
            f"{a + b} and total_length = {total}"
        )
    for name, size in (("left", a), ("right", b)):
        if not size:
            raise ValueError(
                f"With `dataset` of length={total}, `left_size`={left} and `right_size`={right}. Resulting {name} side dataset "
                "split will be empty. Adjust any of the aforementioned parameters"
            )
    return a, b
