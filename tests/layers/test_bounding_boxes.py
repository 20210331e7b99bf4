"""keras.utils.bounding_boxes, against what Keras returned."""

import inspect
import json
import pathlib

import numpy as np
import pytest
from box_cases import ARRAYS, CASES

from kerasish import utils
from kerasish.base import tree
from kerasish.base.registry import lookup
from kerasish.engine import Tensor
from kerasish.engine.static import function

GOLDEN = json.loads((pathlib.Path(__file__).parent.parent / "golden" / "bounding_boxes.json").read_text())
SCOPE = {n: getattr(utils.bounding_boxes, n) for n in utils.bounding_boxes.__all__}


def evaluate(case, **arrays):
    return tree.flatten(eval(case, {**SCOPE, **{n: Tensor(a) for n, a in ARRAYS.items()}, **arrays}))


@pytest.mark.parametrize("case", CASES)
def test_values_are_those_of_keras(case):
    for got, wanted in zip(evaluate(case), GOLDEN[case], strict=True):
        np.testing.assert_allclose(np.asarray(got), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_a_program_computes_what_eager_code_does(case):
    names = list(ARRAYS)
    program = function(lambda *xs: evaluate(case, **dict(zip(names, xs, strict=True))))
    for got, wanted in zip(program(*ARRAYS.values()), evaluate(case), strict=True):
        np.testing.assert_allclose(np.asarray(got), np.asarray(wanted), rtol=1e-5, atol=1e-5)


def test_decoding_undoes_encoding():
    a, b = ARRAYS["A"], ARRAYS["A2"]
    deltas = SCOPE["encode_box_to_deltas"](a, b, "xyxy", "xyxy", variance=[0.1, 0.1, 0.2, 0.2])
    back = SCOPE["decode_deltas_to_boxes"](a, deltas, "xyxy", "xyxy", variance=[0.1, 0.1, 0.2, 0.2])
    np.testing.assert_allclose(np.asarray(back), b, rtol=1e-4)


def test_public_paths():
    for name, fn in SCOPE.items():
        assert lookup(f"keras.utils.bounding_boxes.{name}") is fn
    assert list(inspect.signature(SCOPE["pad"]).parameters) == [
        "boxes", "top", "left", "height", "width", "bounding_box_format",
    ]  # fmt: skip


ERRORS = [
    ("convert_format(A[:, :3], 'xyxy', 'yxyx')", ValueError, "last dimension"),
    ("convert_format(A, 'xyxy', 'corners')", ValueError, "Supported formats"),
    ("convert_format(A, 'xyxy', 'rel_xyxy')", ValueError, "height"),
    ("clip_to_image_size({'boxes': A})", ValueError, "height"),
    ("clip_to_image_size({'boxes': A}, bounding_box_format='xywh')", NotImplementedError, "xywh"),
    ("crop(A, 1, 1, 2, 2, 'xywh')", NotImplementedError, "xyxy"),
    ("pad(A, 1, 1, bounding_box_format='xywh')", NotImplementedError, "xyxy"),
    ("compute_iou(A[0], B, 'xyxy')", ValueError, "boxes1"),
    ("compute_iou(A, B[0], 'xyxy')", ValueError, "boxes2"),
    ("compute_iou(A, B, 'rel_xyxy')", ValueError, "image_shape"),
    ("compute_ciou(A, A2, 'rel_xyxy')", ValueError, "image_shape"),
    ("encode_box_to_deltas(A, A2, 'xyxy', 'xyxy', 'xyxy')", ValueError, "encoding_format"),
    ("encode_box_to_deltas(A, A2, 'xyxy', 'xyxy', variance=[1.0])", ValueError, "variance"),
    ("decode_deltas_to_boxes(A, A2, 'xyxy', 'xyxy', 'xyxy')", ValueError, "encoded_format"),
]


@pytest.mark.parametrize("case, error, message", ERRORS)
def test_errors(case, error, message):
    with pytest.raises(error, match=message):
        evaluate(case)
