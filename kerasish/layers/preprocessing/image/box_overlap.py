"""How boxes lie to each other: how far two overlap, and a box as seen from an anchor."""

import math
from typing import Any

from kerasish import ops
from kerasish.base import config
from kerasish.base.registry import export
from kerasish.layers.preprocessing.image.boxes import area, convert_format

# -- regression targets -----------------------------------------------------------------------------------------------


def _checked_encoding(encoding: str, variance: Any, name: str) -> Any:
    if encoding not in ("center_xywh", "center_yxhw"):
        raise ValueError(f"`{name}` should be one of 'center_xywh' or 'center_yxhw', got {encoding}")
    if variance is None:
        return None
    variance = ops.convert_to_tensor(variance, "float32")
    if variance.shape[-1] != 4:
        raise ValueError(f"`variance` must be length 4, got {variance}")
    return variance


@export("keras.utils.bounding_boxes.encode_box_to_deltas")
def encode_box_to_deltas(
    anchors: Any, boxes: Any, anchor_format: str, box_format: str, encoding_format: str = "center_yxhw",
    variance: Any = None, image_shape: Any = None,
) -> Any:  # fmt: skip
    """Where boxes lie as seen from their anchors: shifts in sizes of the anchor, and logarithms of ratios of sizes."""
    variance = _checked_encoding(encoding_format, variance, "encoding_format")
    height, width = (None, None) if image_shape is None else image_shape[:2]
    a = convert_format(anchors, anchor_format, encoding_format, height, width)
    b = convert_format(boxes, box_format, encoding_format, height, width)
    size_a, size_b = (ops.maximum(t[..., 2:], config.epsilon()) for t in (a, b))
    deltas = ops.concatenate([(b[..., :2] - a[..., :2]) / size_a, ops.log(size_b / size_a)], axis=-1)
    return deltas if variance is None else deltas / variance


@export("keras.utils.bounding_boxes.decode_deltas_to_boxes")
def decode_deltas_to_boxes(
    anchors: Any, boxes_delta: Any, anchor_format: str, box_format: str, encoded_format: str = "center_yxhw",
    variance: Any = None, image_shape: Any = None,
) -> Any:  # fmt: skip
    """The inverse of `encode_box_to_deltas`; of dicts of anchors and deltas, level by level."""
    if isinstance(anchors, dict) and isinstance(boxes_delta, dict):
        rest = (anchor_format, box_format, encoded_format, variance, image_shape)
        return {level: decode_deltas_to_boxes(a, boxes_delta[level], *rest) for level, a in anchors.items()}
    variance = _checked_encoding(encoded_format, variance, "encoded_format")
    height, width = (None, None) if image_shape is None else image_shape[:2]
    a = convert_format(anchors, anchor_format, encoded_format, height, width)
    deltas = ops.convert_to_tensor(boxes_delta)
    if variance is not None:
        deltas = deltas * variance
    sizes = a[..., 2:]
    boxes = ops.concatenate([deltas[..., :2] * sizes + a[..., :2], ops.exp(deltas[..., 2:]) * sizes], axis=-1)
    return convert_format(boxes, encoded_format, box_format, height, width)


# -- overlap ----------------------------------------------------------------------------------------------------------


def _lengths(image_shape: Any, bounding_box_format: str) -> tuple:
    if "rel" in bounding_box_format and image_shape is None:
        raise ValueError(
            "When using relative bounding box formats (e.g. `rel_yxyx`) the `image_shape` argument must be provided. "
            f"Received `image_shape`: {image_shape}"
        )
    return (None, None) if image_shape is None else tuple(image_shape[:2])


@export("keras.utils.bounding_boxes.compute_iou")
def compute_iou(
    boxes1: Any, boxes2: Any, bounding_box_format: str, use_masking: bool = False, mask_val: Any = -1,
    image_shape: Any = None,
) -> Any:  # fmt: skip
    """(…, m, n): the overlap of each of m boxes with each of n: the area they share over that of their union.

    use_masking: whether pairs with a box of negative numbers only (padding) get `mask_val`.

    >>> import numpy as np
    >>> a, b = np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[1.0, 0.0, 3.0, 2.0]])
    >>> round(float(compute_iou(a, b, "xyxy")[0, 0]), 3)
    0.333
    """
    for name, boxes in (("boxes1", boxes1), ("boxes2", boxes2)):
        if len(boxes.shape) not in (2, 3):
            raise ValueError(
                f"compute_iou() expects {name} to be batched (3 axes), or to be unbatched (2 axes). "
                f"Received: {name}.shape={tuple(boxes.shape)}"
            )
    height, width = _lengths(image_shape, bounding_box_format)
    a, b = (convert_format(t, bounding_box_format, "xyxy", height, width) for t in (boxes1, boxes2))
    area_a, area_b = ops.expand_dims(area(a), -1), ops.expand_dims(area(b), -2)
    a, b = ops.expand_dims(a, -2), ops.expand_dims(b, -3)
    sides = ops.minimum(a[..., 2:], b[..., 2:]) - ops.maximum(a[..., :2], b[..., :2])
    shared = ops.prod(ops.maximum(sides, 0), axis=-1)
    iou = shared / (area_a + area_b - shared + config.epsilon())
    if not use_masking:
        return iou
    padding = ops.logical_or(ops.max(a, axis=-1) < 0, ops.max(b, axis=-1) < 0)
    return ops.where(padding, ops.cast(mask_val, iou.dtype), iou)


@export("keras.utils.bounding_boxes.compute_ciou")
def compute_ciou(boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Any = None) -> Any:
    """(…): the complete overlap of boxes with those at the same place (Zheng et al. 2020).

    It is less than the overlap by how far apart the centres are and how much the proportions differ.
    """
    height, width = _lengths(image_shape, bounding_box_format)
    tiny = config.epsilon()
    a, b = (convert_format(t, bounding_box_format, "xyxy", height, width) for t in (boxes1, boxes2))
    size_a, size_b = a[..., 2:] - a[..., :2], b[..., 2:] - b[..., :2]
    wa, ha, wb, hb = size_a[..., 0], size_a[..., 1] + tiny, size_b[..., 0], size_b[..., 1] + tiny
    sides = ops.minimum(a[..., 2:], b[..., 2:]) - ops.maximum(a[..., :2], b[..., :2])
    shared = ops.prod(ops.maximum(sides, 0), axis=-1)
    iou = shared / (wa * ha + wb * hb - shared + 2 * tiny)
    around = ops.maximum(a[..., 2:], b[..., 2:]) - ops.minimum(a[..., :2], b[..., :2])
    diagonal = ops.sum(ops.square(around), axis=-1) + tiny
    apart = ops.sum(ops.square((a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2), axis=-1)
    v = 4 / math.pi**2 * ops.square(ops.arctan(wb / hb) - ops.arctan(wa / ha))
    return iou - (apart / diagonal + v * v / (v - iou + 1 + tiny))
