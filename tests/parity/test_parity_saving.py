"""Files both ways with an installed Keras: it reads what we write, and we read what it writes."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

from saving_models import MODELS, fill, outputs

import kerasish
from kerasish.base import registry

# Keras's own warnings are not ours to judge
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]
FILES = [(name, suffix) for name in MODELS for suffix in ("keras", "weights.h5", "h5") if (name, suffix) != ("blocks", "h5")]
LIBRARIES = {"ours to Keras": (kerasish, keras), "Keras to ours": (keras, kerasish)}


@pytest.fixture(autouse=True)
def own_registry():
    """Our registry of custom objects, as it was afterwards."""
    tables = (registry._custom, registry._custom_names)
    before = [dict(table) for table in tables]
    yield
    for table, contents in zip(tables, before, strict=True):
        table.clear()
        table.update(contents)


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
    if (suffix, reader) == ("h5", keras):
        return  # Keras 3.15 can't train a model that it loaded from an .h5 file with its optimizer, its own ones included
    if y is not None:
        model.train_on_batch(x, y)
        again.train_on_batch(x, y)
        for a, b in zip(model.trainable_variables, again.trainable_variables, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-5, err_msg=a.path)


def test_keras_reads_our_lambdas_and_we_read_its_with_the_function(tmp_path):
    def make(library):
        layers = library.layers
        return library.Sequential([layers.Input((3,)), layers.Lambda(lambda x: x * 2 + 1, name="mine")])

    x = np.ones((2, 3), "float32")
    make(kerasish).save(tmp_path / "ours.keras")
    assert keras.saving.load_model(tmp_path / "ours.keras", safe_mode=False).predict(x, verbose=0).tolist() == [[3] * 3] * 2
    make(keras).save(tmp_path / "theirs.keras")
    with pytest.raises(kerasish.base.errors.UnsafeFileError):
        kerasish.saving.load_model(tmp_path / "theirs.keras", safe_mode=False)
    passed = {"mine": lambda x: x * 2 + 1}
    again = kerasish.saving.load_model(tmp_path / "theirs.keras", custom_objects=passed)
    assert again.predict(x, verbose=0).tolist() == [[3] * 3] * 2
