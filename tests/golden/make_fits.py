"""Records whole fits of Keras. Run where Keras is: python tests/golden/make_fits.py"""

import json
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "training"))

import fit_cases
import keras
import numpy as np

found = {}
for name, case in fit_cases.CASES.items():
    keras.utils.clear_session()
    found[name] = {k: np.asarray(v, "float64").reshape(-1).tolist() for k, v in case(keras).items()}
(here / "fits.json").write_text(json.dumps(found, indent=1) + "\n")
