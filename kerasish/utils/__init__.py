"""`keras.utils`."""

from kerasish.base.config import disable_interactive_logging, enable_interactive_logging, is_interactive_logging_enabled
from kerasish.base.naming import reset_uids
from kerasish.base.registry import (
    CustomObjectScope,
    export,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)  # fmt: skip
from kerasish.callbacks.progbar import Progbar
from kerasish.data import PyDataset, pack_x_y_sample_weight, unpack_x_y_sample_weight
from kerasish.ops.dtypes import standardize_dtype
from kerasish.ops.symbolic import is_keras_tensor
from kerasish.random import set_random_seed
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object
from kerasish.utils import bounding_boxes, legacy
from kerasish.utils.audio_dataset import audio_dataset_from_directory
from kerasish.utils.config_object import Config
from kerasish.utils.downloads import get_file
from kerasish.utils.feature_space import FeatureSpace
from kerasish.utils.graphs import get_source_inputs
from kerasish.utils.image_dataset import image_dataset_from_directory
from kerasish.utils.images import array_to_img, img_to_array, load_img, save_img
from kerasish.utils.model_plots import model_to_dot, plot_model
from kerasish.utils.numerical import normalize, to_categorical
from kerasish.utils.sequences import pad_sequences
from kerasish.utils.splitting import split_dataset
from kerasish.utils.text_dataset import text_dataset_from_directory
from kerasish.utils.timeseries import timeseries_dataset_from_array

Sequence, custom_object_scope = PyDataset, CustomObjectScope  # Keras's other names


@export("keras.utils.clear_session", "keras.backend.clear_session")
def clear_session(free_memory: bool = True) -> None:
    """Begin to number the automatic names of layers anew. There is no other global state, so nothing else is forgotten."""
    del free_memory
    reset_uids()


__all__ = [
    "Config", "CustomObjectScope", "FeatureSpace", "Progbar", "PyDataset", "Sequence", "array_to_img",
    "audio_dataset_from_directory", "bounding_boxes", "clear_session", "custom_object_scope", "deserialize_keras_object",
    "disable_interactive_logging", "enable_interactive_logging", "get_custom_objects", "get_file", "get_registered_name",
    "get_registered_object", "get_source_inputs", "image_dataset_from_directory", "img_to_array",
    "is_interactive_logging_enabled", "is_keras_tensor", "legacy", "load_img", "model_to_dot", "normalize", "pack_x_y_sample_weight",
    "pad_sequences", "plot_model", "register_keras_serializable", "save_img", "serialize_keras_object", "set_random_seed",
    "split_dataset", "standardize_dtype", "text_dataset_from_directory", "timeseries_dataset_from_array",
    "to_categorical", "unpack_x_y_sample_weight",
]  # fmt: skip
