"""`keras.preprocessing`: older names of what is in keras.utils."""

from kerasish.preprocessing import image, sequence
from kerasish.utils import image_dataset_from_directory, text_dataset_from_directory, timeseries_dataset_from_array

__all__ = [
    "image", "image_dataset_from_directory", "sequence", "text_dataset_from_directory", "timeseries_dataset_from_array",
]  # fmt: skip
