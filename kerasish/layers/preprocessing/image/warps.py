"""Images distorted: by a change of perspective, or as if drawn on rubber."""

from typing import Any

from kerasish import ops, random
from kerasish.base.registry import export
from kerasish.layers.preprocessing.image.affine import INTERPOLATIONS
from kerasish.layers.preprocessing.image.base import (
    BaseImagePreprocessingLayer,
    checked_choice,
    factor_range,
    per_image,
)
from kerasish.layers.preprocessing.image.boxes import clip_to_image_size, enclosing
from kerasish.ops.image.sampling import displaced, homography


def chosen(n: Any, factor: tuple, seed: Any) -> Any:
    """Which of n images to transform: booleans (n,), each true with a probability drawn from the factor's range."""
    probability = random.uniform((n,), factor[0], factor[1], seed=seed)
    return random.uniform((n,), seed=seed) < probability


class WarpLayer(BaseImagePreprocessingLayer):
    """What both share: their masks are warped like the images."""

    _FACTOR_BOUNDS = (0, 1)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any = None, training: bool = True) -> Any:
        if not training or transformation is None:
            return segmentation_masks
        return self._transform_images(segmentation_masks, transformation, "nearest")


@export("keras.layers.RandomPerspective")
class RandomPerspective(WarpLayer):
    """Images seen from the side: their corners are moved, and the rest follows.

    factor: the probability that an image is changed, or the range that it is drawn from.
    scale:  how far corners move, at most, as a share of their place.

    >>> import numpy as np
    >>> RandomPerspective(scale=0.3, seed=1)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self, factor: Any = 1.0, scale: float = 1.0, interpolation: str = "bilinear", fill_value: float = 0.0,
        seed: Any = None, data_format: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        if not 0.0 <= scale <= 1.0:
            raise ValueError(f"The `scale` argument should be a number in the range [0,1]. Received: scale={scale}")
        self.scale, self.fill_value = scale, fill_value
        self.interpolation = checked_choice(interpolation, "interpolation", INTERPOLATIONS)
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> dict:
        n = self._batch_size(images)
        apply = chosen(n, self.factor, seed)
        moves = random.uniform((n, 4, 2), -0.5 * self.scale, 0.5 * self.scale, "float32", seed=seed)
        height, width = (ops.cast(v, "float32") - 1 for v in self._size(images))
        corners = [ops.stack([x, y]) for y in (0.0 * height, height) for x in (0.0 * width, width)]
        start = ops.broadcast_to(ops.expand_dims(ops.stack(corners), 0), (n, 4, 2))
        return {
            "apply_perspective": apply,
            "start_points": start,
            "end_points": start + start * moves,
            "input_shape": tuple(images.shape),
        }

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        moved = ops.image.perspective_transform(
            images, transformation["start_points"], transformation["end_points"], interpolation, self.fill_value,
            self.data_format,
        )  # fmt: skip
        return ops.where(per_image(transformation["apply_perspective"]), moved, images)

    def transform_bounding_boxes(self, bounding_boxes: dict, transformation: Any = None, training: bool = True) -> dict:
        if not training or transformation is None:
            return bounding_boxes
        size = self._size(transformation["input_shape"])
        out = self._boxes_as(bounding_boxes, "xyxy", *size)
        boxes = out["boxes"]
        start, end = (ops.cast(transformation[k], boxes.dtype) for k in ("start_points", "end_points"))
        # where the corners of the image go, so go the boxes: the projection the other way round
        h = [ops.expand_dims(v, -1) for v in ops.split(homography(end, start), 8, axis=-1)]

        def move(x: Any, y: Any) -> tuple:
            depth = h[6] * x + h[7] * y + 1
            return (h[0] * x + h[1] * y + h[2]) / depth, (h[3] * x + h[4] * y + h[5]) / depth

        apply = ops.reshape(transformation["apply_perspective"], (-1, 1, 1))
        out["boxes"] = ops.where(apply, enclosing(boxes, move), boxes)
        return self._boxes_back(clip_to_image_size(out, *size), "xyxy", *size)


@export("keras.layers.RandomElasticTransform")
class RandomElasticTransform(WarpLayer):
    """Images as if drawn on rubber that is pulled here and there (Simard et al. 2003). Boxes can't be passed.

    factor: the probability that an image is changed, or the range that it is drawn from.
    scale:  how strong the distortion is, or the range that it is drawn from.

    >>> import numpy as np
    >>> RandomElasticTransform(seed=1)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self, factor: Any = 1.0, scale: Any = 1.0, interpolation: str = "bilinear", fill_mode: str = "reflect",
        fill_value: float = 0.0, value_range: Any = (0, 255), seed: Any = None, data_format: str | None = None,
        **kwargs: Any,
    ):  # fmt: skip
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.scale = factor_range(scale, self._FACTOR_BOUNDS, "scale")
        self.interpolation = checked_choice(interpolation, "interpolation", INTERPOLATIONS)
        self.fill_mode = checked_choice(fill_mode, "fill_mode", ("constant", "nearest", "wrap", "mirror", "reflect"))
        self.fill_value, self.value_range = fill_value, value_range
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> Any:
        if self.scale[1] == 0 or self.factor[1] == 0:
            return None
        n = self._batch_size(images)
        height, width = (int(v) for v in self._size(images))
        strength = random.uniform((), self.scale[0], self.scale[1], "float32", seed=seed)
        field = random.normal((n, height, width, 2), dtype="float32", seed=seed)
        return {"apply_transform": chosen(n, self.factor, seed), "distortion_factor": strength, "noise": field}

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        height, width = self._size(images)
        strength = transformation["distortion_factor"]
        alpha = 0.1 * max(height, width) * strength
        # the blur reaches as far as the strongest one needs, since its width is known only when it is drawn
        reach = 0.05 * min(height, width)
        size = int(6 * reach * self.scale[1]) | 1
        sigma = ops.maximum(reach * strength, 1e-3)
        field = ops.image.gaussian_blur(
            transformation["noise"] * sigma, (size, size), ops.stack([sigma, sigma]), "channels_last"
        )
        moved = displaced(images, alpha * field, interpolation, self.fill_mode, self.fill_value, self.data_format)
        return ops.where(per_image(transformation["apply_transform"]), moved, images)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        images = super().transform_images(images, transformation, training)
        if training and transformation is not None:
            images = ops.clip(images, *self.value_range)
        return images

    def transform_bounding_boxes(self, bounding_boxes: dict, transformation: Any = None, training: bool = True) -> dict:
        raise NotImplementedError("RandomElasticTransform does not move bounding boxes. Leave them out of its inputs.")
