"""Which format a name means, what goes into each, and what is said when nothing fits."""

import io
import json
import pathlib
import zipfile

import h5py
import numpy as np
import pytest
from saving_fakes import Dense, Model, Words, make_model, values

from kerasish import saving
from kerasish.saving import legacy_h5


def with_words():
    model = make_model()
    model.layers.append(Words(["zwei", "wörter"], "words"))
    model.layers[-1].build((None, 2))
    return model


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("zipped", [True, False])
def test_whole_models(as_text, zipped, tmp_path):
    path = tmp_path / ("model.keras" if zipped else "model")
    model = with_words()
    saving.save_model(model, str(path) if as_text else path, zipped=zipped)
    again = saving.load_model(str(path) if as_text else path)
    assert values(again) == values(model) and again.layers[-1].words == ["zwei", "wörter"]
    assert again.compiled and again._arguments["loss"] == "mse" and again.optimizer.rate == 0.5


def test_file_objects():
    file = io.BytesIO()
    saving.save_model(with_words(), file)
    file.seek(0)
    assert values(saving.load_model(file)) == values(with_words())
    with pytest.raises(ValueError, match="into a folder"):
        saving.save_model(with_words(), file, zipped=False)


def test_contents_of_a_keras_file(tmp_path):
    saving.save_model(with_words(), tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        names = ["metadata.json", "config.json", "model.weights.h5", "assets/layers/words/vocabulary.txt"]
        assert archive.namelist() == names and archive.testzip() is None
        assert {i.compress_type for i in archive.infolist()} == {zipfile.ZIP_STORED}
        metadata = json.loads(archive.read("metadata.json"))
        assert metadata["keras_version"] == "3.15.1" and len(metadata["date_saved"]) == len("2026-01-01@00:00:00")
        config = json.loads(archive.read("config.json"))
    assert list(config) == ["module", "class_name", "config", "registered_name", "build_config", "compile_config"]


def test_without_compiling(tmp_path):
    model = make_model()
    for name in ("m.keras", "m.h5"):
        saving.save_model(model, tmp_path / name)
        again = saving.load_model(tmp_path / name, compile=False)
        assert not again.compiled and values(again) == [v.numpy().tolist() for v in model.weights]


def test_a_folder_keeps_its_other_files(tmp_path):
    (tmp_path / "README.md").write_text("mine")
    saving.save_model(with_words(), tmp_path, zipped=False)
    saving.save_model(make_model(seed=3), tmp_path, zipped=False)
    assert (tmp_path / "README.md").read_text() == "mine"
    assert values(saving.load_model(tmp_path)) == values(make_model(seed=3))


def test_an_unbuilt_model_is_saved_with_a_warning(tmp_path):
    with pytest.warns(UserWarning, match="not yet been built"):
        saving.save_model(Model([Dense(2)]), tmp_path / "m.keras")
    assert not saving.load_model(tmp_path / "m.keras").built


def test_large_weights_go_through_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr("kerasish.saving.archive.IN_MEMORY", 1000)
    saving.save_model(make_model(), tmp_path / "m.keras")
    assert values(saving.load_model(tmp_path / "m.keras")) == values(make_model())


# -- .h5 --------------------------------------------------------------------------------------------------------------


def test_contents_of_an_h5_file(tmp_path):
    saving.save_model(make_model(), tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        assert set(file.attrs) == {"backend", "keras_version", "model_config", "training_config"}
        assert set(file) == {"model_weights", "optimizer_weights"}
        config = json.loads(file.attrs["model_config"])
        assert [set(layer) for layer in config["config"]["layers"]] == [{"class_name", "config"}] * 2
        training = json.loads(file.attrs["training_config"])
        assert set(training["optimizer_config"]) == {"class_name", "config"} and training["metrics"] == ["mae"]
        group = file["model_weights"]
        assert list(group.attrs["layer_names"]) == ["dense_0", "dense_1"]
        assert list(group["dense_0"].attrs["weight_names"]) == ["dense_0/kernel", "dense_0/bias"]


def test_h5_without_its_optimizer(tmp_path, caplog):
    saving.save_model(make_model(), tmp_path / "m.h5", include_optimizer=False)
    assert "considered legacy" in caplog.text
    caplog.clear()
    assert not saving.load_model(tmp_path / "m.h5").compiled
    assert "No training configuration found" in caplog.text


def test_many_long_names(tmp_path):
    """More than an HDF5 attribute takes."""
    names = [f"layer_{'x' * 200}_{i}" for i in range(700)]
    model = Model([Dense(1, n) for n in names], "m")
    for layer in model.layers:
        layer.build((None, 1))
    model.built = True
    with h5py.File(tmp_path / "m.h5", "w"):
        pass
    saving.save_model(model, tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        assert {"layer_names0", "layer_names1", "layer_names2"} <= set(file["model_weights"].attrs)
    for layer in model.layers:
        layer.kernel.assign(np.zeros((1, 1)))
    before = [layer.kernel.numpy().item() for layer in model.layers]
    saving.load_weights(model, tmp_path / "m.h5")
    assert [layer.kernel.numpy().item() for layer in model.layers] != before
    with pytest.raises(RuntimeError, match="Shorten it"):
        model.layers[0].name = "x" * 70_000
        saving.save_model(model, tmp_path / "m.h5")


def test_weights_of_one_name(tmp_path):
    model = make_model(compiled=False)
    model.layers[0].bias._path = model.layers[0].kernel.path
    saving.save_model(model, tmp_path / "m.h5")
    again = make_model(compiled=False, seed=4)
    saving.load_weights(again, tmp_path / "m.h5")
    assert values(again) == values(model)


def test_weights_of_the_model_itself(tmp_path):
    def make(n):
        model = make_model(compiled=False)
        model.add("scale", np.float32(n))
        return model

    saving.save_model(make(3), tmp_path / "m.h5")
    again = make(5)
    saving.load_weights(again, tmp_path / "m.h5")
    assert again._trainable_variables[0].numpy() == 3
    with pytest.raises(ValueError, match=r"top-level weight\(s\). Received 1"):
        saving.load_weights(make_model(compiled=False), tmp_path / "m.h5")


@pytest.fixture
def weights_h5(tmp_path):
    """An `.h5` file of weights alone, as Keras 2 wrote them."""
    saving.save_model(make_model(compiled=False), tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as whole, h5py.File(tmp_path / "w.h5", "w") as alone:
        for name in whole["model_weights"]:
            whole.copy(f"model_weights/{name}", alone)
        for name, value in whole["model_weights"].attrs.items():
            alone.attrs[name] = value
    return tmp_path / "w.h5"


def test_h5_of_weights_alone(weights_h5):
    again = make_model(compiled=False, seed=4)
    saving.load_weights(again, weights_h5)
    assert values(again) == values(make_model(compiled=False))
    with pytest.raises(ValueError, match="No model config found"):
        saving.load_model(weights_h5)


def test_h5_by_name(weights_h5):
    old = make_model(compiled=False)
    model = Model([Dense(4, "other"), Dense(2, "dense_1")])
    model.build((None, 3))
    other = model.layers[0].kernel.numpy().tolist()
    saving.load_weights(model, weights_h5, by_name=True)
    assert model.layers[0].kernel.numpy().tolist() == other
    assert model.layers[1].kernel.numpy().tolist() == old.layers[1].kernel.numpy().tolist()


@pytest.mark.parametrize("by_name", [None, True])
def test_h5_mismatches(by_name, weights_h5):
    model = make_model((4, 3), compiled=False, seed=4)
    with pytest.raises(ValueError, match=r"Shape mismatch in layer #1 \(named dense_1\).*\(4, 3\).*\(4, 2\)"):
        saving.load_weights(model, weights_h5, by_name=by_name)
    with pytest.warns(UserWarning, match="Skipping loading weights for layer #1"):
        saving.load_weights(model, weights_h5, by_name=by_name, skip_mismatch=True)
    assert model.layers[0].kernel.numpy().tolist() == make_model(compiled=False).layers[0].kernel.numpy().tolist()
    with pytest.raises(ValueError, match="Layer count mismatch.*expected 1 layers, found 2"):
        saving.load_weights(make_model((4,), compiled=False), weights_h5)
    model.layers[0].add("third", np.zeros(2))
    with pytest.raises(ValueError, match=r"Weight count mismatch for layer #0.*3 weight\(s\). Received 2"):
        saving.load_weights(model, weights_h5, by_name=by_name)
    if by_name:
        with pytest.warns(UserWarning, match="mismatch in"):
            saving.load_weights(model, weights_h5, by_name=True, skip_mismatch=True)


def test_old_ways_of_saying_things():
    layer = {"class_name": "X", "config": {"batch_input_shape": [None, 3], "axis": [3]}}
    modern = legacy_h5.from_legacy(layer, {})
    assert modern == {
        "class_name": "X", "config": {"input_shape": (3,), "axis": 3}, "module": None, "registered_name": "X"
    }
    inner = legacy_h5.from_legacy({"class_name": "W", "config": {"layer": layer, "axis": 2.0}}, {})["config"]
    assert inner["layer"]["config"]["axis"] == 3 and inner["axis"] == 2
    first = legacy_h5.from_legacy({"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3]}}, {})
    assert first["config"] == {"batch_shape": [None, 3]}
    assert legacy_h5.from_legacy({"class_name": "Sequential", "config": [layer]}, {})["config"]["layers"][0] == modern


# -- names and messages -----------------------------------------------------------------------------------------------


def unused(*args):
    return make_model()


ERRORS = {
    "a model as text": (lambda p: saving.save_model(unused(), p / "m.txt"), "Invalid filepath extension"),
    "a folder named .keras": (
        lambda p: saving.save_model(unused(), p / "m.keras", zipped=False), "should not end in `.keras`"
    ),
    "save_format": (lambda p: saving.save_model(unused(), p / "m", save_format="tf"), "`save_format` argument is dep"),
    "an argument of save": (lambda p: saving.save_model(unused(), p / "m.keras", signatures=1), "not supported.*signat"),
    "a model from far away": (lambda p: saving.save_model(unused(), "gs://x/m.keras"), "on this machine alone"),
    "a model from a hub": (lambda p: saving.load_model("hf://user/model"), "on this machine alone"),
    "no .keras there": (lambda p: saving.load_model(p / "m.keras"), "File not found.*does not exist"),
    "no zip there": (lambda p: saving.load_model(p / "empty.keras"), "no zip archive"),
    "a model of another format": (lambda p: saving.load_model(p / "m.pb"), "File format not supported"),
    "an empty folder": (lambda p: saving.load_model(p), "File format not supported"),
    "weights as .keras": (lambda p: saving.save_weights(unused(), p / "m.keras"), r"must end in `.weights.h5`"),
    "weights as .h5": (lambda p: saving.save_weights(unused(), p / "m.h5"), r"must end in `.weights.h5`"),
    "sharded weights": (lambda p: saving.save_weights(unused(), p / "m.weights.h5", max_shard_size=1), "not supported"),
    "weights from .txt": (lambda p: saving.load_weights(unused(), p / "m.txt"), "File format not supported"),
    "an argument of load_weights": (
        lambda p: saving.load_weights(unused(), p / "m.h5", name=True), "Invalid keyword arguments.*name"
    ),
    "by_name from .keras": (lambda p: saving.load_weights(unused(), p / "m.keras", by_name=True), "`by_name` only"),
    "by_name from .weights.h5": (
        lambda p: saving.load_weights(unused(), p / "m.weights.h5", by_name=True), "`by_name` only"
    ),
    "objects_to_skip from .h5": (
        lambda p: saving.load_weights(unused(), p / "m.h5", objects_to_skip=[]), "`objects_to_skip` only"
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name, tmp_path):
    (tmp_path / "empty.keras").touch()
    act, message = ERRORS[name]
    with pytest.raises(ValueError, match=message):
        act(tmp_path)
    assert [p.name for p in pathlib.Path(tmp_path).iterdir()] == ["empty.keras"]


@pytest.mark.parametrize("name", ["m.h5", "m.weights.h5"])
def test_files_that_are_not_there(name, tmp_path):
    with pytest.raises(FileNotFoundError, match=name):
        saving.load_weights(make_model(), tmp_path / name)
    (tmp_path / name).write_bytes(b"not HDF5")
    with pytest.raises(OSError, match="can't be read as an HDF5 file"):
        saving.load_weights(make_model(), tmp_path / name)


def test_save_format_that_agrees_is_only_noted(tmp_path, caplog):
    saving.save_model(make_model(), tmp_path / "m.keras", save_format="keras")
    assert "`save_format` is deprecated" in caplog.text and values(saving.load_model(tmp_path / "m.keras"))
