"""Image files: to arrays and back, and folders of them as data sets."""

import io
import sys

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers, utils
from kerasish.preprocessing import image as older

RAMP = np.stack(np.meshgrid(np.arange(6), np.arange(5), indexing="ij"), -1)
PICTURE = np.concatenate([RAMP * 40, np.full((6, 5, 1), 7)], -1).astype("uint8")  # (6, 5, 3)


def test_arrays_become_images_and_back():
    img = utils.array_to_img(PICTURE, scale=False)
    assert img.size == (5, 6) and img.mode == "RGB"
    np.testing.assert_array_equal(utils.img_to_array(img), PICTURE)
    assert utils.img_to_array(img).dtype == "float32"
    assert utils.img_to_array(img, data_format="channels_first", dtype="uint8").shape == (3, 6, 5)
    first = utils.array_to_img(np.moveaxis(PICTURE, -1, 0), data_format="channels_first", scale=False)
    np.testing.assert_array_equal(np.asarray(first), PICTURE)


def test_values_are_spread_if_wanted():
    spread = utils.img_to_array(utils.array_to_img(np.array([[[1.0], [2.0], [3.0]]])))
    assert spread.ravel().tolist() == [0, 127, 255]
    assert utils.img_to_array(utils.array_to_img(np.full((2, 2, 1), 5.0))).max() == 0


@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_channels(channels, mode):
    assert utils.array_to_img(np.ones((2, 3, channels)), scale=False).mode == mode
    assert utils.img_to_array(utils.array_to_img(np.ones((2, 3, channels)), scale=False)).shape == (2, 3, channels)


def test_deep_gray_images():
    deep = utils.array_to_img(np.array([[[1000.0], [3.0]]]), scale=False)
    assert utils.img_to_array(deep).ravel().tolist() == [1000, 3]


@pytest.mark.parametrize("name", ["a.png", "a.bmp"])
def test_files(tmp_path, name):
    path = tmp_path / name
    utils.save_img(path, PICTURE, scale=False)
    np.testing.assert_array_equal(utils.img_to_array(utils.load_img(path)), PICTURE)
    np.testing.assert_array_equal(utils.img_to_array(utils.load_img(str(path))), PICTURE)
    np.testing.assert_array_equal(utils.img_to_array(utils.load_img(io.BytesIO(path.read_bytes()))), PICTURE)
    assert utils.img_to_array(utils.load_img(path, color_mode="grayscale")).shape == (6, 5, 1)
    assert utils.img_to_array(utils.load_img(path, color_mode="rgba"))[..., 3].min() == 255
    assert utils.load_img(path, target_size=(3, 4), interpolation="bilinear").size == (4, 3)


def test_proportions_are_kept_by_cutting(tmp_path):
    wide = np.zeros((4, 12, 3), "uint8")
    wide[:, 4:8] = 255
    utils.save_img(tmp_path / "wide.png", wide, scale=False)
    square = utils.load_img(tmp_path / "wide.png", target_size=(2, 2), keep_aspect_ratio=True)
    assert utils.img_to_array(square).min() == 255


def test_jpeg_has_no_transparency(tmp_path):
    with pytest.warns(UserWarning, match="RGBA"):
        utils.save_img(tmp_path / "a.jpg", np.ones((4, 4, 4)) * 200, scale=False)
    assert utils.load_img(tmp_path / "a.jpg").mode == "RGB"


def test_smart_resize():
    x = np.random.RandomState(0).rand(2, 8, 6, 3).astype("float32")
    out = older.smart_resize(x, (4, 4))
    assert isinstance(out, np.ndarray)
    np.testing.assert_allclose(out, np.asarray(layers.Resizing(4, 4, crop_to_aspect_ratio=True)(x)), atol=1e-6)
    assert older.load_img is utils.load_img and keras.preprocessing.image.array_to_img is utils.array_to_img


ERRORS = [
    (lambda p: utils.array_to_img(np.ones((2, 2))), ValueError, "rank 3"),
    (lambda p: utils.array_to_img(np.ones((2, 2, 2))), ValueError, "channel number"),
    (lambda p: utils.img_to_array(np.ones(3)), ValueError, "shape"),
    (lambda p: utils.load_img(3), TypeError, "path"),
    (lambda p: utils.load_img(p, color_mode="cmyk"), ValueError, "color_mode"),
    (lambda p: utils.load_img(p, target_size=(2, 2), interpolation="area"), ValueError, "interpolation"),
    (lambda p: older.smart_resize(np.ones((4, 4)), (2, 2)), ValueError, "rank"),
    (lambda p: older.smart_resize(np.ones((4, 4, 3)), (2,)), ValueError, "size"),
    (lambda p: older.smart_resize(np.ones((4, 4, 3)), (2, 2), antialias=True), TypeError, "antialias"),
]


@pytest.mark.parametrize("call, error, message", ERRORS)
def test_errors(tmp_path, call, error, message):
    utils.save_img(tmp_path / "a.png", PICTURE)
    with pytest.raises(error, match=message):
        call(tmp_path / "a.png")


def test_without_pillow_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"pip install 'kerasish\[image\]'"):
        utils.array_to_img(PICTURE)


# -- folders ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """Twelve images: the number of each is its value; those of class `b` are in a folder further down too."""
    for i in range(12):
        place = tmp_path / ("a" if i < 7 else "b" if i < 10 else "b/more")
        place.mkdir(parents=True, exist_ok=True)
        utils.save_img(place / f"{i:02d}.png", np.full((4, 4, 3), i), scale=False)
    (tmp_path / "a" / "notes.txt").write_text("no image")
    (tmp_path / ".hidden").mkdir()
    return tmp_path


def values(batch):
    return np.asarray(batch)[:, 0, 0, 0].astype(int).tolist()


def make(folder, **kwargs):
    kwargs = {"image_size": (3, 5), "verbose": False, "batch_size": 5, "seed": 3, **kwargs}
    return utils.image_dataset_from_directory(folder, **kwargs)


def test_folders_are_classes(folder, capsys):
    data = make(folder, shuffle=False, verbose=True)
    assert "Found 12 files belonging to 2 classes." in capsys.readouterr().out
    assert data.class_names == ["a", "b"] and len(data.file_paths) == 12
    batches = list(data)
    assert [x.shape for x, _ in batches] == [(5, 3, 5, 3), (5, 3, 5, 3), (2, 3, 5, 3)]
    assert batches[0][0].dtype == "float32" and batches[0][1].dtype == "int32"
    assert [v for x, _ in batches for v in values(x)] == list(range(12))
    assert [int(v) for _, y in batches for v in y] == [0] * 7 + [1] * 5


def test_label_modes(folder):
    _, one_hot = next(iter(make(folder, label_mode="categorical", shuffle=False)))
    assert one_hot.shape == (5, 2) and one_hot.sum() == 5
    _, binary = next(iter(make(folder, label_mode="binary", shuffle=False)))
    assert binary.shape == (5, 1) and binary.dtype == "float32"
    for kwargs in ({"label_mode": None}, {"labels": None}):
        assert np.shape(next(iter(make(folder, **kwargs)))) == (5, 3, 5, 3)
    _, given = next(iter(make(folder, labels=list(range(12)), shuffle=False)))
    assert given.tolist() == [0, 1, 2, 3, 4]


def test_every_epoch_has_another_order_that_the_seed_decides(folder):
    def epochs():
        data = make(folder)
        out = []
        for _ in range(3):
            data.on_epoch_begin()
            batches = [data[i] for i in range(len(data))]
            found = [v for x, _ in batches for v in values(x)]
            assert [int(v >= 7) for v in found] == [int(v) for _, y in batches for v in y]
            out.append(found)
        return out

    first = epochs()
    assert first == epochs()
    assert len({tuple(e) for e in first}) == 3 and all(sorted(e) == list(range(12)) for e in first)


def test_parts_do_not_overlap(folder):
    training, validation = make(folder, validation_split=0.25, subset="both")
    assert len(training.file_paths) == 9 and len(validation.file_paths) == 3
    assert not set(training.file_paths) & set(validation.file_paths)
    for name, part in (("training", training), ("validation", validation)):
        assert make(folder, validation_split=0.25, subset=name).file_paths == part.file_paths


def test_further_options(folder):
    assert next(iter(make(folder, color_mode="grayscale")))[0].shape == (5, 3, 5, 1)
    assert next(iter(make(folder, data_format="channels_first")))[0].shape == (5, 3, 3, 5)
    assert next(iter(make(folder, class_names=["b"])))[1].tolist() == [0] * 5
    image, label = make(folder, batch_size=None, shuffle=False)[3]
    assert image.shape == (3, 5, 3) and label == 0
    framed = next(iter(make(folder, pad_to_aspect_ratio=True, interpolation="nearest")))[0]
    assert framed.shape == (5, 3, 5, 3)


def test_it_feeds_fit(folder):
    model = keras.Sequential(
        [layers.Rescaling(1 / 12), layers.RandomFlip(seed=1), layers.Flatten(), layers.Dense(2, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    training, validation = make(folder, validation_split=0.25, subset="both")
    history = model.fit(training, validation_data=validation, epochs=2, verbose=0)
    assert len(history.history["val_loss"]) == 2


FOLDER_ERRORS = [
    ({"labels": "guessed"}, "labels"),
    ({"labels": [1, 2]}, "lengths"),
    ({"labels": [1] * 12, "class_names": ["a"]}, "class_names"),
    ({"class_names": ["c"]}, "class_names"),
    ({"label_mode": "float"}, "label_mode"),
    ({"label_mode": "binary", "class_names": ["a"]}, "exactly 2"),
    ({"color_mode": "cmyk"}, "color_mode"),
    ({"image_size": (2, 2, 2)}, "image_size"),
    ({"interpolation": "gaussian"}, "interpolation"),
    ({"format": "torch"}, "format"),
    ({"validation_split": 2, "subset": "training"}, "validation_split"),
    ({"validation_split": 0.2}, "subset"),
    ({"validation_split": 0.2, "subset": "test"}, "subset"),
    ({"validation_split": 0.2, "subset": "training", "seed": None}, "seed"),
    ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "Only one"),
    ({"validation_split": 0.01, "subset": "validation"}, "No validation images"),
]


@pytest.mark.parametrize("kwargs, message", FOLDER_ERRORS, ids=lambda v: str(v))
def test_folder_errors(folder, kwargs, message):
    with pytest.raises(ValueError, match=message):
        make(folder, **kwargs)
