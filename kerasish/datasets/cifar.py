"""How the files of CIFAR-10 and CIFAR-100 are read."""

from collections.abc import Sequence

import numpy as np

from kerasish.base import config
from kerasish.datasets.pickles import load_pickle


def load_images(paths: Sequence[str], label_key: str) -> tuple[np.ndarray, np.ndarray]:
    """The images and labels of files, one after the other: (n, 32, 32, 3), or (n, 3, 32, 32) if that is the layout set,
    and (n, 1)."""
    batches = [load_pickle(path) for path in paths]
    images = np.concatenate([batch[b"data"] for batch in batches]).reshape(-1, 3, 32, 32)
    labels = np.concatenate([batch[label_key.encode()] for batch in batches]).reshape(-1, 1)
    if config.image_data_format() == "channels_last":
        images = images.transpose(0, 2, 3, 1)
    return images, labels
