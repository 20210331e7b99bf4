"""`keras.datasets.cifar10`."""

import os

import numpy as np

from kerasish.base.registry import export
from kerasish.datasets.cifar import load_images
from kerasish.datasets.downloaded import Split, fetch


@export("keras.datasets.cifar10.load_data")
def load_data() -> Split:
    """50,000 and 10,000 small colored images of ten kinds: (n, 32, 32, 3) bytes, and the kinds, (n, 1)."""
    folder = os.path.join(fetch("cifar-10-batches-py-target", extract=True), "cifar-10-batches-py")
    x_train, y_train = load_images([os.path.join(folder, f"data_batch_{i}") for i in range(1, 6)], "labels")
    x_test, y_test = load_images([os.path.join(folder, "test_batch")], "labels")
    return (x_train, y_train.astype(np.uint8)), (x_test, y_test.astype(np.uint8))
