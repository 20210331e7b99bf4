"""Batches that arrive ready-made: from generators, torch DataLoaders, tf.data and any other iterable."""

import itertools
from typing import Any, Callable, Iterable, Iterator

import numpy as np

from kerasish.base import tree
from kerasish.data.batches import Batches
from kerasish.data.columns import batch_dtype, replace_number_lists, to_numpy
from kerasish.data.packing import check_class_weight, class_weight_to_sample_weight, unpack_x_y_sample_weight


class StreamBatches(Batches):
    """An iterable whose elements are batches.

    An iterable that starts afresh at each `iter()` gives one pass each time; an iterator or generator gives one pass in
    all, which the epochs of a fit share out.

    num_batches, batch_size: where the source knows them.
    class_weight: weight of each class of the batches' `y`, made into `sample_weight`.

    >>> stream = StreamBatches([(np.zeros((2, 3)), [1, 0])])
    >>> [y.tolist() for x, y, sample_weight in stream.epoch()]
    [[1, 0]]
    """

    def __init__(
        self,
        source: Iterable,
        *,
        num_batches: int | None = None,
        batch_size: int | None = None,
        partial_batch_size: int | None = None,
        class_weight: dict[int, float] | None = None,
    ):
        self.source = source
        self.num_batches = num_batches
        self.batch_size = batch_size
        self.partial_batch_size = partial_batch_size
        self.restartable = not hasattr(source, "__next__")
        self._class_weight = class_weight

    def epoch(
        self, start: int = 0, again: bool = False, keep: int | None = None, packed: bool = False
    ) -> Iterator[Any]:
        # islice also keeps a generator from being closed when a pass is left early: a later fit may go on with it.
        return convert_stream(itertools.islice(self.source, start, None), packed, self._class_weight)


def generator_batches(generator: Iterator) -> StreamBatches:
    """The batches of a Python generator, after a look at its first: there must be one, and it must be a tuple."""
    first = next(generator, None)
    if first is None:
        raise ValueError("The generator passed as `x` ended before its first batch. It must yield at least one.")
    if not isinstance(first, tuple):
        raise ValueError(
            "A generator must yield tuples: `(x,)`, `(x, y)` or `(x, y, sample_weight)`. Received an element of type "
            f"{type(first)}: {_brief(first)}"
        )
    return StreamBatches(itertools.chain((first,), generator))


def convert_stream(
    stream: Iterable, packed: bool, class_weight: dict[int, float] | None, standardize: Callable | None = None
) -> Iterator[Any]:
    """Convert each raw batch of a stream: arrays made NumPy, class weights added, `(x, y, sample_weight)` or packed."""
    try:
        for raw in stream:
            data = standardize(raw) if standardize is not None else raw
            data = convert_batch(tuple(data) if isinstance(data, list) else data)
            if class_weight is not None:
                x, y, sample_weight = unpack_x_y_sample_weight(data)
                check_class_weight(y, sample_weight)
                data = (x, y, class_weight_to_sample_weight(y, class_weight))
            yield data if packed else unpack_x_y_sample_weight(data)
    finally:
        close = getattr(stream, "close", None)
        if close is not None:
            close()


def convert_batch(data: Any) -> Any:
    """A raw batch with every leaf a NumPy array: floats in `floatx`, other dtypes as they come; None stays None."""
    if type(data) is tuple and all(type(leaf) is np.ndarray or leaf is None for leaf in data):
        return tuple([None if leaf is None else _convert_leaf(leaf) for leaf in data])  # the usual case, without trees
    return tree.map_structure(_convert_leaf, replace_number_lists(data))


def _convert_leaf(leaf: Any) -> np.ndarray | None:
    if leaf is None:
        return None
    array = leaf.toarray() if hasattr(leaf, "toarray") else to_numpy(leaf)
    if array.ndim == 0:
        raise ValueError(
            "The arrays of a batch must have at least one axis, whose length is the number of samples. Received: "
            f"{leaf!r}"
        )
    dtype = batch_dtype(array.dtype)
    return array if array.dtype == dtype else array.astype(dtype)


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:100] + "…"
