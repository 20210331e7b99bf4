"""`keras.utils`."""

import numpy as np

from kerasish.base.naming import reset_uids
from kerasish.base.registry import CustomObjectScope, export, get_custom_objects, register_keras_serializable
from kerasish.callbacks.progbar import Progbar
from kerasish.data import PyDataset, pack_x_y_sample_weight, unpack_x_y_sample_weight
from kerasish.random import set_random_seed
from kerasish.utils import bounding_boxes
from kerasish.utils.image_dataset import image_dataset_from_directory
from kerasish.utils.images import array_to_img, img_to_array, load_img, save_img


@export("keras.utils.clear_session", "keras.backend.clear_session")
def clear_session(free_memory: bool = True) -> None:
    """Begin to number the automatic names of layers anew. There is no other global state, so nothing else is forgotten."""
    del free_memory
    reset_uids()


@export("keras.utils.to_categorical")
def to_categorical(x: object, num_classes: int | None = None) -> np.ndarray:
    """Integer classes as one-hot rows.

    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    x = np.asarray(x, dtype="int64")
    if x.ndim > 1 and x.shape[-1] == 1:
        x = x[..., 0]
    n = int(num_classes or x.max() + 1)
    out = np.zeros((*x.shape, n), dtype="float32")
    np.put_along_axis(out, x[..., None], 1.0, axis=-1)
    return out


__all__ = [
    "CustomObjectScope", "Progbar", "PyDataset", "array_to_img", "bounding_boxes", "clear_session", "get_custom_objects",
    "image_dataset_from_directory", "img_to_array", "load_img", "pack_x_y_sample_weight", "register_keras_serializable",
    "save_img", "set_random_seed", "to_categorical", "unpack_x_y_sample_weight",
]  # fmt: skip
