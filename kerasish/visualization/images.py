"""Batches of images as arrays to draw on."""

from typing import Any

import numpy as np

from kerasish.base import config


def as_images(images: Any, data_format: str | None, dtype: Any = None) -> np.ndarray:
    """A copy of a batch of images with the channels last; ValueError unless it has four axes."""
    array = np.array(images, dtype=dtype)
    if array.ndim != 4:
        raise ValueError(f"`images` must be batched 4D tensor. Received: images.shape={array.shape}")
    return channels_last(array, data_format)


def channels_last(array: np.ndarray, data_format: str | None) -> np.ndarray:
    """The array with its second axis moved to the end if that is the channels."""
    if config.standardize_data_format(data_format) == "channels_first":
        return np.ascontiguousarray(array.transpose(0, 2, 3, 1))
    return array
