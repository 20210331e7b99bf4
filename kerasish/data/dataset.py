"""PyDataset: batches computed by the user's Python, by index, in parallel if wanted."""

import itertools
import warnings
from typing import Any, Iterator

import numpy as np

from kerasish.base.registry import export
from kerasish.data.batches import Batches, PassOrder
from kerasish.data.streams import convert_stream
from kerasish.data.workers import in_parallel

_DEFAULTS = {"workers": 1, "use_multiprocessing": False, "max_queue_size": 10}


@export("keras.utils.PyDataset", "keras.utils.Sequence")
class PyDataset:
    """Base class of data sets that compute whole batches by index.

    A subclass defines `__getitem__(index)`, which returns a batch `(x,)`, `(x, y)` or `(x, y, sample_weight)`, and
    either `__len__` or the property `num_batches`, which may be None for data without end. `on_epoch_begin` and
    `on_epoch_end` are called around each epoch.

    workers: threads or processes that compute batches ahead of the loop; 1 without `use_multiprocessing` means none.
    use_multiprocessing: use processes. They work on copies of the data set, made anew at each epoch.
    max_queue_size: how many batches are computed ahead at most.

    To let an interrupted run resume with data that changes between epochs, define `get_state()` and `set_state(state)`
    with values that JSON can hold.

    >>> class Squares(PyDataset):
    ...     def __len__(self): return 2
    ...     def __getitem__(self, index): return np.full((4, 1), index), np.full((4, 1), index**2)
    >>> [y[0, 0].item() for x, y in Squares()]
    [0, 1]
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getattr__(self, name: str) -> Any:
        # Reached only for what is missing: a subclass whose constructor forgot to call ours.
        if name not in _DEFAULTS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        warnings.warn(
            f"The constructor of {type(self).__name__} should call `super().__init__(**kwargs)`, where kwargs may "
            "hold `workers`, `use_multiprocessing` and `max_queue_size`. The defaults are used.",
            stacklevel=2,
        )
        self.__dict__.update({key: value for key, value in _DEFAULTS.items() if key not in self.__dict__})
        return self.__dict__[name]

    def __getitem__(self, index: int) -> Any:
        """The batch at `index`, from 0 to `num_batches` - 1."""
        raise NotImplementedError(f"{type(self).__name__} must define `__getitem__(self, index)`, returning a batch.")

    def __iter__(self) -> Iterator[Any]:
        count = self.num_batches
        for index in itertools.count() if count is None else range(count):
            yield self[index]

    @property
    def num_batches(self) -> int | None:
        """The number of batches in an epoch; None if there is no end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(f"{type(self).__name__} must define `__len__` or the property `num_batches`.")

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch, for example to shuffle."""


class PyDatasetBatches(Batches):
    """The batches of a `PyDataset`, computed ahead by its workers, always in order.

    shuffle: visit the batches of each pass in another order; without meaning for data without end.

    The workers of a pass start when its first batch is asked for, after `on_epoch_begin`, and are gone when the pass is
    finished or closed. What a worker raises is raised here.
    """

    def __init__(
        self,
        dataset: PyDataset,
        *,
        class_weight: dict[int, float] | None = None,
        shuffle: bool | str = False,
        seed: int | None = None,
    ):
        self.dataset = dataset
        self._class_weight = class_weight
        self._shuffle = bool(shuffle)
        self._order = PassOrder(seed)

    reopen = True  # so that workers see what `on_epoch_end` changed

    @property
    def num_batches(self) -> int | None:  # type: ignore[override]
        """Asked of the data set each time: it may change between epochs."""
        return self.dataset.num_batches

    def epoch(
        self, start: int = 0, again: bool = False, keep: int | None = None, packed: bool = False
    ) -> Iterator[Any]:
        generator = self._order.next_pass(again)
        count = self.num_batches
        if count is None:
            indices: Iterator[int] = itertools.count(start)
        else:
            order = generator.permutation(count).tolist() if self._shuffle else range(count)
            indices = itertools.islice(iter(order), start, None)
        worker_seed = int(generator.integers(2**31))
        return convert_stream(self._batches(indices, worker_seed), packed, self._class_weight, self._standardize)

    def on_epoch_begin(self) -> None:
        self.dataset.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.dataset.on_epoch_end()

    def get_state(self) -> dict[str, Any]:
        state = self._order.get_state()
        if hasattr(self.dataset, "get_state"):
            state["dataset"] = self.dataset.get_state()
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        self._order.set_state(state)
        if "dataset" in state:
            self.dataset.set_state(state["dataset"])

    def _batches(self, indices: Iterator[int], worker_seed: int) -> Iterator[Any]:
        dataset = self.dataset
        workers, processes = dataset.workers, dataset.use_multiprocessing
        if workers > 1 or (workers > 0 and processes):
            return in_parallel(dataset, indices, workers, processes, dataset.max_queue_size, worker_seed)
        return map(dataset.__getitem__, indices)

    def _standardize(self, batch: Any) -> Any:
        if isinstance(batch, dict):
            return batch
        if isinstance(batch, np.ndarray):
            return (batch,)
        if isinstance(batch, (tuple, list)) and 1 <= len(batch) <= 3:
            return tuple(batch)
        raise ValueError(
            f"`{type(self.dataset).__name__}.__getitem__()` must return a tuple `(x,)`, `(x, y)` or "
            f"`(x, y, sample_weight)`, or a dict. Received: {str(batch)[:100]} (of type {type(batch)})"
        )
