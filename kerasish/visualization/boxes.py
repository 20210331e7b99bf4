"""Bounding boxes over images."""

from typing import Any

import numpy as np

from kerasish.base.optional import optional
from kerasish.base.registry import export
from kerasish.utils.bounding_boxes import convert_format
from kerasish.visualization.gallery import plot_image_gallery
from kerasish.visualization.images import as_images

Color = tuple[int, int, int]
FONT_SIZE = 24  # pixels at font_scale=1


@export("keras.visualization.draw_bounding_boxes")
def draw_bounding_boxes(
    images: Any, bounding_boxes: dict, bounding_box_format: str, class_mapping: dict | None = None,
    color: Color = (128, 128, 128), line_thickness: int = 2, text_thickness: int | None = 1, font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray:  # fmt: skip
    """Images with frames around what is in them: bytes, (batch, height, width, channels).

    bounding_boxes: "boxes" (batch, n, 4), "labels" (batch, n), where -1 means no box, and maybe "confidences" (batch, n).
    class_mapping:  names of labels, to be written beside the boxes; that needs the package Pillow.
    line_thickness: in pixels; -1 fills the boxes.

    Images of floats up to 1 are taken to lie between 0 and 1.

    >>> boxes = {"boxes": np.array([[[1, 1, 3, 3]]]), "labels": np.array([[0]])}
    >>> drawn = draw_bounding_boxes(np.zeros((1, 5, 5, 3)), boxes, "xyxy", color=(9, 9, 9), line_thickness=1)
    >>> drawn[0, 2, :, 0].tolist()
    [0, 9, 0, 9, 0]
    """
    if not isinstance(bounding_boxes, dict):
        raise TypeError(
            f"`bounding_boxes` should be a dict. Received: bounding_boxes={bounding_boxes} of type {type(bounding_boxes)}"
        )
    if "boxes" not in bounding_boxes or "labels" not in bounding_boxes:
        raise ValueError(
            "`bounding_boxes` should be a dict containing 'boxes' and 'labels' keys. "
            f"Received: bounding_boxes={bounding_boxes}"
        )
    batch = _as_bytes(as_images(images, data_format))
    height, width = batch.shape[1:3]
    converted = convert_format({"boxes": bounding_boxes["boxes"]}, bounding_box_format, "xyxy", height, width)
    boxes = np.asarray(converted["boxes"]).astype("int32")
    labels = np.asarray(bounding_boxes["labels"]).astype("int32")
    confidences = bounding_boxes.get("confidences")
    names = class_mapping or {}
    for i, image in enumerate(batch):
        for j, (box, label) in enumerate(zip(boxes[i].tolist(), labels[i].tolist(), strict=True)):
            if label == -1:
                continue
            _frame(image, box, color, line_thickness)
            if label in names:
                text = str(names[label])
                if confidences is not None:
                    text += f" | {float(np.asarray(confidences)[i, j]):.2f}"
                batch[i] = image = _write(image, text, box, color, font_scale, text_thickness or line_thickness)
    return batch


def _as_bytes(images: np.ndarray) -> np.ndarray:
    if images.dtype.kind == "f" and images.size:
        images = np.clip(images * 255 if images.max() <= 1 else images, 0, 255)
    return images.astype("uint8")


def _frame(image: np.ndarray, box: list[int], color: Color, thickness: int) -> None:
    """Draw the edges of a box, corners included; what lies outside of the image is left out."""
    x1, y1, x2, y2 = box
    ink = np.asarray(color[: image.shape[-1]], "uint8")

    def fill(left: int, top: int, right: int, bottom: int) -> None:
        image[max(top, 0) : max(bottom + 1, 0), max(left, 0) : max(right + 1, 0)] = ink

    if thickness < 0:
        fill(x1, y1, x2, y2)
        return
    before, after = thickness // 2, (thickness - 1) // 2  # half of the line on each side of the edge
    for y in (y1, y2):
        fill(x1 - before, y - before, x2 + after, y + after)
    for x in (x1, x2):
        fill(x - before, y1 - before, x + after, y2 + after)


def _write(image: np.ndarray, text: str, box: list[int], color: Color, scale: float, thickness: int) -> np.ndarray:
    """Write above a box, or inside it where there is no room above."""
    user = "draw_bounding_boxes(class_mapping=…)"
    pillow, drawing, fonts = (optional(f"PIL.{part}", "image", user) for part in ("Image", "ImageDraw", "ImageFont"))
    x, y = box[:2]
    size = max(int(FONT_SIZE * scale), 1)
    top = y - size - 4 if y - size - 4 > 0 else y + thickness + 3
    page = pillow.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    ink = color[0] if image.shape[-1] == 1 else tuple(color[: image.shape[-1]])
    try:
        font = fonts.load_default(size)
    except TypeError:  # before Pillow 10.1, of one size
        font = fonts.load_default()
    drawing.Draw(page).text((x, top), text, fill=ink, font=font, stroke_width=max(thickness - 1, 0) // 2)
    return np.asarray(page).reshape(image.shape)


@export("keras.visualization.plot_bounding_box_gallery")
def plot_bounding_box_gallery(
    images: Any, bounding_box_format: str, y_true: dict | None = None, y_pred: dict | None = None,
    value_range: tuple[float, float] = (0, 255), true_color: Color = (0, 188, 212), pred_color: Color = (255, 235, 59),
    line_thickness: int = 2, font_scale: float = 1.0, text_thickness: int | None = None,
    class_mapping: dict | None = None, ground_truth_mapping: dict | None = None, prediction_mapping: dict | None = None,
    legend: bool = False, legend_handles: Any = None, rows: int | None = None, cols: int | None = None,
    data_format: str | None = None, **kwargs: Any,
) -> None:  # fmt: skip
    """Show images with the boxes that should be and those that were seen; see `draw_bounding_boxes` and
    `plot_image_gallery`."""
    if legend:
        if legend_handles:
            raise ValueError(
                "Only pass `legend` OR `legend_handles` to `keras.visualization.plot_bounding_box_gallery()`."
            )
        patches = optional("matplotlib.patches", "plot", "plot_bounding_box_gallery")
        legend_handles = [
            patches.Patch(color=np.array(true_color) / 255, label="Ground Truth"),
            patches.Patch(color=np.array(pred_color) / 255, label="Prediction"),
        ]
    low, high = value_range
    batch = (as_images(images, data_format, "float32") - low) / (high - low)
    batch = np.clip(batch * 255, 0, 255).astype("uint8")
    given = ((y_true, true_color, ground_truth_mapping), (y_pred, pred_color, prediction_mapping))
    for boxes, color, names in given:
        if boxes is not None:
            batch = draw_bounding_boxes(
                batch, boxes, bounding_box_format, names or class_mapping, color, line_thickness, text_thickness,
                font_scale, "channels_last",
            )  # fmt: skip
    plot_image_gallery(batch, legend_handles=legend_handles, rows=rows, cols=cols, data_format="channels_last", **kwargs)
