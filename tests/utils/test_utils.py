"""Functions of keras.utils: every case gives what Keras gives; files from a URL are checked and unpacked with care."""

import hashlib
import io
import json
import os
import pathlib
import tarfile
import zipfile

import numpy as np
import pytest
from preprocessing_cases import answer, same
from utils_cases import CASES, KINDS, folder, space, table

import kerasish as keras
from kerasish.base.errors import UnsafeFileError

GOLDEN = json.loads((pathlib.Path(__file__).parents[1] / "golden/utils.json").read_text(encoding="utf-8"))


def test_every_case_has_an_answer():
    assert list(GOLDEN) == list(CASES)


@pytest.mark.parametrize("name", CASES)
def test_answers_are_keras(name):
    ours, theirs = answer(keras, name, CASES), GOLDEN[name]
    if theirs.get("error") == "Exception":
        assert "error" in ours
    else:
        assert same(json.loads(json.dumps(ours)), theirs)


def test_vectors_along_any_axis_are_normalized():
    assert np.allclose(keras.utils.normalize(np.array([[3.0, 4.0], [6, 8]]), axis=0, order=1), [[1 / 3, 1 / 3], [2 / 3, 2 / 3]])


# -- data sets --------------------------------------------------------------------------------------------------------


def test_texts_can_be_mapped_adapted_to_and_fitted():
    with folder("text") as path:
        dataset = keras.utils.text_dataset_from_directory(path, batch_size=2, seed=1)
        layer = keras.layers.TextVectorization(output_mode="multi_hot")
        layer.adapt(dataset.map(lambda x, y: x))
        assert layer.vocabulary_size() == 9
        vectors = dataset.map(lambda x, y: (layer(x), y)).cache().prefetch(2)
        model = keras.Sequential([keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        assert len(model.fit(vectors, epochs=2, verbose=0).history["loss"]) == 2
        whole = keras.Sequential([keras.Input((), dtype="string"), layer, keras.layers.Dense(1)])
        whole.compile("sgd", "mse")
        assert np.isfinite(whole.fit(dataset, verbose=0).history["loss"][0])
        assert len(list(dataset.take(1))) == len(dataset.take(1)) == 1 and len(list(dataset.take(-1))) == 3


def test_parts_do_not_overlap():
    with folder("text") as path:
        for seed in range(3):
            parts = keras.utils.text_dataset_from_directory(path, seed=seed, validation_split=0.4, subset="both")
            names = [set(p.file_paths) for p in parts]
            assert len(names[0]) == 3 and len(names[1]) == 2 and not names[0] & names[1]


def test_windows_train_a_model():
    series = np.sin(np.arange(60) / 3).astype("float32")[:, None]
    windows = keras.utils.timeseries_dataset_from_array(series, series[8:], 8, shuffle=True, seed=1, batch_size=16)
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    loss = model.fit(windows, epochs=20, verbose=0).history["loss"]
    assert loss[-1] < loss[0] and len(windows) == 4


def test_halves_can_be_batched():
    left, right = keras.utils.split_dataset((np.arange(10), np.arange(10) * 2), left_size=0.7)
    assert [y.tolist() for x, y in left.batch(4)] == [[0, 2, 4, 6], [8, 10, 12]] and len(right.batch(4)) == 1
    assert [int(x) for x in keras.utils.split_dataset(iter(range(5)), left_size=2)[1]] == [2, 3, 4]


# -- FeatureSpace -----------------------------------------------------------------------------------------------------


def test_a_space_is_saved(tmp_path):
    first = space(keras)
    first.save(tmp_path / "space.keras")
    again = keras.models.load_model(tmp_path / "space.keras")
    assert np.array_equal(again(table(keras)), first(table(keras)))


def test_a_space_is_part_of_a_model(tmp_path):
    first, columns = space(keras), table(keras)
    inputs = first.get_inputs()
    for encoded in (first.get_encoded_features(), first(inputs)):
        model = keras.Model(inputs, keras.layers.Dense(1)(encoded))
        model.compile("adam", "mse")
        model.fit(columns, np.ones(4), verbose=0)
        model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras")
        np.testing.assert_allclose(again.predict(columns, verbose=0), model.predict(columns, verbose=0), rtol=1e-6)


def test_a_space_adapts_to_columns_rows_and_batches():
    columns = {"a": [1.0, 2.0, 3.0, 4.0], "b": ["x", "y", "y", "z"]}
    batches = [{k: np.array(v[i : i + 2]) for k, v in columns.items()} for i in (0, 2)]
    found = []
    for data in (columns, batches, ({k: v[i] for k, v in columns.items()} for i in range(4))):
        features = keras.utils.FeatureSpace({"a": "float_normalized", "b": "string_categorical"})
        features.adapt(data)
        found.append(np.asarray(features(columns)))
    assert all(np.allclose(f, found[0]) for f in found) and found[0].shape == (4, 5)
    with pytest.raises(ValueError, match="no columns"):
        features.adapt({"a": [1.0]})
    with pytest.raises(ValueError, match="no columns"):
        features({"a": [1.0]})


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_features(kind):
    data = {"x": ["a", "b", "a"] if "string" in kind else [1, 2, 1] if "integer" in kind else [0.5, 3.5, 0.5]}
    features = keras.utils.FeatureSpace({"x": kind}, hashing_dim=4, num_discretization_bins=3)
    features.adapt(data if kind != "float_discretized" else {"x": np.arange(6.0)})
    y = np.asarray(features(data))
    assert y.shape[0] == 3 and y.dtype == "float32" and np.array_equal(y[0], y[2]) and not np.array_equal(y[0], y[1])


# -- get_file ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    """A folder of files by their URLs."""
    (tmp_path / "x.txt").write_text("hi")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "x.txt", arcname="d/x.txt")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        zipped.writestr("d/x.txt", "hi")
    return tmp_path.as_uri()


@pytest.fixture
def get(tmp_path):
    cache = tmp_path / "cache"

    def run(*args, **more):
        return os.path.relpath(keras.utils.get_file(*args, cache_dir=cache, **more), cache)

    run.cache = cache
    return run


SHA = hashlib.sha256(b"hi").hexdigest()
MD5 = hashlib.md5(b"hi").hexdigest()


@pytest.mark.parametrize("options", [{}, {"file_hash": SHA}, {"md5_hash": MD5}, {"file_hash": MD5}, {"file_hash": SHA, "hash_algorithm": "sha256"}])
def test_a_file_is_fetched_once(files, get, options):
    assert get("y.txt", f"{files}/x.txt", **options) == "datasets/y.txt"
    assert (get.cache / "datasets/y.txt").read_text() == "hi"
    (get.cache / "datasets/y.txt").write_text("mine")
    get("y.txt", f"{files}/x.txt")
    assert (get.cache / "datasets/y.txt").read_text() == "mine"
    get("y.txt", f"{files}/x.txt", **options)
    get("y.txt", f"{files}/x.txt", force_download=True)
    assert (get.cache / "datasets/y.txt").read_text() == "hi"
    assert get(origin=f"{files}/x.txt", cache_subdir="s") == "s/x.txt"


def test_a_wrong_hash_is_an_error(files, get):
    with pytest.raises(ValueError, match="does not match"):
        get("y.txt", f"{files}/x.txt", file_hash="0" * 64)
    assert not (get.cache / "datasets/y.txt").exists()


@pytest.mark.parametrize("name", ["../y", "/etc/y", "a/b", ".."])
def test_names_are_not_paths(files, get, name):
    with pytest.raises(ValueError, match="Paths are no longer accepted"):
        get(name, f"{files}/x.txt")


def test_what_cannot_be_fetched(files, get):
    with pytest.raises(ValueError, match="origin"):
        get("y")
    with pytest.raises(Exception, match="URL fetch failure"):
        get("y", f"{files}/nothing")
    assert os.listdir(get.cache / "datasets") == []


@pytest.mark.parametrize("name, options, expected", [
    ("a.tar.gz", {"extract": True}, "datasets/a_extracted"), ("a.zip", {"extract": True}, "datasets/a_extracted"),
    (None, {"extract": True}, "datasets/a.zip"), ("b", {"untar": True}, "datasets/b"),
])  # fmt: skip
def test_archives(files, get, name, options, expected):
    origin = f"{files}/a.tar.gz" if name in ("a.tar.gz", "b") else f"{files}/a.zip"
    assert get(name, origin, **options) == expected
    assert (get.cache / expected / "d/x.txt").read_text() == "hi"
    assert get(name, origin, **options) == expected


def hostile_tar(name, kind=tarfile.REGTYPE, link=""):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname, member.size = kind, link, 0
        archive.addfile(member)
    return data.getvalue()


def hostile_zip(name):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as zipped:
        zipped.writestr(name, "x")
    return data.getvalue()


HOSTILE = {
    "tar up": hostile_tar("../evil"), "tar link": hostile_tar("l", tarfile.SYMTYPE, "/etc/passwd"), "tar hard link": hostile_tar("l", tarfile.LNKTYPE, "../../x"),
    "zip up": hostile_zip("../evil"), "zip root": hostile_zip("/evil"), "zip drive": hostile_zip("C:/evil"), "zip backslash": hostile_zip("..\\evil"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_archives_cannot_leave_their_folder(kind, tmp_path, get):
    (tmp_path / "h").write_bytes(HOSTILE[kind])
    with pytest.raises(UnsafeFileError):
        get("h", (tmp_path / "h").as_uri(), extract=True)
    assert not list(tmp_path.rglob("evil*")) and not (get.cache / "datasets/h_extracted").exists()


# -- sounds -----------------------------------------------------------------------------------------------------------


def test_sounds_of_all_widths(tmp_path):
    import wave

    from kerasish.utils.audio_dataset import read_wave, resampled

    for width, most in ((1, 127), (2, 2**15 - 1), (3, 2**23 - 1), (4, 2**31 - 1)):
        with wave.open(str(tmp_path / "s.wav"), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(width)
            file.setframerate(100)
            signs = [128, 255] if width == 1 else [0, most]
            file.writeframes(b"".join(s.to_bytes(width, "little") for s in signs * 3))
        samples, rate = read_wave(str(tmp_path / "s.wav"))
        assert samples.shape == (3, 2) and rate == 100 and np.allclose(samples, [[0.0, 1.0]] * 3, atol=0.01)
        assert resampled(samples, 100, 200).shape == (6, 2)
