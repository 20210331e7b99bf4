"""Records Keras's losses. Run where Keras is: python tests/golden/make_losses.py"""

import inspect
import json
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "losses"))

import jax
import keras
import numpy as np
from loss_rows import ROWS, cases, inputs, make

numbers, forms = {}, {}
for name in ROWS:
    y_true, y_pred = inputs(name)
    numbers.update({f"{name}/{k}": v for k, v in cases(keras, name).items()})
    loss = make(keras, name)
    numbers[f"{name}/gradient"] = np.asarray(jax.grad(lambda p, loss=loss, t=y_true: loss(t, p))(y_pred))
    forms[name] = keras.losses.serialize(loss)
for name in dir(keras.losses):
    thing = getattr(keras.losses, name)
    if name.startswith("_") or name in ("get", "serialize", "deserialize", "Loss"):
        continue
    parameters = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing).parameters.values()
    forms[f"signature {name}"] = [[p.name, None if p.default is p.empty else p.default] for p in parameters if p.name != "self"]
np.savez_compressed(here / "losses.npz", **numbers)
(here / "losses.json").write_text(json.dumps(forms, indent=1) + "\n")
