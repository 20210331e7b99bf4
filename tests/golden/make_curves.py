"""Records a hundred steps of training with Keras. Run where Keras is installed: python tests/golden/make_curves.py"""

import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "training"))

import curve_models
import keras
import numpy as np

found = {}
for model in curve_models.MODELS:
    for optimizer in curve_models.OPTIMIZERS:
        names = ("losses", "before", "after")
        found.update({f"{model} {optimizer} {k}": v for k, v in zip(names, curve_models.curve(keras, model, optimizer))})
np.savez_compressed(here / "curves.npz", **found)
