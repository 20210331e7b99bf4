"""`keras.datasets.mnist`."""

from typing import Any

from kerasish.base.registry import export
from kerasish.datasets.downloaded import Split, fetch
from kerasish.datasets.pickles import load_arrays


@export("keras.datasets.mnist.load_data")
def load_data(path: Any = "mnist.npz") -> Split:
    """60,000 and 10,000 images of handwritten digits: (n, 28, 28) bytes, and the digits.

    path: the name to keep the file under, in ~/.keras/datasets.
    """
    arrays = load_arrays(fetch("mnist.npz", path))
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
