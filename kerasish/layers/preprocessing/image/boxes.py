"""Bounding boxes: four numbers each, in one of several formats; and dicts of boxes with their labels.

Every format goes by way of xyxy: left, top, right and bottom in pixels. `rel_` means that 1 is the whole image.
"""

import math
from typing import Any, Callable

import numpy as np

from kerasish import ops
from kerasish.base.registry import export

# -- formats: how the four numbers become xyxy, and back --------------------------------------------------------------


def _centred(cx: Any, cy: Any, w: Any, h: Any) -> tuple:
    return cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2


def _centres(x1: Any, y1: Any, x2: Any, y2: Any) -> tuple:
    return x1 + (x2 - x1) / 2, y1 + (y2 - y1) / 2, x2 - x1, y2 - y1


_TO_XYXY: dict[str, Callable] = {
    "xyxy": lambda x1, y1, x2, y2: (x1, y1, x2, y2),
    "yxyx": lambda y1, x1, y2, x2: (x1, y1, x2, y2),
    "xywh": lambda x, y, w, h: (x, y, x + w, y + h),
    "center_xywh": _centred,
    "center_yxhw": lambda cy, cx, h, w: _centred(cx, cy, w, h),
}
_FROM_XYXY: dict[str, Callable] = {
    "xyxy": lambda x1, y1, x2, y2: (x1, y1, x2, y2),
    "yxyx": lambda x1, y1, x2, y2: (y1, x1, y2, x2),
    "xywh": lambda x1, y1, x2, y2: (x1, y1, x2 - x1, y2 - y1),
    "center_xywh": _centres,
    "center_yxhw": lambda *corners: tuple(_centres(*corners)[i] for i in (1, 0, 3, 2)),
}
FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh",
)  # fmt: skip


def _four(boxes: Any) -> list:
    return ops.split(boxes, 4, axis=-1)


def _joined(*four: Any) -> Any:
    return ops.concatenate(list(four), axis=-1)


@export("keras.utils.bounding_boxes.convert_format")
def convert_format(
    boxes: Any, source: str, target: str, height: Any = None, width: Any = None, dtype: Any = "float32"
) -> Any:
    """Boxes (…, 4) in another format; of a dict the boxes in it.

    height, width: of the images, needed between relative and absolute formats.

    >>> convert_format(np.array([[10.0, 20.0, 30.0, 60.0]]), "xyxy", "center_xywh").tolist()
    [[20.0, 40.0, 20.0, 40.0]]
    """
    if isinstance(boxes, dict):
        return {**boxes, "boxes": convert_format(boxes["boxes"], source, target, height, width, dtype)}
    boxes = ops.cast(boxes, dtype)
    if boxes.shape[-1] != 4:
        raise ValueError(
            f"`boxes` must be a tensor with the last dimension of 4. Received: boxes.shape={tuple(boxes.shape)}"
        )
    source, target = source.lower(), target.lower()
    if source not in FORMATS or target not in FORMATS:
        raise ValueError(
            f"Invalid source or target format. Supported formats: {FORMATS}. Received: source={source!r}, target={target!r}"
        )
    relative = [f.startswith("rel_") for f in (source, target)]
    if any(relative) and (height is None or width is None):
        raise ValueError(
            "convert_format() must receive `height` and `width` transforming between relative and absolute formats. "
            f"Received: source={source!r}, target={target!r}, height={height}, width={width}"
        )
    if source == target:
        return boxes
    corners = _TO_XYXY[source.removeprefix("rel_")](*_four(boxes))
    if relative[0] != relative[1]:
        sizes = [ops.cast(s, boxes.dtype) for s in (width, height, width, height)]
        scale = ops.multiply if relative[0] else ops.divide
        corners = tuple(scale(c, s) for c, s in zip(corners, sizes, strict=True))
    return _joined(*_FROM_XYXY[target.removeprefix("rel_")](*corners))


# -- moving boxes: all of these take and give xyxy --------------------------------------------------------------------


def clipped(boxes: Any, height: Any, width: Any) -> Any:
    """Boxes with what lies outside the image cut off."""
    height, width = ops.cast(height, boxes.dtype), ops.cast(width, boxes.dtype)
    x1, y1, x2, y2 = _four(boxes)

    def within(v: Any, end: Any) -> Any:
        return ops.minimum(ops.maximum(v, ops.zeros_like(end)), end)

    return _joined(within(x1, width), within(y1, height), within(x2, width), within(y2, height))


def area(boxes: Any) -> Any:
    x1, y1, x2, y2 = _four(boxes)
    return ops.squeeze((x2 - x1) * (y2 - y1), axis=-1)


@export("keras.utils.bounding_boxes.clip_to_image_size")
def clip_to_image_size(
    bounding_boxes: dict, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> dict:
    """Boxes cut to the image; those of which nothing is left get the label -1."""
    if bounding_box_format not in ("xyxy", "rel_xyxy"):
        raise NotImplementedError(
            f"Boxes are clipped in the formats 'xyxy' and 'rel_xyxy'. Received: {bounding_box_format!r}. Convert them first."
        )
    if bounding_box_format == "xyxy" and (height is None or width is None):
        raise ValueError("`height` and `width` must be set if `format='xyxy'`.")
    ends = (height, width) if bounding_box_format == "xyxy" else (1.0, 1.0)
    out = {**bounding_boxes, "boxes": clipped(ops.convert_to_tensor(bounding_boxes["boxes"]), *ends)}
    if bounding_boxes.get("labels") is not None:
        labels = ops.convert_to_tensor(bounding_boxes["labels"])
        out["labels"] = ops.where(area(out["boxes"]) > 0, labels, ops.cast(-1, labels.dtype))
    return out


def _only_xyxy(bounding_box_format: str) -> None:
    if bounding_box_format != "xyxy":
        raise NotImplementedError(
            f"Only boxes in the format 'xyxy' are taken. Received: bounding_box_format={bounding_box_format!r}. "
            "Use convert_format first."
        )


@export("keras.utils.bounding_boxes.crop")
def crop(boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy") -> Any:
    """Boxes as they are in the part of the image that starts at (top, left) and has this size."""
    _only_xyxy(bounding_box_format)
    return clipped(pad(boxes, -top, -left), height, width)


@export("keras.utils.bounding_boxes.pad")
def pad(
    boxes: Any, top: Any, left: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> Any:
    """Boxes as they are in an image that got rows on top and columns on the left."""
    _only_xyxy(bounding_box_format)
    x1, y1, x2, y2 = _four(ops.convert_to_tensor(boxes))
    return _joined(x1 + left, y1 + top, x2 + left, y2 + top)


def enclosing(boxes: Any, move: Callable) -> Any:
    """The boxes around what becomes of the four corners of each: `move` takes x and y and returns both."""
    x1, y1, x2, y2 = _four(boxes)
    xs, ys = zip(*[move(x, y) for x, y in ((x1, y1), (x2, y1), (x2, y2), (x1, y2))], strict=True)
    xs, ys = ops.concatenate(xs, axis=-1), ops.concatenate(ys, axis=-1)
    ends = [f(v, axis=-1, keepdims=True) for f in (ops.min, ops.max) for v in (xs, ys)]
    return _joined(*ends)


@export("keras.utils.bounding_boxes.affine_transform")
def affine_transform(
    boxes: Any, angle: Any, translate_x: Any, translate_y: Any, scale: Any, shear_x: Any, shear_y: Any, height: Any,
    width: Any, center_x: Any = None, center_y: Any = None, bounding_box_format: str = "xyxy",
) -> Any:  # fmt: skip
    """Boxes (batch, n, 4) around what they hold after it was turned, moved, scaled and sheared.

    angle, shear_x, shear_y: degrees, one for each image; translations are shares of the image's size.
    center_x, center_y:      about which point, as shares; the middle by default.
    """
    _only_xyxy(bounding_box_format)
    angle = ops.convert_to_tensor(angle)
    dtype = angle.dtype

    def column(v: Any) -> Any:
        return ops.reshape(ops.broadcast_to(ops.cast(v, dtype), angle.shape), (angle.shape[0], 1, 1))

    turn, slant_x, slant_y = (column(-ops.cast(v, dtype)) * (math.pi / 180) for v in (angle, shear_x, shear_y))
    scale = column(scale)
    cx = (0.5 if center_x is None else center_x) * ops.cast(width - 1, dtype)
    cy = (0.5 if center_y is None else center_y) * ops.cast(height - 1, dtype)
    to_x = cx - column(translate_x) * ops.cast(width - 1, dtype)
    to_y = cy - column(translate_y) * ops.cast(height - 1, dtype)
    a = ops.cos(turn - slant_y) / ops.cos(slant_y)
    c = -ops.sin(turn - slant_y) / ops.cos(slant_y)
    b = a * ops.tan(slant_x) + ops.sin(turn)
    d = ops.cos(turn) - c * ops.tan(slant_x)

    def move(x: Any, y: Any) -> tuple:
        x, y = x - to_x, y - to_y
        return scale * (d * x - b * y) + cx, scale * (a * y - c * x) + cy

    return enclosing(ops.cast(boxes, dtype), move)


# -- dicts of boxes ---------------------------------------------------------------------------------------------------


def dense(bounding_boxes: Any) -> dict:
    """A dict of boxes and labels as arrays: lists of different lengths are filled up with zeros and the label -1."""
    if not isinstance(bounding_boxes, dict) or not {"boxes", "labels"} <= set(bounding_boxes):
        found = list(bounding_boxes) if isinstance(bounding_boxes, dict) else type(bounding_boxes).__name__
        raise ValueError(
            f"`bounding_boxes` must be a dict with the keys 'boxes' and 'labels'. Received: {found}"
        )
    boxes, labels = bounding_boxes["boxes"], bounding_boxes["labels"]
    if not isinstance(boxes, (list, tuple)):
        return dict(bounding_boxes)
    if not boxes or not isinstance(boxes[0], (list, tuple, np.ndarray)) or np.ndim(boxes[0]) < 2 and len(boxes[0]) == 4:
        # the boxes of one image
        return {**bounding_boxes, "boxes": np.reshape(np.asarray(boxes, "float32"), (-1, 4)), "labels": np.asarray(labels)}
    longest = max(len(b) for b in boxes)
    all_boxes = np.zeros((len(boxes), longest, 4), "float32")
    all_labels = np.full((len(boxes), longest), -1, "int32")
    for i, (b, own) in enumerate(zip(boxes, labels, strict=True)):
        if len(b):
            all_boxes[i, : len(b)], all_labels[i, : len(b)] = b, own
    return {**bounding_boxes, "boxes": all_boxes, "labels": all_labels}
