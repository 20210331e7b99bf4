"""Records what Keras writes into files. Run where Keras is installed: python tests/golden/make_saving.py"""

import json
import os
import pathlib
import sys
import warnings

os.environ.setdefault("KERAS_BACKEND", "jax")
here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "saving"))

import keras  # noqa: E402
import saving_cases  # noqa: E402

saving_cases.register(keras)
golden = {"keras": keras.__version__, "forms": {}, "errors": {}}
for name, (make, _) in saving_cases.FORMS.items():
    golden["forms"][name] = keras.saving.serialize_keras_object(make(keras))
for name, (make, _) in saving_cases.ERRORS.items():
    try:
        keras.saving.serialize_keras_object(make(keras))
    except Exception as e:
        golden["errors"][name] = type(e).__name__
a = saving_cases.Thing()
with keras.src.saving.serialization_lib.ObjectSharingScope():
    golden["shared"] = keras.saving.serialize_keras_object([a, {"again": a}, saving_cases.Thing(5)])
(here / "saving.json").write_text(json.dumps(golden, indent=1) + "\n")
