"""`keras.preprocessing`: older names of what is in keras.utils."""

from kerasish.preprocessing import image
from kerasish.utils import image_dataset_from_directory

__all__ = ["image", "image_dataset_from_directory"]
