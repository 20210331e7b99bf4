"""Segmentation masks over images."""

from typing import Any

import numpy as np

from kerasish.base.registry import export
from kerasish.ops.dtypes import INTS
from kerasish.visualization.gallery import plot_image_gallery
from kerasish.visualization.images import as_images, channels_last


@export("keras.visualization.draw_segmentation_masks")
def draw_segmentation_masks(
    images: Any, segmentation_masks: Any, num_classes: int | None = None, color_mapping: Any = None, alpha: float = 0.8,
    blend: bool = True, ignore_index: int = -1, data_format: str | None = None,
) -> np.ndarray:  # fmt: skip
    """Images with the pixels of each class in its color: bytes, (batch, height, width, 3).

    segmentation_masks: (batch, height, width, 1) integers, the class of each pixel; those of `ignore_index` stay as they are.
    num_classes:        classes from here on are not drawn; by default all that occur are.
    color_mapping:      the color, 0 to 255, of each class, by its number; a palette by default.
    alpha, blend:       how much of the color; blend=False gives floats, and colors alone.

    >>> images = np.zeros((1, 1, 2, 3))
    >>> draw_segmentation_masks(images, np.array([[[[0], [1]]]]), color_mapping=[(0, 0, 0), (200, 0, 0)])[0, 0].tolist()
    [[0, 0, 0], [160, 0, 0]]
    """
    batch = as_images(images, data_format, "float32")
    masks = np.asarray(segmentation_masks)
    if masks.dtype.name not in INTS:
        raise TypeError(f"`segmentation_masks` must be in integer dtype. Received: segmentation_masks.dtype={masks.dtype}")
    classes = channels_last(masks, data_format)[..., 0]
    count = num_classes if num_classes is not None else int(classes.max(initial=-1)) + 1
    colors = _palette(count) if color_mapping is None else [color_mapping[i] for i in range(count)]
    painted = batch.copy()
    for i, color in enumerate(colors):
        painted[classes == i] = np.asarray(color, "float32")
    if not blend:
        return painted
    mixed = batch * (1 - alpha) + painted * alpha
    mixed = np.where((classes != ignore_index)[..., None], mixed, batch)
    return np.clip(mixed, 0, 255).astype("uint8")


def _palette(count: int) -> list[list[int]]:
    """Colors that differ: Keras's."""
    steps = np.array([2**25 - 1, 2**15 - 1, 2**21 - 1])
    return [(i * steps % 255).tolist() for i in range(count)]


@export("keras.visualization.plot_segmentation_mask_gallery")
def plot_segmentation_mask_gallery(
    images: Any, num_classes: int, value_range: tuple[float, float] = (0, 255), y_true: Any = None, y_pred: Any = None,
    color_mapping: Any = None, blend: bool = True, alpha: float = 0.8, ignore_index: int = -1,
    data_format: str | None = None, **kwargs: Any,
) -> None:  # fmt: skip
    """Show images, one a row, beside what should be and what was seen in them; see `plot_image_gallery`."""
    batch = as_images(images, data_format)
    columns = [batch]
    for masks in (y_true, y_pred):
        if masks is not None:
            classes = channels_last(np.asarray(masks), data_format).astype("int32")
            drawn = draw_segmentation_masks(
                batch, classes, num_classes, color_mapping, alpha, blend, ignore_index, "channels_last"
            )
            columns.append(drawn)
    shown = np.stack(columns, axis=1).reshape(-1, *batch.shape[1:])
    plot_image_gallery(
        shown, value_range=value_range, rows=len(batch), cols=len(columns), data_format="channels_last", **kwargs
    )
