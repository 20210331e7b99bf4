"""Records Keras's activations. Run where Keras is installed: python tests/golden/make_activations.py"""

import inspect
import json
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "jax")
import keras
import numpy as np

here = pathlib.Path(__file__).parent
# away from the kinks of any of them
x = (np.random.RandomState(2).uniform(-4, 4, (3, 8)).round(1) + 0.037).astype("float32")
numbers, forms = {"x": x}, {}
for name in dir(keras.activations):
    function = getattr(keras.activations, name)
    if name.startswith("_") or not callable(function) or name in ("get", "serialize", "deserialize"):
        continue
    numbers[name] = np.asarray(function(x, *{"threshold": (0.3, -2.0)}.get(name, ())))
    parameters = [[p.name, None if p.default is p.empty else p.default] for p in inspect.signature(function).parameters.values()]
    forms[name] = {"parameters": parameters, "config": keras.activations.serialize(function)}
np.savez_compressed(here / "activations.npz", **numbers)
(here / "activations.json").write_text(json.dumps(forms, indent=1) + "\n")
