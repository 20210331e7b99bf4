"""As many bounding boxes for every image."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.preprocessing.image.base import BaseImagePreprocessingLayer


@export("keras.layers.MaxNumBoundingBoxes")
class MaxNumBoundingBoxes(BaseImagePreprocessingLayer):
    """The first `max_number` boxes of every image; where there are fewer, boxes and labels of `fill_value` follow.

    >>> import numpy as np
    >>> boxes = {"boxes": np.ones((1, 1, 4)), "labels": np.ones((1, 1))}
    >>> layer = MaxNumBoundingBoxes(2, bounding_box_format="xyxy")
    >>> np.asarray(layer({"images": np.ones((1, 4, 4, 3)), "bounding_boxes": boxes})["bounding_boxes"]["labels"])
    array([[ 1., -1.]], dtype=float32)
    """

    _own_dtype = True

    def __init__(self, max_number: int, fill_value: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.max_number, self.fill_value = int(max_number), int(fill_value)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        return images

    def transform_bounding_boxes(self, bounding_boxes: dict, transformation: Any = None, training: bool = True) -> dict:
        out = dict(bounding_boxes)
        for key in ("boxes", "labels"):
            x = ops.convert_to_tensor(bounding_boxes[key])[:, : self.max_number]
            missing = self.max_number - x.shape[1]
            widths = [(0, 0), (0, missing), (0, 0)][: len(x.shape)]
            out[key] = ops.pad(x, widths, constant_values=self.fill_value) if missing else x
        return out

    def get_config(self) -> dict:
        config = super().get_config()
        if self.fill_value == -1:  # Keras leaves it out whatever it is
            del config["fill_value"]
        return config

    def compute_output_shape(self, input_shape: Any) -> Any:
        if not isinstance(input_shape, dict) or "bounding_boxes" not in input_shape:
            return input_shape
        boxes = input_shape["bounding_boxes"]
        unknown = set(boxes) - {"boxes", "labels"}
        if unknown:
            raise KeyError(
                f"There are unsupported keys in `bounding_boxes`: {sorted(unknown)}. Only `boxes` and `labels` are supported."
            )
        resized = {k: [*list(v)[:1], self.max_number, *list(v)[2:]] for k, v in boxes.items()}
        return {**input_shape, "bounding_boxes": resized}
