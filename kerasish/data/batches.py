"""Batches: the one interface through which a loop is fed, whatever the data is."""

from abc import ABC, abstractmethod
from typing import Any, Iterator

import numpy as np


class Batches(ABC):
    """Data as passes over batches.

    `num_batches`: batches in one pass, or None where that is unknown or without end.
    `batch_size`: rows in a full batch, or None where batches are made elsewhere.
    `partial_batch_size`: rows in the last batch where it is not full, else None.
    `restartable`: whether a second pass finds data; False for a generator, which is spent once read.
    `reopen`: whether a pass that spans several epochs must be closed and opened again between them.
    """

    num_batches: int | None = None
    batch_size: int | None = None
    partial_batch_size: int | None = None
    restartable: bool = True
    reopen: bool = False

    @abstractmethod
    def epoch(
        self, start: int = 0, again: bool = False, keep: int | None = None, packed: bool = False
    ) -> Iterator[Any]:
        """One pass over the data, as `(x, y, sample_weight)` of NumPy arrays that must not be written to.

        start: how many batches to leave out at the beginning, in the order in which they would have come.
        again: take the order of the latest pass once more, instead of that of a new pass.
        keep: None, and every batch is the caller's to hold; a number, and a batch may be overwritten once `keep` more
            have been drawn (2 is enough for a loop that is done with a batch when it asks for the next).
        packed: yield instead what a `train_step(data)` is given: `x`, `(x, y)` or `(x, y, sample_weight)`.
        """

    def on_epoch_begin(self) -> None:
        """Called by the loop before the first batch of an epoch."""

    def on_epoch_end(self) -> None:
        """Called by the loop after the last batch of an epoch, also when it was cut short."""

    def get_state(self) -> dict[str, Any]:
        """What determines the order of all later passes, in values that JSON can hold."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from a state taken earlier, perhaps in another process."""


class PassOrder:
    """The order of each pass, drawn from a seed and the number of the pass, so that any pass can be had again.

    Without a seed one is drawn from NumPy's global generator, which `keras.utils.set_random_seed` sets.
    """

    def __init__(self, seed: int | None = None):
        self.seed = int(np.random.randint(2**31)) if seed is None else seed
        self.passes = 0

    def next_pass(self, again: bool = False) -> "np.random.Generator":
        """The generator of the pass that now begins; with `again`, that of the latest pass, from its beginning."""
        if not again or self.passes == 0:
            self.passes += 1
        return np.random.default_rng((self.seed, self.passes))

    def get_state(self) -> dict[str, int]:
        return {"seed": self.seed, "passes": self.passes}

    def set_state(self, state: dict[str, int]) -> None:
        self.seed, self.passes = int(state["seed"]), int(state["passes"])
