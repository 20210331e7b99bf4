"""The epochs of a fit: which batches belong to which, and what happens when the data runs out."""

import warnings
from typing import Any, Iterator

from kerasish.data.batches import Batches

_END = object()


class Epochs:
    """Hands out batches, epoch by epoch.

    Without `steps_per_epoch` an epoch is one pass over the data. With it, an epoch is that many batches, and a pass
    goes on from one epoch to the next. When a pass ends before the epoch has its steps, the epoch ends early with a
    warning, and the next one starts a new pass where the data can be read again.

    keep, packed: as for `Batches.epoch`.

    `exhausted` says, after an epoch, that the data is spent and no epoch can follow. `first_step` is the number of the
    first step of the next `epoch()`: 0, unless `set_state` has put the epochs into the middle of one.

    >>> from kerasish.data import ArrayBatches
    >>> epochs = Epochs(ArrayBatches([0, 1, 2, 3, 4, 5], batch_size=2), steps_per_epoch=2)
    >>> [x.tolist() for x, y, sample_weight in epochs.epoch()]
    [[0, 1], [2, 3]]
    """

    def __init__(
        self, batches: Batches, steps_per_epoch: int | None = None, keep: int | None = None, packed: bool = False
    ):
        if steps_per_epoch is not None and steps_per_epoch <= 0:
            raise ValueError(f"`steps_per_epoch` must be positive. Received: steps_per_epoch={steps_per_epoch}")
        self.batches = batches
        self.steps_per_epoch = steps_per_epoch
        self.exhausted = False
        self.first_step = 0
        self._how: dict[str, Any] = {"keep": keep, "packed": packed}
        self._learned_size: int | None = None
        self._iterator: Any = None  # a generator
        self._in_pass = False  # whether a pass has begun and not ended; it may be closed meanwhile
        self._drawn = 0  # batches drawn in this pass
        self._step = 0  # steps done in this epoch; 0 between epochs

    @property
    def num_batches(self) -> int | None:
        """Steps in an epoch; None until that is known."""
        return self.steps_per_epoch or self.batches.num_batches or self._learned_size

    def epoch(self) -> Iterator[Any]:
        """The batches of the next epoch. It may be left early, by closing or dropping the iterator."""
        if self.exhausted:
            self._warn()
            return
        size = self.batches.num_batches
        limit = self.steps_per_epoch or size
        first = step = self.first_step
        self.first_step = 0
        ended = self._in_pass and self._drawn == size
        self.batches.on_epoch_begin()
        try:
            draw = self._open().__next__
            while step != limit and not ended:
                try:
                    batch = draw()
                except StopIteration:
                    if step == first and self._drawn > 0 and self.batches.restartable:
                        # The last epoch took the whole of a pass, whose size nobody knew.
                        self._in_pass = False
                        self.close()
                        draw = self._open().__next__
                        continue
                    ended = True
                    break
                step += 1
                self._step = step
                self._drawn += 1
                ended = self._drawn == size
                yield batch
        finally:
            self._leave(ended)
            self.batches.on_epoch_end()
        if self._drawn == 0:
            raise ValueError("The data holds no batch: nothing can be computed from it.")
        if limit is not None and step < limit:
            self._warn()

    def get_state(self) -> dict[str, Any]:
        """Where the epochs stand, after the batch drawn last, in values that JSON can hold."""
        return {
            "data": self.batches.get_state(),
            "in_pass": self._in_pass,
            "drawn": self._drawn,
            "step": self._step,
            "exhausted": self.exhausted,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue where `get_state` was called, perhaps in another process, with the same data given anew."""
        self.close()
        self.batches.set_state(state["data"])
        self._in_pass, self._drawn = bool(state["in_pass"]), int(state["drawn"])
        self._step = self.first_step = int(state["step"])
        self.exhausted = bool(state["exhausted"])

    def close(self) -> None:
        """Stop workers, if any are at work ahead of the next batch."""
        if self._iterator is not None:
            self._iterator.close()
            self._iterator = None

    def _open(self) -> Iterator[Any]:
        """The iterator of the pass under way, or of a new one."""
        if self._iterator is None:
            if not self._in_pass:
                self._drawn = 0
            self._iterator = self.batches.epoch(start=self._drawn, again=self._in_pass, **self._how)
            self._in_pass = True
        return self._iterator

    def _leave(self, ended: bool) -> None:
        self._step = 0
        if ended:
            self._learned_size = self._drawn
            self.exhausted = not self.batches.restartable
        if ended or (self.steps_per_epoch is None and self.batches.restartable):
            self._in_pass = False
        if self.batches.reopen or not self._in_pass:
            self.close()

    def _warn(self) -> None:
        warnings.warn(
            "Your input ran out of data; the epoch ends early. It must hold `steps_per_epoch * epochs` batches, or be "
            "something that can be read again from the start: a list, an array, a `PyDataset`, not a generator.",
            stacklevel=3,
        )
