"""Records the state of normalization layers in Keras. Run where Keras and JAX are: python tests/golden/make_normalization.py"""

import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "jax"
here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "layers"))

import keras
import numpy as np
from normalization_cases import CASES

found = {f"{name}/{i}": x for name, run in CASES.items() for i, x in enumerate(run(keras))}
np.savez_compressed(here / "normalization_state.npz", **found)
