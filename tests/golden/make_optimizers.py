"""Records ten steps of Keras's optimizers on the same gradients. Run where Keras is: python tests/golden/make_optimizers.py"""

import inspect
import json
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "optimizers"))

import keras
import numpy as np
from optimizer_rows import GRADIENTS, KINDS, ROWS, apply, make, variables

numbers, forms = {}, {}
for name in ROWS:
    keras.utils.clear_session()
    optimizer, vs = make(keras, name), variables(keras)
    optimizer.build(vs)
    for step in GRADIENTS:
        apply(keras, optimizer, step, vs)
    optimizer.finalize_variable_values(vs)
    numbers.update({f"{name}/{i}": v.numpy() for i, v in enumerate(vs)})
    forms[name] = {
        "config": keras.optimizers.serialize(optimizer),
        "variables": [[v.name, list(v.shape)] for v in optimizer.variables],
    }
for kind in KINDS:
    parameters = inspect.signature(getattr(keras.optimizers, kind).__init__).parameters.values()
    forms[kind] = [[p.name, None if p.default is p.empty else p.default] for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][1:]
np.savez_compressed(here / "optimizers.npz", **numbers)
(here / "optimizers.json").write_text(json.dumps(forms, indent=1) + "\n")
