"""Records what Keras writes into files. Run where Keras is installed: python tests/golden/make_saving.py"""

import json
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "saving"))

import h5py
import keras
import numpy as np
import saving_cases
import saving_models

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

# -- whole models -----------------------------------------------------------------------------------------------------

folder = here / "saving"
folder.mkdir(exist_ok=True)
numbers = {}
golden["places"] = {}
for name, (build, x, y, formats) in saving_models.MODELS.items():
    keras.backend.clear_session()
    model = build(keras)
    saving_models.fill(model)
    if y is not None:
        model.fit(x, y, epochs=2, verbose=0)
    for suffix in formats:
        path = folder / f"{name}.{suffix}"
        model.save_weights(path) if suffix == "weights.h5" else model.save(path)
    model.save_weights(folder / "places.weights.h5")
    places = {}
    with h5py.File(folder / "places.weights.h5") as file:
        file.visititems(lambda n, o: places.update({n: list(o.shape)}) if isinstance(o, h5py.Dataset) else None)
    golden["places"][name] = places
    for i, part in enumerate(saving_models.outputs(model, x)):
        numbers[f"{name}/{i}"] = part
    if y is not None:  # what training goes on with shows that the optimizer's state was kept
        model = keras.saving.load_model(folder / f"{name}.keras")
        model.train_on_batch(x, y)
        for i, v in enumerate(model.trainable_variables):
            numbers[f"{name}/after/{i}"] = np.asarray(v)
(folder / "places.weights.h5").unlink()
np.savez_compressed(here / "saving_models.npz", **numbers)
(here / "saving.json").write_text(json.dumps(golden, indent=1) + "\n")
