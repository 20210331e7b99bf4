"""Records outputs and gradients of layers in Keras. Run where Keras and JAX are: python tests/golden/make_layers.py [family]"""

import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "jax"
here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "layers"))

import keras
import numpy as np
from layer_keras import outputs_and_gradients
from layer_table import ROWS

(here / "layers").mkdir(exist_ok=True)
for family in sys.argv[1:] or ROWS:
    found = {}
    for row in ROWS[family]:
        if row.random:
            continue
        keras.utils.clear_session()
        outputs, grads = outputs_and_gradients(keras, row)
        found[f"{row.id}/outputs"], found[f"{row.id}/grads"] = len(outputs), len(grads)
        found.update({f"{row.id}/y{i}": y for i, y in enumerate(outputs)})
        found.update({f"{row.id}/g{i}": g for i, g in enumerate(grads)})
    np.savez_compressed(here / "layers" / f"{family}.npz", **found)
