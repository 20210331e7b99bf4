"""Every row of image_cases against what Keras returned; traced against eager; symbolic shapes; gradients; errors."""

import inspect
import json
import pathlib
import re
from typing import Any

import numpy as np
import pytest
from image_cases import ARRAYS, CASES

import kerasish as keras
from kerasish import ops, random
from kerasish.base import config
from kerasish.base.registry import lookup
from kerasish.engine import Tensor, autodiff
from kerasish.engine.static import function
from kerasish.ops.symbolic import KerasTensor, Node, Operation

GOLDEN = pathlib.Path(__file__).parent.parent / "golden"
FACTS = json.loads((GOLDEN / "ops_image.json").read_text())
_file = np.load(GOLDEN / "ops_image.npz")
RESULTS = {case: _file[f"{i:03d}"] for i, case in enumerate(json.loads(bytes(_file["cases"])))}
OPS = {name: getattr(ops.image, name) for name in ops.image.__all__}


def evaluate(case: str, **arrays: Any) -> Any:
    return eval(case, {**OPS, **{n: Tensor(a) for n, a in ARRAYS.items()}, **arrays})


def used(case: str, kinds: str = "iuf") -> list[str]:
    return [n for n in ARRAYS if re.search(rf"\b{n}\b", case) and ARRAYS[n].dtype.kind in kinds]


def test_every_case_was_recorded():
    assert set(CASES) == set(RESULTS)


@pytest.mark.parametrize("name", sorted(FACTS["ops"]))
def test_signatures_are_those_of_keras(name):
    params = inspect.signature(OPS[name]).parameters.values()
    ours = [[p.name, None if p.default is p.empty else p.default] for p in params]
    assert ours == [[n, None if d is None else eval(d)] for n, d in FACTS["ops"][name]]
    assert lookup(f"keras.ops.image.{name}") is OPS[name]


@pytest.mark.parametrize("path", sorted(FACTS["operations"]))
def test_operations_take_what_those_of_keras_take(path):
    made, called = FACTS["operations"][path]
    assert list(lookup(path).config_names) == made
    assert list(lookup(path).call_names) == called


@pytest.mark.parametrize("case", CASES)
def test_values_and_dtypes_are_those_of_keras(case):
    got, wanted = np.asarray(evaluate(case)), RESULTS[case]
    assert got.shape == wanted.shape and got.dtype == wanted.dtype
    if wanted.dtype.kind in "iu":  # a half may be rounded either way
        assert np.abs(got.astype(int) - wanted.astype(int)).max() <= 1
        assert np.mean(got != wanted) < 0.02
    else:
        np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_a_program_computes_what_eager_code_does(case):
    names = used(case)
    program = function(lambda *xs: evaluate(case, **dict(zip(names, xs, strict=True))))
    got, wanted = program(*[ARRAYS[n] for n in names]), evaluate(case)
    assert got.dtype == wanted.dtype
    np.testing.assert_allclose(np.asarray(got), np.asarray(wanted), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_a_tape_changes_nothing(case):
    arrays = {n: Tensor(ARRAYS[n]) for n in used(case)}
    with autodiff.GradientTape() as tape:
        tape.watch([t for t in arrays.values() if t.dtype.kind == "f"])
        got = evaluate(case, **arrays)
    np.testing.assert_array_equal(np.asarray(got), np.asarray(evaluate(case)))


def model_of(case: str) -> Any:
    inputs = {n: keras.Input(batch_shape=ARRAYS[n].shape, dtype=ARRAYS[n].dtype.name, name=n) for n in used(case)}
    return keras.Model(list(inputs.values()), evaluate(case, **inputs))


@pytest.mark.parametrize("case", CASES)
def test_a_model_of_the_op_is_written_and_read(case):
    model = model_of(case)
    again = keras.saving.deserialize_keras_object(json.loads(model.to_json()))
    for m in (model, again):
        np.testing.assert_array_equal(np.asarray(m([ARRAYS[n] for n in used(case)])), np.asarray(evaluate(case)))
    assert again.to_json() == model.to_json()


def symbol(shape: Any, dtype: str) -> KerasTensor:
    x = KerasTensor(shape, dtype=dtype)
    Node(Operation(), (), {}, x)  # makes it an input
    return x


@pytest.mark.parametrize("case", CASES)
def test_symbolic_tensors_have_the_shape_and_dtype_of_the_result(case):
    got = evaluate(case, **{n: symbol(ARRAYS[n].shape, ARRAYS[n].dtype.name) for n in used(case)})
    assert isinstance(got, KerasTensor)
    assert tuple(got.shape) == RESULTS[case].shape and got.dtype == RESULTS[case].dtype.name


UNKNOWN = [
    ("resize(x, (4, 6))", (None, None, None, 3), (None, 4, 6, 3)),
    ("resize(x, (4, 6), crop_to_aspect_ratio=True)", (None, None, None, 3), (None, 4, 6, 3)),
    ("resize(x, (4, 6), data_format='channels_first')", (None, 3, None, 8), (None, 3, 4, 6)),
    ("rgb_to_grayscale(x)", (None, None, None, 3), (None, None, None, 1)),
    ("rgb_to_hsv(x)", (None, None, None, 3), (None, None, None, 3)),
    ("affine_transform(x, t)", (None, None, None, 3), (None, None, None, 3)),
    ("extract_patches(x, 4)", (None, 16, 17, 3), (None, 4, 4, 48)),
    ("extract_patches(x, 4)", (None, None, None, 3), (None, None, None, 48)),
    ("pad_images(x, 1, 2, 3, 4)", (None, None, 7, 3), (None, None, 13, 3)),
    ("pad_images(x, 1, 2, target_height=9, target_width=99)", (None, 8, None, 3), (None, 9, 99, 3)),
    ("crop_images(x, 1, 2, target_height=4, target_width=5)", (None, None, None, 3), (None, 4, 5, 3)),
    ("gaussian_blur(x)", (None, None, 9, 3), (None, None, 9, 3)),
    ("elastic_transform(x, seed=1)", (None, 8, 9, 3), (None, 8, 9, 3)),
    ("sobel_edges(x)", (None, None, None, 3), (None, None, None, 3, 2)),
    ("ssim(x, x)", (None, 20, 20, 3), (None,)),
]


@pytest.mark.parametrize("case, shape, wanted", UNKNOWN)
def test_unknown_sizes(case, shape, wanted):
    got = eval(case, {**OPS, "x": symbol(shape, "float32"), "t": symbol((None, 8), "float32")})
    assert tuple(got.shape) == wanted


ROUGH = ("U8", "map_coordinates(I", "nearest'")  # whole numbers, or steps that finite differences cannot see


@pytest.mark.parametrize("case", [c for c in CASES if used(c, "f") and not any(r in c for r in ROUGH)])
def test_gradients_agree_with_finite_differences(case):
    names = [n for n in used(case, "f") if "order 0" not in case]
    config.set_floatx("float64")
    try:
        start = [ARRAYS[n].astype("float64") for n in names]

        def scalar(*xs: Any) -> Any:
            y = evaluate(case, **dict(zip(names, xs, strict=True)))
            return ops.sum(y * Tensor(np.random.RandomState(0).uniform(0.5, 1.5, y.shape)))

        _, grads = autodiff.value_and_grad(scalar, argnums=tuple(range(len(names))))(*[Tensor(a) for a in start])
        directions = [np.random.RandomState(3 + i).normal(size=a.shape) for i, a in enumerate(start)]
        got = sum(float(np.sum(np.asarray(g) * d)) for g, d in zip(grads, directions, strict=True) if g is not None)
        step = 1e-6
        up, down = (
            float(scalar(*[Tensor(a + s * step * d) for a, d in zip(start, directions, strict=True)])) for s in (1, -1)
        )
        assert got == pytest.approx((up - down) / (2 * step), rel=2e-4, abs=2e-5)
    finally:
        config.set_floatx("float32")


ERRORS = [
    ("resize(X, (1, 2, 3))", "size"),
    ("resize(X, (0, 2))", "positive"),
    ("resize(PLANE, (3, 2))", "Invalid images rank"),
    ("resize(X, (3, 2), interpolation='area')", "interpolation"),
    ("resize(X, (3, 2), fill_mode='reflect')", "fill_mode"),
    ("resize(X, (3, 2), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True)", "Only one of"),
    ("resize(X, (3, 2), data_format='last')", "data_format"),
    ("rgb_to_grayscale(ONE)", "Invalid channel size"),
    ("rgb_to_hsv(U8)", "float dtype"),
    ("hsv_to_rgb(U8)", "float dtype"),
    ("hsv_to_rgb(PLANE)", "Invalid images rank"),
    ("affine_transform(X, AFFINE, interpolation='cubic')", "interpolation"),
    ("affine_transform(X, AFFINE, fill_mode='zero')", "fill_mode"),
    ("affine_transform(X, START)", "Invalid transform rank"),
    ("affine_transform(PLANE, MATRIX)", "Invalid images rank"),
    ("perspective_transform(X, PLANE, END)", "Invalid start_points shape"),
    ("perspective_transform(X, START, START[0])", "same shape"),
    ("map_coordinates(X, AT, 1)", "First dim"),
    ("map_coordinates(PLANE[0], SCALE[:1], 1)", "Invalid coordinates rank"),
    ("map_coordinates(PLANE, AT, 2)", "order"),
    ("map_coordinates(PLANE, AT, 1, 'zero')", "fill_mode"),
    ("extract_patches(X, (1, 2, 3, 4))", "length 2 or 3"),
    ("pad_images(X, 1, 2)", "exactly two"),
    ("pad_images(X, -1, 2, 3, 4)", "top_padding must be >= 0"),
    ("pad_images(X, top_padding=9, left_padding=1, target_height=7, target_width=9)", "bottom_padding must be >= 0"),
    ("crop_images(X, 1, 2)", "exactly two"),
    ("crop_images(X, 4, 1, 4, 1)", "target_height must be >= 0"),
    ("crop_images(X, top_cropping=0, left_cropping=0, target_height=9, target_width=2)", "within"),
    ("scale_and_translate(X, (2, 3, 3, 3), SCALE, SHIFT, (1, 2), 'nearest')", "method"),
    ("scale_and_translate(X, (3, 3), SCALE, SHIFT, (1, 2), 'linear')", "output_shape"),
    ("elastic_transform(PLANE)", "Invalid images rank"),
    ("sobel_edges(ONE)", "rank 4"),
    ("ssim(PLANE, X)", "image1"),
    ("ssim(X, X)", "filter"),
]


@pytest.mark.parametrize("case, message", ERRORS)
def test_errors(case, message):
    with pytest.raises(ValueError, match=message):
        evaluate(case)


def test_a_size_of_another_type_is_a_type_error():
    with pytest.raises(TypeError, match="int or a tuple"):
        ops.image.extract_patches(ARRAYS["X"], 2.0)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_elastic_transform_moves_pixels_about(data_format):
    images = np.random.RandomState(0).rand(2, 12, 12, 12).astype("float32")
    kwargs = dict(alpha=3.0, sigma=1.0, data_format=data_format)
    a, b = (np.asarray(ops.image.elastic_transform(images, seed=5, **kwargs)) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert np.abs(a - images).max() > 0.1
    assert a.min() >= images.min() and a.max() <= images.max()
    still = ops.image.elastic_transform(images, alpha=0.0, sigma=1.0, seed=5, data_format=data_format)
    np.testing.assert_allclose(np.asarray(still), images, atol=1e-6)
    generator = random.SeedGenerator(3)
    first, second = (np.asarray(ops.image.elastic_transform(images, seed=generator, **kwargs)) for _ in range(2))
    assert np.abs(first - second).max() > 0.1


def test_elastic_displacements_are_smooth_and_of_the_size_asked_for():
    ramp = np.broadcast_to(np.arange(64.0, dtype="float32")[None, None, :, None], (8, 64, 64, 1)).copy()
    moved = np.asarray(ops.image.elastic_transform(ramp, alpha=2.0, sigma=2.0, seed=1)) - ramp
    inner = moved[:, 8:-8, 16:-16]
    # the deviation of white noise of deviation sigma, smoothed by a normal density of deviation sigma, times alpha
    assert np.std(inner) == pytest.approx(2.0 * 2.0 / (2 * 2.0 * np.sqrt(np.pi)), rel=0.15)
    assert np.std(np.diff(inner, axis=1)) < np.std(inner)


def test_integers_are_kept_by_a_blur():
    flat = np.full((1, 9, 9, 3), 200, "uint8")
    out = ops.image.gaussian_blur(flat)
    assert out.dtype == "uint8" and np.all(np.asarray(out)[:, 2:-2, 2:-2] == 200)
