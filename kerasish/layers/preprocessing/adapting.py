"""Data for `adapt`: whatever it comes as, arrays a piece at a time, so that it need not fit into memory."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from kerasish.engine.tensor import Tensor
from kerasish.layers.preprocessing.host import as_array

ROWS = 1 << 16  # of what lies on disk, read at a time


def pieces(data: Any) -> Iterator[np.ndarray]:
    """The parts of the data: an array, list or table as one, an array on disk by rows, each batch of anything else."""
    if isinstance(data, (str, bytes, int, float, list, tuple, np.generic, Tensor)) or hasattr(data, "to_numpy"):
        yield np.asarray(as_array(data))
    elif isinstance(data, np.ndarray) and not isinstance(data, np.memmap):
        yield data
    elif hasattr(data, "shape") and hasattr(data, "__getitem__") and len(data.shape):  # memory maps, HDF5 data sets
        for start in range(0, data.shape[0], ROWS):
            yield np.asarray(data[start : start + ROWS])
    elif isinstance(data, Iterable):
        for batch in data:
            if isinstance(batch, (tuple, list)) and len(batch) == 1:
                batch = batch[0]
            if isinstance(batch, tuple):
                raise ValueError(
                    f"`adapt` takes inputs alone, but a batch of the data is a tuple of {len(batch)} parts. Leave out the "
                    "targets: (x for x, y in data)."
                )
            yield np.asarray(as_array(batch))
    else:
        raise TypeError(f"`adapt` takes arrays, lists, tables, or iterables of batches. Received: {data!r} of type {type(data)}")
