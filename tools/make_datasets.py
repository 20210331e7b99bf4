"""Writes the data sets of kerasish/datasets/ from the copies in scikit-learn: python tools/make_datasets.py

The rows keep the order that scikit-learn (and, but for two corrected irises, the UCI repository) has them in.
"""

import pathlib

import numpy as np
from sklearn import datasets

folder = pathlib.Path(__file__).parents[1] / "kerasish" / "datasets"

for name in ("iris", "wine", "breast_cancer"):
    bunch = getattr(datasets, f"load_{name}")()
    np.savez_compressed(folder / f"{name}.npz", x=bunch.data.astype("float32"), y=bunch.target.astype("uint8"))

bunch = datasets.load_digits()
np.savez_compressed(folder / "digits.npz", x=bunch.images.astype("uint8"), y=bunch.target.astype("uint8"))
