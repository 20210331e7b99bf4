"""Batches of arrays: cut or picked by position, with next to no work per batch."""

import math
from typing import Any, Callable, Iterator

import numpy as np

from kerasish.base import tree
from kerasish.data.batches import Batches, PassOrder
from kerasish.data.columns import Column, as_column, as_columns
from kerasish.data.packing import (
    check_class_weight,
    check_data_cardinality,
    class_weight_to_sample_weight,
    pack_x_y_sample_weight,
    spread_sample_weight,
)

DEFAULT_BATCH_SIZE = 32


class ArrayBatches(Batches):
    """Arrays, frames, tensors, HDF5 data sets and nested structures of them, as batches along the first axis.

    batch_size: rows in a batch; where absent, `steps` says into how many batches the rows are divided, else it is 32.
    shuffle: False, in order; True, another permutation of all rows at each pass; "batch", the rows of each batch
        permuted among themselves, which reads HDF5 data sets in contiguous blocks.
    class_weight: weight of each class of `y`, made into `sample_weight`.
    seed: determines the permutations; see `get_state`.

    >>> batches = ArrayBatches(np.zeros((5, 3)), np.arange(5), batch_size=2)
    >>> [y.tolist() for x, y, sample_weight in batches.epoch()]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        batch_size: int | None = None,
        steps: int | None = None,
        shuffle: bool | str = False,
        class_weight: dict[int, float] | None = None,
        seed: int | None = None,
    ):
        x, y, sample_weight = as_columns(x), as_columns(y), as_columns(sample_weight)
        if class_weight is not None:
            check_class_weight(y, sample_weight)
            sample_weight = as_column(class_weight_to_sample_weight(y, class_weight))
        sample_weight = spread_sample_weight(y, sample_weight)
        rows = check_data_cardinality(x, y, sample_weight)

        if not batch_size:
            batch_size = math.ceil(rows / steps) if steps else DEFAULT_BATCH_SIZE
        if int(batch_size) != batch_size or batch_size < 0:
            raise ValueError(f"`batch_size` must be a positive integer. Received: batch_size={batch_size}")
        self.batch_size = self._size = int(batch_size)
        self.num_batches = math.ceil(rows / self._size)
        self.partial_batch_size = rows % self._size or None
        self.num_samples = rows

        self._shuffle = shuffle
        self._order = PassOrder(seed)
        structure = (x, y, sample_weight)
        if shuffle:
            structure = tree.map_structure(lambda c: None if c is None else c.for_shuffling(), structure)
        self._columns: list[Column] = [column for column in tree.flatten(structure) if column is not None]
        self._rebuild = _rebuilder(structure)

    def epoch(
        self, start: int = 0, again: bool = False, keep: int | None = None, packed: bool = False
    ) -> Iterator[Any]:
        generator = self._order.next_pass(again)
        build = (lambda leaves: pack_x_y_sample_weight(*self._rebuild(leaves))) if packed else self._rebuild
        if self._shuffle:
            return self._picked(self._permutation(generator), start, keep, build)
        return self._cut(start, keep, build)

    def get_state(self) -> dict[str, Any]:
        """The seed and the number of passes begun."""
        return self._order.get_state()

    def set_state(self, state: dict[str, Any]) -> None:
        self._order.set_state(state)

    def _permutation(self, generator: "np.random.Generator") -> np.ndarray:
        if self._shuffle != "batch":
            return generator.permutation(self.num_samples)
        order = np.arange(self.num_samples)
        full = order[: self.num_samples // self._size * self._size].reshape(-1, self._size)
        generator.permuted(full, axis=1, out=full)
        generator.shuffle(order[full.size :])
        return order

    def _picked(self, order: np.ndarray, start: int, keep: int | None, build: Callable) -> Iterator[Any]:
        size, columns = self._size, self._columns
        first = start * size
        if keep is None:
            for at in range(first, len(order), size):
                indices = order[at : at + size]
                yield build([column.take(indices) for column in columns])
            return
        banks = [_Bank(columns, min(size, self.num_samples), build) for _ in range(keep)]
        turn = 0
        for at in range(first, len(order) - size + 1, size):
            bank = banks[turn]
            turn = (turn + 1) % keep
            indices = order[at : at + size]
            for take, out in bank.takes:
                take(indices, out)
            yield bank.batch
        if self.partial_batch_size and first < len(order):
            leaves = banks[turn].leaves
            indices = order[-self.partial_batch_size :]
            yield build([c.take(indices, leaf[: len(indices)]) for c, leaf in zip(columns, leaves)])

    def _cut(self, start: int, keep: int | None, build: Callable) -> Iterator[Any]:
        size, columns, rows = self._size, self._columns, self.num_samples
        if keep is None or all(column.is_view for column in columns):
            for at in range(start * size, rows, size):
                stop = min(at + size, rows)
                yield build([column.rows(at, stop) for column in columns])
            return
        banks = [_Bank(columns, min(size, rows), build) for _ in range(keep)]
        turn = 0
        for at in range(start * size, rows, size):
            stop = min(at + size, rows)
            leaves = banks[turn].leaves
            turn = (turn + 1) % keep
            yield build(
                [
                    column.rows(at, stop) if column.is_view else column.rows(at, stop, leaf[: stop - at])
                    for column, leaf in zip(columns, leaves)
                ]
            )


class _Bank:
    """Memory for one full batch, and that batch, built once: filling the memory is all that a step has to do."""

    def __init__(self, columns: list[Column], size: int, build: Callable):
        self.leaves = [np.empty((size, *column.shape[1:]), column.dtype) for column in columns]
        self.takes = [(column.take, leaf) for column, leaf in zip(columns, self.leaves)]
        self.batch = build(self.leaves)


def _rebuilder(structure: tuple[Any, Any, Any]) -> Callable[[list[np.ndarray]], tuple[Any, Any, Any]]:
    """The function from the batch's leaves, in flat order, to `(x, y, sample_weight)`."""
    present = tuple(part is not None for part in structure)
    if not any(tree.is_nested(part) for part in structure):
        if present == (True, True, False):
            return lambda leaves: (leaves[0], leaves[1], None)
        if present == (True, True, True):
            return lambda leaves: (leaves[0], leaves[1], leaves[2])
        if present == (True, False, False):
            return lambda leaves: (leaves[0], None, None)
    slots = [leaf is not None for leaf in tree.flatten(structure)]

    def rebuild(leaves: list[np.ndarray]) -> tuple[Any, Any, Any]:
        remaining = iter(leaves)
        return tree.pack_sequence_as(structure, [next(remaining) if slot else None for slot in slots])

    return rebuild
