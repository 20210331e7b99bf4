"""Files that Keras wrote, read here: the same predictions, the same places, the same training afterwards."""

import json
import pathlib
import zipfile

import h5py
import numpy as np
import pytest
from saving_models import MODELS, blocks, fill, outputs

import kerasish as keras
from kerasish.base.naming import reset_uids

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
PLACES = json.loads((GOLDEN / "saving.json").read_text())["places"]
FILES = [(name, suffix) for name, (_, _, _, formats) in MODELS.items() for suffix in formats]


@pytest.fixture(scope="module")
def numbers():
    with np.load(GOLDEN / "saving_models.npz") as file:
        return dict(file)


@pytest.fixture(autouse=True)
def registered(own_registry):
    blocks(keras)
    reset_uids()


def load(name, suffix):
    path = GOLDEN / "saving" / f"{name}.{suffix}"
    if suffix != "weights.h5":
        return keras.saving.load_model(path)
    model = MODELS[name][0](keras)
    if model.optimizer:
        model.optimizer.build(model.trainable_variables)
    model.load_weights(path)
    return model


@pytest.mark.parametrize("name, suffix", FILES)
def test_predictions(name, suffix, numbers):
    model = load(name, suffix)
    for i, y in enumerate(outputs(model, MODELS[name][1])):
        np.testing.assert_allclose(y, numbers[f"{name}/{i}"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name, suffix", [(n, s) for n, s in FILES if MODELS[n][2] is not None])
def test_training_goes_on(name, suffix, numbers):
    model = load(name, suffix)
    _, x, y, _ = MODELS[name]
    model.train_on_batch(x, y)
    for i, v in enumerate(model.trainable_variables):
        np.testing.assert_allclose(v.numpy(), numbers[f"{name}/after/{i}"], rtol=1e-5, atol=1e-5, err_msg=v.path)


@pytest.mark.parametrize("name", MODELS)
def test_places_are_keras(name, tmp_path):
    model = MODELS[name][0](keras)
    if model.optimizer:
        model.optimizer.build(model.trainable_variables)
    model.save_weights(tmp_path / "m.weights.h5")
    places = {}
    with h5py.File(tmp_path / "m.weights.h5") as file:
        file.visititems(lambda n, o: places.update({n: list(o.shape)}) if isinstance(o, h5py.Dataset) else None)
    assert places == PLACES[name]


def config_of(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json"))


# What Keras leaves out and we write: the shapes that layers without variables were built with
MORE = ("build_config",)

# What differs from one run, or from one machine, to the next
CHANGING = ("shared_object_id", "jit_compile")


def differences(ours, theirs, path=""):
    """The paths at which two configs differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in {**ours, **theirs}:
            if key in CHANGING or (key in MORE and key not in theirs):
                continue
            if key not in ours or key not in theirs:
                yield f"{path}.{key}"
            else:
                yield from differences(ours[key], theirs[key], f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(a, b, f"{path}[{i}]")
    elif ours != theirs:
        yield path


@pytest.mark.parametrize("name", [n for n, s in FILES if s == "keras"])
def test_configs_are_keras(name, tmp_path):
    """What we read and write again is what Keras wrote."""
    load(name, "keras").save(tmp_path / "again.keras")
    ours, theirs = config_of(tmp_path / "again.keras"), config_of(GOLDEN / "saving" / f"{name}.keras")
    assert list(differences(ours, theirs)) == []


@pytest.mark.parametrize("name, suffix", FILES)
def test_our_own_files(name, suffix, tmp_path):
    build, x, y, _ = MODELS[name]
    model = build(keras)
    fill(model)
    if y is not None:
        model.fit(x, y, epochs=1, verbose=0)
    path = tmp_path / f"m.{suffix}"
    if suffix == "weights.h5":
        model.save_weights(path)
        again = build(keras)
        if y is not None:
            again.optimizer.build(again.trainable_variables)
        again.load_weights(path)
    else:
        model.save(path)
        again = keras.models.load_model(path)
    for a, b in zip(outputs(model, x), outputs(again, x), strict=True):
        assert np.array_equal(a, b)
    if y is not None:
        model.train_on_batch(x, y)
        again.train_on_batch(x, y)
        for a, b in zip(model.trainable_variables, again.trainable_variables, strict=True):
            assert np.array_equal(a.numpy(), b.numpy())
