"""Records Keras's initializers, regularizers, constraints and random functions: python tests/golden/make_parts.py"""

import json
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "jax"
here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "parts"))

import keras
import numpy as np
from parts_cases import CONSTRAINTS, DRAWN, FIXED, REGULARIZERS, WRONG, WRONG_REGULARIZERS, failure, names, signature


def config(module, made):
    return json.loads(json.dumps(module.serialize(made), default=lambda x: np.asarray(x).tolist()))


kinds = {"initializers": keras.initializers, "regularizers": keras.regularizers, "constraints": keras.constraints, "random": keras.random}
found = {"names": {}, "signatures": {}, "numbers": {}, "configs": {}, "errors": {}}
for kind, module in kinds.items():
    found["names"][kind] = names(module)
    found["signatures"][kind] = {n: signature(getattr(module, n)) for n in names(module) if callable(getattr(module, n))}
for kind, table in (("initializers", {**FIXED, **DRAWN}), ("regularizers", REGULARIZERS), ("constraints", CONSTRAINTS)):
    found["configs"][kind] = {name: config(kinds[kind], row[0](kinds[kind])) for name, row in table.items()}
    fixed = FIXED if kind == "initializers" else table
    found["numbers"][kind] = {name: np.asarray(row[0](kinds[kind])(row[1])).tolist() for name, row in fixed.items()}
found["errors"] = {
    "initializers": {name: failure(make, keras.initializers) for name, make in WRONG.items()},
    "regularizers": {name: failure(make, keras.regularizers) for name, make in WRONG_REGULARIZERS.items()},
}
(here / "parts.json").write_text(json.dumps(found, indent=0) + "\n")
