"""Windows of a series as a data set."""

from typing import Any

import numpy as np

from kerasish.base.registry import export
from kerasish.utils.indexed import IndexedRows


class Windows(IndexedRows):
    """Batches of windows of a series, with their targets if there are any."""

    def __init__(self, data: Any, targets: Any, starts: np.ndarray, steps: np.ndarray, *order: Any):
        super().__init__(len(starts), *order)
        self.data, self.targets, self.starts, self.steps = data, targets, starts, steps

    def rows(self, indices: np.ndarray) -> tuple:
        starts = self.starts[indices]
        windows = np.asarray(self.data)[starts[:, None] + self.steps]
        return (windows,) if self.targets is None else (windows, np.asarray(self.targets)[starts])


@export("keras.utils.timeseries_dataset_from_array", "keras.preprocessing.timeseries_dataset_from_array")
def timeseries_dataset_from_array(
    data: Any, targets: Any, sequence_length: int, sequence_stride: int = 1, sampling_rate: int = 1,
    batch_size: int | None = 128, shuffle: bool = False, seed: int | None = None, start_index: int | None = None,
    end_index: int | None = None, format: str = "tf",
) -> Any:  # fmt: skip
    """Windows of `sequence_length` points of a series, as a data set for `fit`.

    targets:         targets[i] belongs to the window that begins at i; None for none.
    sequence_stride: the distance of windows.
    sampling_rate:   the distance of points in a window.
    start_index, end_index: the part of the data to use.

    >>> data = np.arange(5)
    >>> timeseries_dataset_from_array(data, data[2:] * 10, sequence_length=2)[0][1].tolist()
    [20, 30, 40]
    """
    size = len(data)
    if start_index is not None and start_index < 0:
        raise ValueError(f"`start_index` must be 0 or greater. Received: start_index={start_index}")
    if start_index is not None and start_index >= size:
        raise ValueError(
            "`start_index` must be lower than the length of the data. Received: "
            f"start_index={start_index}, for data of length {size}"
        )
    if start_index and end_index is not None and end_index <= start_index:
        raise ValueError(
            "`end_index` must be higher than `start_index`. Received: "
            f"start_index={start_index}, and end_index={end_index}"
        )
    if end_index is not None and not 0 <= end_index <= size:
        raise ValueError(
            f"`end_index` must be lower than the length of the data. Received: end_index={end_index}, for data of length {size}"
        )
    for name, value in (("sequence_length", sequence_length), ("sampling_rate", sampling_rate), ("sequence_stride", sequence_stride)):
        if value <= 0:
            raise ValueError(f"`{name}` must be higher than 0. Received: {name}={value}")
        if value >= size and name != "sequence_length":
            raise ValueError(f"`{name}` must be lower than the length of the data. Received: {name}={value}, for data of length {size}")
    if format not in ("tf", "grain"):
        raise ValueError(f'`format` should be either "tf" or "grain". Received: format={format}')
    first, last = start_index or 0, size if end_index is None else end_index
    last -= (sequence_length - 1) * sampling_rate
    if targets is not None:
        last = min(last, len(targets))
    starts = np.arange(first, max(first, last), sequence_stride)
    if shuffle:
        seed = int(np.random.randint(10**6)) if seed is None else seed
        np.random.RandomState(seed).shuffle(starts)
    return Windows(data, targets, starts, np.arange(sequence_length) * sampling_rate, batch_size, shuffle, seed)
