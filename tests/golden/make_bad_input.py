"""Records the types of errors that Keras raises. Run where Keras is installed: python tests/golden/make_bad_input.py"""

import json
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "training"))

import bad_input
import keras

found = {}
for name, case in bad_input.CASES.items():
    try:
        case(keras)
        found[name] = None
    except Exception as e:
        found[name] = type(e).__name__
(here / "bad_input.json").write_text(json.dumps(found, indent=1) + "\n")
