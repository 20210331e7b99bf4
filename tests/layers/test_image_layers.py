"""Image layers: against what Keras made of the same transformations; and what holds for all of them."""

import inspect
import json
import pathlib
import re

import numpy as np
import pytest
from image_layer_cases import CASES, UNSEEDED, results, unpacked

import kerasish as keras
from kerasish import layers
from kerasish.engine.static import function
from kerasish.layers.preprocessing import image
from kerasish.layers.preprocessing.image import BaseImagePreprocessingLayer
from kerasish.utils import bounding_boxes as boxes_of

_file = np.load(pathlib.Path(__file__).parent.parent / "golden" / "image_layers.npz")
GOLDEN = json.loads(bytes(_file["records"]))
SIGNATURES = json.loads(bytes(_file["signatures"]))


def plain(x):
    """As it is in a file: tuples are lists there."""
    return json.loads(json.dumps(x))


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_signatures_are_those_of_keras(name):
    thing = getattr(boxes_of, name[6:]) if name.startswith("boxes.") else getattr(layers, name)
    ours = [[p.name, None if p.default is p.empty else p.default] for p in inspect.signature(thing).parameters.values()]
    assert ours == [[n, None if d is None else eval(d)] for n, d in SIGNATURES[name]]


def test_every_case_was_recorded():
    assert {c.id for c in CASES} == set(GOLDEN)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_transformation_does_what_it_does_in_keras(case):
    record = GOLDEN[case.id]
    got = results(case.make(keras), case, unpacked(record["transformation"], _file))
    wanted = {k: unpacked(v, _file) for k, v in record["results"].items()}
    assert set(got) == set(wanted)
    for name, array in wanted.items():
        assert got[name].shape == array.shape, name
        if (case.layer, name) == ("Equalization", "images"):  # XLA's division puts exact halves on either side
            away = np.abs(got[name] - array)
            assert away.max() <= 1 and np.mean(away > 1e-3) < 0.02
            continue
        np.testing.assert_allclose(got[name], array, rtol=1e-4, atol=5e-3 if array.max() > 2 else 2e-5, err_msg=name)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_configs_are_those_of_keras(case):
    layer = case.make(keras)
    config = layer.get_config()
    wanted = GOLDEN[case.id]["config"]
    extra = {"fill_value"} if case.layer == "MaxNumBoundingBoxes" and "fill_value" in case.kwargs else set()  # lost by Keras
    assert set(config) - {"name", "trainable", "dtype"} - extra == set(wanted)
    for key, value in wanted.items():
        if (case.layer, key) != ("RandomCrop", "seed"):
            assert plain(config[key]) == value, key
    again = type(layer).from_config(plain(config))
    assert plain(again.get_config()) == plain(config)


# -- calling ----------------------------------------------------------------------------------------------------------


def images_of(case, kind="float32"):
    x = case.data()["images"]
    return (x * (1 if x.max() > 2 else 255)).astype("uint8") if kind == "uint8" else x


def drawn(case, **kwargs):
    """The layer of a case, always seeded."""
    seed = {} if case.layer in UNSEEDED else {"seed": 11}
    return getattr(layers, case.layer)(**{**seed, **case.kwargs, **kwargs}, name="layer")


EVERY = pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
WHILE_PREDICTING = ("Resizing", "CenterCrop", "AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization")
KEEPS_DTYPE = ("Resizing", "RandomGrayscale", "MaxNumBoundingBoxes", "ContrastLimitedAdaptiveHistogramEqualization")


@EVERY
@pytest.mark.parametrize("kind", ["float32", "uint8"])
def test_one_image_or_a_batch_of_any_dtype(case, kind):
    batch = images_of(case, kind)
    dtype = kind if case.layer in KEEPS_DTYPE else "float32"
    whole, single = drawn(case)(batch), drawn(case)(batch[0])
    assert whole.dtype == single.dtype == dtype
    assert tuple(whole.shape) == (len(batch), *single.shape)
    assert tuple(whole.shape) == tuple(drawn(case).compute_output_shape(batch.shape))
    assert np.all(np.isfinite(np.asarray(whole, "float32")))


@EVERY
def test_without_training_nothing_happens(case):
    x = images_of(case)
    y = np.asarray(drawn(case)(x, training=False))
    if case.layer in WHILE_PREDICTING:
        np.testing.assert_array_equal(y, np.asarray(drawn(case)(x, training=True)))
    else:
        np.testing.assert_array_equal(y, x)


@EVERY
def test_a_seed_decides_every_draw_in_a_program_too(case):
    x = images_of(case)
    eager, again, inside = drawn(case), drawn(case), drawn(case)
    program = function(lambda v: inside(v, training=True))
    for _ in range(3):
        wanted = np.asarray(eager(x))
        np.testing.assert_array_equal(np.asarray(again(x)), wanted)
        np.testing.assert_allclose(np.asarray(program(x)), wanted, rtol=1e-4, atol=1e-3)


@EVERY
def test_everything_that_comes_with_images(case):
    def given():
        data = case.data()
        if case.layer == "CutMix":
            data.pop("bounding_boxes")
        return data

    layer = drawn(case, bounding_box_format=case.boxes or "xyxy")
    data = given()
    out = layer(data)
    assert set(out) == set(data)
    np.testing.assert_array_equal(data["images"], case.data()["images"])  # what was passed is left alone
    one = layer({k: v[0] if k != "bounding_boxes" else {n: b[0] for n, b in v.items()} for k, v in given().items()})
    assert tuple(one["images"].shape) == tuple(out["images"].shape[1:])
    assert tuple(one["labels"].shape) == (4,)
    assert tuple(one["segmentation_masks"].shape) == tuple(out["segmentation_masks"].shape[1:])
    if "bounding_boxes" in out and case.layer != "MixUp":
        assert tuple(one["bounding_boxes"]["boxes"].shape) == tuple(out["bounding_boxes"]["boxes"].shape[1:])
        assert tuple(one["bounding_boxes"]["labels"].shape) == tuple(out["bounding_boxes"]["labels"].shape[1:])


@EVERY
def test_in_models(case, tmp_path):
    x = images_of(case)
    inputs = keras.Input(x.shape[1:])
    outputs = drawn(case)(inputs)
    pooled = layers.GlobalAveragePooling2D(data_format=drawn(case).data_format)(outputs)
    model = keras.Model(inputs, layers.Dense(1)(pooled))
    assert tuple(outputs.shape[1:]) == tuple(drawn(case)(x).shape[1:])
    model.compile("sgd", "mse", jit_compile=True)  # a program must be possible
    model.fit(x / np.float32(255), np.zeros((3, 1), "float32"), batch_size=2, verbose=0)
    before = model.predict(x, verbose=0)
    if case.layer not in WHILE_PREDICTING:
        axes = (2, 3) if case.first else (1, 2)
        np.testing.assert_allclose(keras.Model(inputs, pooled).predict(x, verbose=0), x.mean(axis=axes), rtol=1e-4)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), before, rtol=1e-5)
    assert plain(again.layers[1].get_config()) == plain(model.layers[1].get_config())


@EVERY
def test_in_half_precision(case):
    x = images_of(case)
    wanted = "float32" if case.layer == "ContrastLimitedAdaptiveHistogramEqualization" else "float16"
    y = drawn(case, dtype="mixed_float16")(x)
    assert y.dtype == "float16" or y.dtype == wanted
    assert np.all(np.isfinite(np.asarray(y, "float32")))


def test_sizes_that_are_not_known():
    shapes = {}
    for case in CASES:
        shape = (3, None, None) if case.first else (None, None, 3)
        shapes[case.id] = tuple(drawn(case)(keras.Input(shape)).shape)
        known = {"height", "width"} & set(case.kwargs)
        if not known:
            assert shapes[case.id] == (None, *shape)
    assert shapes["RandomCrop(height=5, width=6)"] == (None, 5, 6, 3)


CHANNELS = [c for c in CASES if c.first and c.layer not in ("RandomErasing", "CutMix", "MixUp")]


@pytest.mark.parametrize("case", CHANNELS, ids=lambda c: c.id)
def test_channels_may_come_first(case):
    first, last = drawn(case), drawn(case, data_format="channels_last")
    x = images_of(case)
    wanted = np.moveaxis(np.asarray(last(np.moveaxis(x, 1, -1))), -1, 1)
    np.testing.assert_allclose(np.asarray(first(x)), wanted, rtol=1e-4, atol=1e-3)


# -- boxes follow what they hold --------------------------------------------------------------------------------------

HEIGHT, WIDTH = 60, 48
MOVES = {
    "resizing": lambda b: layers.Resizing(40, 70, bounding_box_format=b),
    "resizing, cut": lambda b: layers.Resizing(40, 70, crop_to_aspect_ratio=True, bounding_box_format=b),
    "resizing, cut at the sides": lambda b: layers.Resizing(70, 40, crop_to_aspect_ratio=True, bounding_box_format=b),
    "resizing, in a frame": lambda b: layers.Resizing(40, 70, pad_to_aspect_ratio=True, bounding_box_format=b),
    "center": lambda b: layers.CenterCrop(40, 30, bounding_box_format=b),
    "center, enlarged": lambda b: layers.CenterCrop(80, 60, bounding_box_format=b),
    "crop": lambda b: layers.RandomCrop(50, 40, seed=3, bounding_box_format=b),
    "crop, enlarged": lambda b: layers.RandomCrop(70, 60, seed=3, bounding_box_format=b),
    "flip": lambda b: layers.RandomFlip(seed=3, bounding_box_format=b),
    "flip across": lambda b: layers.RandomFlip("horizontal", seed=3, bounding_box_format=b),
    "rotation": lambda b: layers.RandomRotation(0.1, "constant", seed=3, bounding_box_format=b),
    "translation": lambda b: layers.RandomTranslation(0.2, 0.3, "constant", seed=3, bounding_box_format=b),
    "zoom": lambda b: layers.RandomZoom(0.4, 0.3, "constant", seed=3, bounding_box_format=b),
    "shear": lambda b: layers.RandomShear(0.3, 0.2, fill_mode="constant", seed=3, bounding_box_format=b),
    "perspective": lambda b: layers.RandomPerspective(scale=0.4, seed=3, bounding_box_format=b),
}


@pytest.mark.parametrize("box_format", ["xyxy", "rel_yxyx", "center_xywh"])
@pytest.mark.parametrize("move", MOVES)
def test_boxes_follow_what_they_hold(move, box_format):
    n = 6
    rng = np.random.RandomState(1)
    corner = rng.randint(12, 22, (n, 2))
    size = rng.randint(8, 16, (n, 2))
    images = np.zeros((n, HEIGHT, WIDTH, 1), "float32")
    for black, (y, x), (h, w) in zip(images, corner, size, strict=True):
        black[y : y + h, x : x + w] = 255
    boxes = np.concatenate([corner[:, ::-1], (corner + size)[:, ::-1]], axis=1)[:, None].astype("float32")
    given = boxes_of.convert_format(boxes, "xyxy", box_format, HEIGHT, WIDTH)
    labels = np.ones((n, 1), "int32")
    out = MOVES[move](box_format)({"images": images, "bounding_boxes": {"boxes": given, "labels": labels}})
    size = out["images"].shape[1:3]
    got = np.asarray(boxes_of.convert_format(out["bounding_boxes"]["boxes"], box_format, "xyxy", *size))[:, 0]
    for moved, box in zip(np.asarray(out["images"])[..., 0], got, strict=True):
        rows, columns = (np.flatnonzero((moved > 127).any(axis=a)) for a in (1, 0))
        seen = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        np.testing.assert_allclose(box, seen, atol=2.0)


def test_a_box_that_is_left_outside_loses_its_label():
    layer = layers.RandomTranslation(0, (0.9, 0.9), "constant", bounding_box_format="xyxy")
    boxes = {"boxes": np.array([[[5.0, 1.0, 9.0, 4.0], [0.0, 0.0, 1.0, 5.0]]]), "labels": np.array([[4, 5]])}
    out = layer({"images": np.ones((1, 10, 10, 3)), "bounding_boxes": boxes})["bounding_boxes"]
    assert np.asarray(out["labels"]).tolist() == [[-1, 5]]


def test_lists_of_boxes_are_filled_up():
    layer = layers.MaxNumBoundingBoxes(2, bounding_box_format="xyxy")
    boxes = {"boxes": [[[0, 0, 1, 1]], [[0, 0, 1, 1], [1, 1, 2, 2], [3, 3, 4, 4]], []], "labels": [[5], [6, 7, 8], []]}
    out = layer({"images": np.ones((3, 8, 8, 3)), "bounding_boxes": boxes})["bounding_boxes"]
    assert np.asarray(out["labels"]).tolist() == [[5, -1], [6, 7], [-1, -1]]
    assert tuple(out["boxes"].shape) == (3, 2, 4)


# -- draws ------------------------------------------------------------------------------------------------------------

RANGES = [
    (lambda: layers.RandomBrightness((0.1, 0.4), seed=1), "rgb_delta", 0.1 * 255, 0.4 * 255),
    (lambda: layers.RandomContrast((0.2, 0.6), seed=1), "contrast_factor", 0.8, 1.6),
    (lambda: layers.RandomRotation((-0.1, 0.3), seed=1), "angle", -36, 108),
    (lambda: layers.RandomZoom((-0.2, 0.4), seed=1), "height_zoom", 0.8, 1.4),
    (lambda: layers.RandomColorDegeneration(0.3, seed=1), "factor", -0.3, 0.3),
    (lambda: layers.RandomHue(0.8, seed=1), "factor", -0.4, 0.4),
    (lambda: layers.RandomSharpness((0.2, 0.5), seed=1), "factor", 0.2, 0.5),
    (lambda: layers.RandomPosterization((2, 6), seed=1), "shift_factor", 3, 6),
    (lambda: layers.RandomShear(0.4, 0.4, seed=1), "shear_factor", -0.4, 0.4),
    (lambda: layers.RandomTranslation(0.5, 0.5, seed=1), "translations", -2, 2),
    (lambda: layers.Solarization(0.4, 0.4, seed=1), "thresholds", 0, 0.4 * 255),
    (lambda: layers.MixUp(1.0, seed=1), "mix_weight", 0, 1),
]


@pytest.mark.parametrize("make, key, low, high", RANGES, ids=lambda v: v if isinstance(v, str) else "")
def test_draws_fill_their_range(make, key, low, high):
    values = np.asarray(make().get_random_transformation(np.zeros((2000, 4, 4, 3)))[key], "float64")
    assert low <= values.min() and values.max() <= high
    assert values.min() < low + 0.05 * (high - low) and values.max() > high - 0.05 * (high - low)
    assert len(np.unique(values.round(9))) > 3


CHANCES = [
    (lambda: layers.RandomFlip(seed=2), lambda t: t["flips"], 0.5),
    (lambda: layers.RandomGrayscale(0.3, seed=2), lambda t: t, 0.3),
    (lambda: layers.RandomInvert((0.7, 0.7), seed=2), lambda t: t["apply_inversion"], 0.7),
    (lambda: layers.RandomInvert(1.0, seed=2), lambda t: t["apply_inversion"], 0.5),
    (lambda: layers.RandomErasing((0.2, 0.2), seed=2), lambda t: t["apply_erasing"], 0.2),
    (lambda: layers.RandomPerspective((0.6, 0.6), seed=2), lambda t: t["apply_perspective"], 0.6),
    (lambda: layers.RandomGaussianBlur((0.4, 0.4), seed=2), lambda t: t["should_apply_blur"], 0.4),
    (lambda: layers.RandomElasticTransform((0.4, 0.4), seed=2), lambda t: t["apply_transform"], 0.4),
]


@pytest.mark.parametrize("make, take, chance", CHANCES)
def test_chances(make, take, chance):
    hits = np.asarray(take(make().get_random_transformation(np.zeros((3000, 4, 4, 3)))))
    assert hits.dtype == bool and hits.size == 3000
    assert hits.mean() == pytest.approx(chance, abs=0.04)


def test_a_seed_may_be_passed_for_one_transformation():
    layer = layers.RandomBrightness(0.5, seed=1)
    a, b = (np.asarray(layer.get_random_transformation(np.zeros((4, 2, 2, 3)), seed=9)["rgb_delta"]) for _ in "ab")
    np.testing.assert_array_equal(a, b)
    assert layer.get_random_transformation(np.zeros((4, 2, 2, 3)), training=False) is None


def test_erased_rectangles_have_the_area_asked_for():
    layer = layers.RandomErasing((1.0, 1.0), scale=(0.25, 0.25), fill_value=0.0, seed=4)
    out = np.asarray(layer(np.ones((20, 40, 40, 3), "float32")))
    erased = 1 - out.mean(axis=(1, 2, 3))
    np.testing.assert_allclose(erased, 0.25, atol=0.02)
    assert len({(int(o[..., 0].argmin())) for o in out}) > 10  # at different places
    colored = layers.RandomErasing((1.0, 1.0), fill_value=[1, 2, 3], seed=4)(np.full((2, 9, 9, 3), 9.0))
    assert {tuple(p) for p in np.asarray(colored).reshape(-1, 3).tolist()} == {(1, 2, 3), (9, 9, 9)}


def test_cut_and_mixed_labels_say_what_is_in_the_images():
    images = np.arange(8.0, dtype="float32")[:, None, None, None] * np.ones((8, 32, 32, 1), "float32")
    labels = np.eye(8, dtype="float32")
    for layer in (layers.CutMix(seed=5), layers.MixUp(1.0, seed=5)):
        out = layer({"images": images, "labels": labels, "segmentation_masks": images})
        content = np.asarray(out["images"]).mean(axis=(1, 2, 3))
        np.testing.assert_allclose(np.asarray(out["labels"]) @ np.arange(8), content, atol=0.35)
        np.testing.assert_allclose(np.asarray(out["segmentation_masks"]), np.asarray(out["images"]), atol=1e-4)
        assert np.abs(content - np.arange(8)).max() > 0.2


def test_mix_up_keeps_the_boxes_of_both_images():
    boxes = {"boxes": np.arange(16.0).reshape(2, 2, 4), "labels": np.array([[1, 2], [3, 4]])}
    out = layers.MixUp(seed=1, bounding_box_format="xyxy")({"images": np.ones((2, 8, 8, 3)), "bounding_boxes": boxes})
    assert tuple(out["bounding_boxes"]["boxes"].shape) == (2, 4, 4)
    assert tuple(out["bounding_boxes"]["labels"].shape) == (2, 4)


def test_elastic_transform_changes_some_images_only():
    x = np.random.RandomState(0).uniform(0, 255, (40, 24, 24, 3)).astype("float32")
    out = np.asarray(layers.RandomElasticTransform((0.5, 0.5), scale=(0.5, 1.0), seed=3)(x))
    changed = np.abs(out - x).max(axis=(1, 2, 3)) > 1
    assert 8 < changed.sum() < 32
    still = layers.RandomElasticTransform(scale=0, seed=3)
    np.testing.assert_array_equal(np.asarray(still(x)), x)


def test_policies_choose_every_layer():
    layer = layers.RandAugment(num_ops=1, seed=1)
    seen = {int(layer.get_random_transformation(np.zeros((1, 4, 4, 3)))["layer_idxes"][0]) for _ in range(120)}
    assert seen == set(range(11))
    x = np.random.RandomState(0).uniform(0, 255, (2, 12, 12, 3)).astype("float32")
    assert len({np.asarray(layer(x)).tobytes() for _ in range(12)}) > 6


def test_jitter_does_what_its_parts_do():
    x = images_of(CASES[0])
    layer = layers.RandomColorJitter(brightness_factor=0.3, contrast_factor=0.4, hue_factor=0.2, seed=6)
    drawn_ones = layer.get_random_transformation(x)
    wanted = x
    parts = (layers.RandomBrightness(0.3), layers.RandomContrast(0.4), layers.RandomHue(0.2))
    for part, own in zip(parts, drawn_ones, strict=True):
        wanted = part.transform_images(wanted, own)
    np.testing.assert_allclose(np.asarray(layer.transform_images(x, drawn_ones)), np.asarray(wanted), atol=1e-3)
    np.testing.assert_array_equal(np.asarray(layers.RandomColorJitter()(x)), x)


def test_a_layer_of_ones_own():
    class Shifted(BaseImagePreprocessingLayer):
        _USE_BASE_FACTOR = True

        def get_random_transformation(self, data, training=True, seed=None):
            return 2.0 * self.factor[1]

        def transform_images(self, images, transformation, training=True):
            return images + transformation if training else images

    out = Shifted(factor=0.5)({"images": np.ones((2, 4, 4, 3)), "labels": np.ones((2,))})
    np.testing.assert_array_equal(np.asarray(out["images"]), 2.0)


def test_rescaling():
    x = np.arange(24).reshape(2, 2, 2, 3).astype("uint8")
    np.testing.assert_allclose(np.asarray(layers.Rescaling([1, 2, 3], [0, 0, 1])(x)), x * [1.0, 2, 3] + [0, 0, 1])
    again = layers.Rescaling.from_config(plain(layers.Rescaling([1.0, 2.0, 3.0]).get_config()))
    np.testing.assert_allclose(np.asarray(again(x)), x * [1.0, 2, 3])


# -- errors -----------------------------------------------------------------------------------------------------------

ERRORS = [
    (lambda: layers.RandomFlip("sideways"), ValueError, "mode"),
    (lambda: layers.RandomRotation(2.0), ValueError, "factor"),
    (lambda: layers.RandomRotation((0.1, 0.2, 0.3)), ValueError, "factor"),
    (lambda: layers.RandomRotation("0.1"), ValueError, "factor"),
    (lambda: layers.RandomRotation(0.1, fill_mode="black"), NotImplementedError, "fill_mode"),
    (lambda: layers.RandomRotation(0.1, interpolation="bicubic"), NotImplementedError, "interpolation"),
    (lambda: layers.RandomTranslation(1.5, 0.1), ValueError, "height_factor"),
    (lambda: layers.RandomTranslation(0.1, "x"), ValueError, "width_factor"),
    (lambda: layers.RandomZoom(-1.0), ValueError, "height_factor"),
    (lambda: layers.RandomZoom(0.1, (0.1, 2)), ValueError, "width_factor"),
    (lambda: layers.RandomShear(-0.2), ValueError, "x_factor"),
    (lambda: layers.RandomShear(0.1, (0.2, 3)), ValueError, "y_factor"),
    (lambda: layers.RandomPerspective(scale=2), ValueError, "scale"),
    (lambda: layers.RandomPerspective(interpolation="cubic"), NotImplementedError, "interpolation"),
    (lambda: layers.RandomElasticTransform(scale=-1), ValueError, "scale"),
    (lambda: layers.RandomErasing(fill_value=[1, 2]), ValueError, "fill_value"),
    (lambda: layers.RandomBrightness(0.1, value_range=3), ValueError, "value_range"),
    (lambda: layers.RandomContrast(1.5), ValueError, "factor"),
    (lambda: layers.RandomGrayscale(1.5), ValueError, "factor"),
    (lambda: layers.RandomPosterization(0), ValueError, "factor"),
    (lambda: layers.RandomGaussianBlur(kernel_size=4), ValueError, "odd"),
    (lambda: layers.RandomGaussianBlur(kernel_size=(3, 3, 3)), ValueError, "kernel_size"),
    (lambda: layers.RandomGaussianBlur(sigma=3.0), ValueError, "sigma"),
    (lambda: layers.Solarization(1.5), ValueError, "addition_factor"),
    (lambda: layers.Solarization(0.5, "a"), ValueError, "threshold_factor"),
    (lambda: layers.AutoContrast(value_range=(1, 2, 3)), ValueError, "value_range"),
    (lambda: layers.Resizing(2, 2, data_format="last"), ValueError, "data_format"),
    (lambda: layers.Resizing(2, 2, interpolation="area")(np.ones((4, 4, 3))), ValueError, "interpolation"),
    (lambda: layers.RandomFlip()(np.ones((4, 4))), ValueError, "rank 3"),
    (lambda: layers.RandomColorDegeneration(0.1)(keras.Input((4, 4, 2))), ValueError, "3 channels"),
    (lambda: layers.CenterCrop(2, 2).compute_output_shape((4, 4)), ValueError, "input_shape"),
    (lambda: layers.RandomFlip(unknown=1), ValueError, "unknown"),
]


@pytest.mark.parametrize("make, error, message", ERRORS)
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_errors_about_boxes():
    data = {"images": np.ones((1, 8, 8, 3)), "bounding_boxes": {"boxes": np.ones((1, 1, 4)), "labels": np.ones((1, 1))}}
    with pytest.raises(ValueError, match="bounding_box_format"):
        layers.RandomFlip()(data)
    with pytest.raises(ValueError, match="'boxes' and 'labels'"):
        layers.RandomFlip(bounding_box_format="xyxy")({"images": data["images"], "bounding_boxes": {"boxes": 1}})
    for layer in (layers.CutMix(bounding_box_format="xyxy"), layers.RandomElasticTransform(bounding_box_format="xyxy")):
        with pytest.raises(NotImplementedError, match="bounding boxes"):
            layer(data)
    with pytest.raises(KeyError, match="unsupported keys"):
        layers.MaxNumBoundingBoxes(2).compute_output_shape({"bounding_boxes": {"boxes": (1, 2, 4), "scores": (1, 2)}})


# -- the document -----------------------------------------------------------------------------------------------------

DOCUMENT = (pathlib.Path(__file__).parents[2] / "docs" / "augmentation.md").read_text()


def test_the_document_names_every_layer():
    listed = set(re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.MULTILINE))
    assert listed == set(image.__all__) - {"BaseImagePreprocessingLayer"}


def test_the_layer_of_ones_own_in_the_document_works():
    (code,) = re.findall(r"```python\n(from kerasish.*?)```", DOCUMENT, re.DOTALL)
    scope: dict = {}
    exec(code, scope)
    layer = scope["Dimmed"](seed=1, bounding_box_format="xyxy")
    data = {"images": np.ones((3, 4, 4, 3), "uint8"), "labels": np.arange(3)}
    out = np.asarray(layer(data)["images"])
    assert 0.5 <= out.min() < out.max() < 1
    np.testing.assert_array_equal(np.asarray(layer(data["images"], training=False)), 1)
    assert np.asarray(layer(np.ones((4, 4, 3)))).shape == (4, 4, 3)
