"""`keras.datasets.cifar100`."""

import os

from kerasish.base.registry import export
from kerasish.datasets.cifar import load_images
from kerasish.datasets.downloaded import Split, fetch


@export("keras.datasets.cifar100.load_data")
def load_data(label_mode: str = "fine") -> Split:
    """50,000 and 10,000 small colored images of a hundred kinds: (n, 32, 32, 3) bytes, and the kinds, (n, 1).

    label_mode: "fine" for the kinds, "coarse" for the twenty groups that they belong to.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f'`label_mode` must be one of `"fine"`, `"coarse"`. Received: label_mode={label_mode}.')
    folder = os.path.join(fetch("cifar-100-python-target", extract=True), "cifar-100-python")
    train, test = (load_images([os.path.join(folder, part)], f"{label_mode}_labels") for part in ("train", "test"))
    return train, test
