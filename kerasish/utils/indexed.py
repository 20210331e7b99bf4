"""Data sets of rows that are made when they are wanted: batches by index, in an order that follows from a seed."""

from typing import Any, Callable, Iterator

import numpy as np

from kerasish.data import PyDataset


class Steps:
    """The methods that other libraries' data sets have, for data sets here."""

    def map(self, function: Callable, **options: Any) -> "Derived":
        """The data set of function(*batch) for each batch; other arguments have no meaning here."""
        return Derived(self, lambda batches: (function(*b) if isinstance(b, tuple) else function(b) for b in batches))

    def take(self, count: int) -> "Derived":
        """The first batches; -1 for all."""
        return Derived(self, lambda batches: (b for i, b in zip(range(count) if count >= 0 else iter(int, 1), batches)), count)

    def cache(self, filename: Any = None) -> Any:
        """The data set itself: nothing is kept."""
        return self

    def prefetch(self, buffer_size: Any = None) -> Any:
        """The data set itself: batches are made when they are wanted."""
        return self


class Derived(Steps):
    """Batches made of another data set's."""

    def __init__(self, source: Any, change: Callable, most: int = -1):
        self.source, self.change, self.most = source, change, most

    def __len__(self) -> int:
        return len(self.source) if self.most < 0 else min(self.most, len(self.source))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.change(iter(self.source)))


class IndexedRows(Steps, PyDataset):
    """Batches of the rows that `rows(indices)` makes: a tuple of arrays.

    batch_size: None for single rows, without the axis of the batch.
    shuffle:    another order in each epoch of a fit, which follows from the seed and the number of epochs before.
    """

    def __init__(self, count: int, batch_size: int | None, shuffle: bool, seed: int | None):
        super().__init__()
        self.count, self.batch_size, self.shuffle = count, batch_size, shuffle
        self.seed = int(np.random.randint(10**6)) if seed is None else seed
        self.epoch = 0
        self.order = np.arange(count)

    def rows(self, indices: np.ndarray) -> tuple:
        """The parts of a batch with these rows."""
        raise NotImplementedError(f"{type(self).__name__} must define `rows(indices)`.")

    def __len__(self) -> int:
        return -(-self.count // (self.batch_size or 1))

    def on_epoch_begin(self) -> None:
        """Shuffle anew."""
        if self.shuffle:
            self.order = np.random.RandomState([self.seed, self.epoch]).permutation(self.count)
        self.epoch += 1

    def get_state(self) -> dict:
        return {"epoch": self.epoch}

    def set_state(self, state: dict) -> None:
        self.epoch = state["epoch"]

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} batches. Received: index={index}")
        size = self.batch_size or 1
        parts = self.rows(self.order[index * size : (index + 1) * size])
        if self.batch_size is None:
            parts = tuple(part[0] for part in parts)
        return parts[0] if len(parts) == 1 else parts
