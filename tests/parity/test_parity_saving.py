"""Files both ways with an installed Keras: it reads what we write, and we read what it writes."""

import os
import pathlib
import sys

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "saving"))

from saving_models import MODELS, fill, outputs

import kerasish

# Keras hands its own variables to NumPy in a way that NumPy warns of
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore:__array__ implementation")]
# not here: whole-model .h5, whose compiled losses by name Keras itself cannot read again, and ops between layers
FILES = [(name, suffix) for name in MODELS if name != "functional" for suffix in ("keras", "weights.h5")]
LIBRARIES = {"ours to Keras": (kerasish, keras), "Keras to ours": (keras, kerasish)}


@pytest.mark.parametrize("way", LIBRARIES)
@pytest.mark.parametrize("name, suffix", FILES)
def test_files(name, suffix, way, tmp_path):
    writer, reader = LIBRARIES[way]
    build, x, y, _ = MODELS[name]
    model, again = build(writer), build(reader)
    fill(model)
    if y is not None:
        model.fit(x, y, epochs=2, verbose=0, shuffle=False)
        again.optimizer.build(again.trainable_variables)
    path = tmp_path / f"m.{suffix}"
    if suffix == "weights.h5":
        model.save_weights(path)
        again.load_weights(path)
    else:
        model.save(path)
        again = reader.saving.load_model(path)
    for a, b in zip(outputs(model, x), outputs(again, x), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    if y is not None:
        model.train_on_batch(x, y)
        again.train_on_batch(x, y)
        for a, b in zip(model.trainable_variables, again.trainable_variables, strict=True):
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-4, atol=1e-5, err_msg=a.path)
