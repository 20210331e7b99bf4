"""Records what Keras makes of compile's arguments. Run where Keras is: python tests/golden/make_compile.py"""

import json
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "training"))

import compile_cases
import keras
import numpy as np


def plain(found):
    return {k: v if isinstance(v, str) else np.asarray(v, "float64").reshape(-1).tolist() for k, v in found.items()}


record = {}
for name, case in {**compile_cases.CASES, **compile_cases.ERRORS}.items():
    keras.utils.clear_session()
    record[name] = plain(case(keras))
(here / "compile.json").write_text(json.dumps(record, indent=1) + "\n")
