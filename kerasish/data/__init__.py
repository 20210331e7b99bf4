"""What feeds a model: anything that `fit`, `evaluate` and `predict` accept, turned into batches of NumPy arrays.

    as_batches(x, y, …)   picks the adapter: ArrayBatches, StreamBatches or PyDatasetBatches; all are `Batches`
    Epochs(batches, …)    the epochs of a fit: how many steps each takes, and what happens when data runs out

Nothing here knows of tensors or models. See README.md.
"""

from kerasish.data.arrays import ArrayBatches
from kerasish.data.batches import Batches
from kerasish.data.dataset import PyDataset, PyDatasetBatches
from kerasish.data.epochs import Epochs
from kerasish.data.packing import (
    check_data_cardinality,
    class_weight_to_sample_weight,
    pack_x_y_sample_weight,
    train_validation_split,
    unpack_x_y_sample_weight,
)
from kerasish.data.sources import as_batches
from kerasish.data.streams import StreamBatches

__all__ = [
    "ArrayBatches",
    "Batches",
    "Epochs",
    "PyDataset",
    "PyDatasetBatches",
    "StreamBatches",
    "as_batches",
    "check_data_cardinality",
    "class_weight_to_sample_weight",
    "pack_x_y_sample_weight",
    "train_validation_split",
    "unpack_x_y_sample_weight",
]
