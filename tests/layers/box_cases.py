"""Calls of keras.utils.bounding_boxes as expressions over the arrays below; tests/golden/make_bounding_boxes.py records
what Keras returns for each."""

import numpy as np

_rng = np.random.RandomState(2)


def _boxes(*shape: int) -> np.ndarray:
    corner = _rng.uniform(0, 20, (*shape, 2))
    return np.concatenate([corner, corner + _rng.uniform(1, 15, (*shape, 2))], -1).astype("float32")


ARRAYS = {
    "A": _boxes(5),
    "B": _boxes(3),
    "C": _boxes(2, 4),
    "D": _boxes(2, 3),
    "A2": _boxes(5),
    "PADDED": np.concatenate([_boxes(2), -np.ones((2, 4), "float32")]),
    "REL": _boxes(4) / 40,
    "ANGLE": np.array([0.0, 30.0], "float32"),
    "ZERO": np.zeros(2, "float32"),
    "ONE": np.ones(2, "float32"),
    "MOVE": np.array([0.1, -0.2], "float32"),
    "SLANT": np.array([10.0, -5.0], "float32"),
    "LABELS": np.array([[1, 2, 3, 4], [5, 6, 7, 8]], "int32"),
}
_FORMATS = "xyxy yxyx xywh center_xywh center_yxhw rel_xyxy rel_yxyx rel_xywh rel_center_xywh".split()

CASES = [
    *[f"convert_format(A, 'xyxy', '{f}', 30, 40)" for f in _FORMATS],
    *[f"convert_format(A, '{f}', 'xyxy', 30, 40)" for f in _FORMATS],
    "convert_format(REL, 'rel_xywh', 'rel_center_xywh', 30, 40)",
    "convert_format({'boxes': C, 'labels': LABELS}, 'yxyx', 'xywh')",
    "clip_to_image_size({'boxes': C - 5, 'labels': LABELS}, 18, 12)",
    "clip_to_image_size({'boxes': C / 10 - 1, 'labels': LABELS}, bounding_box_format='rel_xyxy')",
    "affine_transform(C, ANGLE, ZERO, ZERO, ONE, ZERO, ZERO, 30, 40)",
    "affine_transform(C, ZERO, MOVE, MOVE, ONE, ZERO, ZERO, 30, 40)",
    "affine_transform(C, ANGLE, MOVE, ZERO, ONE * 1.5, SLANT, SLANT, 30, 40, 0.2, 0.7)",
    "crop(A, 3, 4, 12, 10)",
    "crop(C, 3, 4, 12, 10)",
    "pad(A, 3, 4)",
    "compute_iou(A, B, 'xyxy')",
    "compute_iou(C, D, 'yxyx')",
    "compute_iou(A, B, 'center_xywh')",
    "compute_iou(REL, REL, 'rel_xyxy', image_shape=(30, 40, 3))",
    "compute_iou(PADDED, B, 'xyxy', use_masking=True, mask_val=-7)",
    "compute_ciou(A, A2, 'xyxy')",
    "compute_ciou(A, A2, 'xywh')",
    "compute_ciou(A, A, 'xyxy')",
    "encode_box_to_deltas(A, A2, 'xyxy', 'xyxy')",
    "encode_box_to_deltas(A, A2, 'xywh', 'xyxy', 'center_xywh', [0.1, 0.1, 0.2, 0.2])",
    "encode_box_to_deltas(REL, REL, 'rel_xyxy', 'rel_xyxy', image_shape=(30, 40, 3))",
    "decode_deltas_to_boxes(A, A2 / 30, 'xyxy', 'xyxy')",
    "decode_deltas_to_boxes(A, A2 / 30, 'xywh', 'yxyx', 'center_xywh', [0.1, 0.1, 0.2, 0.2])",
    "decode_deltas_to_boxes({'P': A, 'Q': A2}, {'P': A / 30, 'Q': A2 / 30}, 'xyxy', 'xyxy')",
]
