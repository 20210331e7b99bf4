"""`keras.datasets.fashion_mnist`."""

import gzip
import os

import numpy as np

from kerasish.base.registry import export
from kerasish.datasets.downloaded import Split, fetch


@export("keras.datasets.fashion_mnist.load_data")
def load_data() -> Split:
    """60,000 and 10,000 images of clothes: (n, 28, 28) bytes, and their kinds, 0 to 9."""

    def load(part: str) -> tuple[np.ndarray, np.ndarray]:
        labels = _bytes(f"{part}-labels-idx1-ubyte.gz", header=8)
        return _bytes(f"{part}-images-idx3-ubyte.gz", header=16).reshape(len(labels), 28, 28), labels

    return load("train"), load("t10k")


def _bytes(name: str, header: int) -> np.ndarray:
    with gzip.open(fetch(name, cache_subdir=os.path.join("datasets", "fashion-mnist"))) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)
