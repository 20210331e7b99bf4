"""Mirrored images."""

from typing import Any

from kerasish import ops, random
from kerasish.base.registry import export
from kerasish.layers.preprocessing.image.base import BaseImagePreprocessingLayer
from kerasish.layers.preprocessing.image.boxes import clip_to_image_size

MODES = {"horizontal": (False, True), "vertical": (True, False), "horizontal_and_vertical": (True, True)}


@export("keras.layers.RandomFlip")
class RandomFlip(BaseImagePreprocessingLayer):
    """Every image mirrored, or not, each with probability 1/2.

    mode: "horizontal" swaps left and right, "vertical" top and bottom, "horizontal_and_vertical" both at once.

    >>> import numpy as np
    >>> np.sort(np.asarray(RandomFlip("horizontal", seed=1)(np.arange(3.0).reshape(1, 3, 1))).ravel())
    array([0., 1., 2.], dtype=float32)
    """

    def __init__(
        self, mode: str = "horizontal_and_vertical", seed: Any = None, data_format: str | None = None, **kwargs: Any
    ):
        super().__init__(data_format=data_format, **kwargs)
        if mode not in MODES:
            raise ValueError(f"`mode` must be one of {tuple(MODES)}. Received: mode={mode!r}")
        self.mode = mode
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> dict:
        flips = random.uniform((self._batch_size(images), 1, 1, 1), seed=seed) <= 0.5
        return {"flips": flips, "input_shape": tuple(images.shape)}

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        axes = [a for a, wanted in zip(self._spatial_axes, MODES[self.mode], strict=True) if wanted]
        return ops.where(transformation["flips"], ops.flip(images, axes), images)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any = None, training: bool = True) -> Any:
        return self.transform_images(segmentation_masks, transformation, training=training)

    def transform_bounding_boxes(self, bounding_boxes: dict, transformation: Any = None, training: bool = True) -> dict:
        if not training:
            return bounding_boxes
        size = self._size(transformation["input_shape"])
        out = self._boxes_as(bounding_boxes, "rel_xyxy", *size)
        x1, y1, x2, y2 = ops.split(out["boxes"], 4, axis=-1)
        flips = ops.reshape(transformation["flips"], (-1, 1, 1))
        vertical, horizontal = MODES[self.mode]
        if horizontal:
            x1, x2 = ops.where(flips, 1 - x2, x1), ops.where(flips, 1 - x1, x2)
        if vertical:
            y1, y2 = ops.where(flips, 1 - y2, y1), ops.where(flips, 1 - y1, y2)
        out["boxes"] = ops.concatenate([x1, y1, x2, y2], axis=-1)
        return self._boxes_back(clip_to_image_size(out, bounding_box_format="rel_xyxy"), "rel_xyxy", *size)
