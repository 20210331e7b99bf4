"""Turned, moved, zoomed and slanted images: one matrix for each image, and boxes that follow by its inverse."""

import math
from typing import Any

from kerasish import ops, random
from kerasish.base.registry import export
from kerasish.layers.preprocessing.image.base import BaseImagePreprocessingLayer, checked_choice, factor_range
from kerasish.layers.preprocessing.image.boxes import clip_to_image_size, enclosing

FILL_MODES = ("reflect", "wrap", "constant", "nearest")
INTERPOLATIONS = ("nearest", "bilinear")


class AffineLayer(BaseImagePreprocessingLayer):
    """What these layers share: `_matrix` says from where each new pixel is taken."""

    def _set_sampling(self, fill_mode: str, interpolation: str, fill_value: float) -> None:
        self.fill_mode = checked_choice(fill_mode, "fill_mode", FILL_MODES)
        self.interpolation = checked_choice(interpolation, "interpolation", INTERPOLATIONS)
        self.fill_value = fill_value

    def _matrix(self, transformation: Any, height: Any, width: Any) -> list:
        """a0, a1, a2, b0, b1, b2 of ops.image.affine_transform: each a number, or (batch, 1)."""
        raise NotImplementedError

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        numbers = [ops.cast(v, "float32") for v in self._matrix(transformation, *self._size(images))]
        n = next(v.shape[0] for v in numbers if len(v.shape))
        zero = ops.zeros((n, 1))
        row = ops.concatenate([zero + v for v in numbers] + [zero, zero], axis=1)
        return ops.image.affine_transform(
            images, row, interpolation, fill_mode=self.fill_mode, fill_value=self.fill_value, data_format=self.data_format
        )

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any = None, training: bool = True) -> Any:
        if not training or transformation is None:
            return segmentation_masks
        return self._transform_images(segmentation_masks, transformation, "nearest")

    def transform_bounding_boxes(self, bounding_boxes: dict, transformation: Any = None, training: bool = True) -> dict:
        if not training or transformation is None:
            return bounding_boxes
        size = self._input_size(transformation)
        out = self._boxes_as(bounding_boxes, "xyxy", *size)
        dtype = out["boxes"].dtype
        numbers = [ops.cast(v, dtype) for v in self._matrix(transformation, *size)]
        a0, a1, a2, b0, b1, b2 = (ops.expand_dims(v, -1) if len(v.shape) else v for v in numbers)
        determinant = a0 * b1 - a1 * b0

        def move(x: Any, y: Any) -> tuple:
            x, y = x - a2, y - b2
            return (b1 * x - a1 * y) / determinant, (a0 * y - b0 * x) / determinant

        out["boxes"] = enclosing(out["boxes"], move)
        return self._boxes_back(clip_to_image_size(out, *size), "xyxy", *size)

    def _input_size(self, transformation: Any) -> tuple:
        return self._size(transformation["input_shape"])


@export("keras.layers.RandomRotation")
class RandomRotation(AffineLayer):
    """Images turned about their middle.

    factor:    the least and greatest angle in full turns; a number x means (-x, x). Positive is counterclockwise.
    fill_mode: what is seen outside the image: "reflect", "wrap", "constant" (`fill_value`) or "nearest".

    >>> import numpy as np
    >>> np.asarray(RandomRotation((0.5, 0.5))(np.arange(4.0).reshape(2, 2, 1))).round(3).ravel()
    array([3., 2., 1., 0.], dtype=float32)
    """

    def __init__(
        self, factor: Any, fill_mode: str = "reflect", interpolation: str = "bilinear", seed: Any = None,
        fill_value: float = 0.0, data_format: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(factor=factor or 0.0, data_format=data_format, **kwargs)
        self._set_sampling(fill_mode, interpolation, fill_value)
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> dict:
        n = self._batch_size(images)
        height, width = self._size(images)
        angle = random.uniform((n,), self.factor[0] * 360.0, self.factor[1] * 360.0, seed=seed)
        out = {"angle": angle, "image_height": height, "image_width": width, "batch_size": n}
        return {**out, "rotation_matrix": self._row(angle, height, width)}

    def _row(self, angle: Any, height: Any, width: Any) -> Any:
        numbers = self._matrix({"angle": angle}, height, width)
        zero = ops.zeros_like(numbers[0])
        return ops.concatenate([*numbers, zero, zero], axis=1)

    def _matrix(self, transformation: Any, height: Any, width: Any) -> list:
        angle = ops.expand_dims(ops.convert_to_tensor(transformation["angle"]), -1) * (math.pi / 180)
        cos, sin = ops.cos(angle), ops.sin(angle)
        x, y = ((ops.cast(v, angle.dtype) - 1) / 2 for v in (width, height))
        return [cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos]

    def _input_size(self, transformation: Any) -> tuple:
        return transformation["image_height"], transformation["image_width"]


@export("keras.layers.RandomTranslation")
class RandomTranslation(AffineLayer):
    """Images moved.

    height_factor, width_factor: how far down and to the right, as shares of the size; a number x means (-x, x).

    >>> import numpy as np
    >>> layer = RandomTranslation(0, (0.5, 0.5), fill_mode="constant")
    >>> np.asarray(layer(np.ones((1, 4, 1)))).ravel()
    array([0., 0., 1., 1.], dtype=float32)
    """

    def __init__(
        self, height_factor: Any, width_factor: Any, fill_mode: str = "reflect", interpolation: str = "bilinear",
        seed: Any = None, fill_value: float = 0.0, data_format: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(data_format=data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self.height_lower, self.height_upper = _pair(height_factor, "height_factor", -1.0)
        self.width_lower, self.width_upper = _pair(width_factor, "width_factor", -1.0)
        self._set_sampling(fill_mode, interpolation, fill_value)
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> dict:
        n = self._batch_size(images)
        height, width = (ops.cast(v, "float32") for v in self._size(images))
        down = random.uniform((n, 1), self.height_lower, self.height_upper, "float32", seed=seed) * height
        right = random.uniform((n, 1), self.width_lower, self.width_upper, "float32", seed=seed) * width
        return {"translations": ops.concatenate([right, down], axis=1), "input_shape": tuple(images.shape)}

    def _matrix(self, transformation: Any, height: Any, width: Any) -> list:
        right, down = ops.split(transformation["translations"], 2, axis=1)
        return [1.0, 0.0, -right, 0.0, 1.0, -down]


@export("keras.layers.RandomZoom")
class RandomZoom(AffineLayer):
    """Images seen from nearer or further away.

    height_factor: how much more of the image is seen, as a share; positive zooms out, negative in; a number x means
        (-x, x).
    width_factor:  the same for the width; None keeps the proportions.

    >>> import numpy as np
    >>> layer = RandomZoom((1.0, 1.0), fill_mode="constant")
    >>> np.asarray(layer(np.ones((4, 4, 1))))[..., 0].round(2)[1:3, 1:3]
    array([[1., 1.],
           [1., 1.]], dtype=float32)
    """

    def __init__(
        self, height_factor: Any, width_factor: Any = None, fill_mode: str = "reflect", interpolation: str = "bilinear",
        seed: Any = None, fill_value: float = 0.0, data_format: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(data_format=data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self.height_lower, self.height_upper = _pair(height_factor, "height_factor", -1.0, open_below=True)
        if width_factor is not None:
            self.width_lower, self.width_upper = _pair(width_factor, "width_factor", -1.0, open_below=True)
        self._set_sampling(fill_mode, interpolation, fill_value)
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> dict:
        shape = (self._batch_size(images), 1)
        down = across = random.uniform(shape, 1.0 + self.height_lower, 1.0 + self.height_upper, seed=seed)
        if self.width_factor is not None:
            across = random.uniform(shape, 1.0 + self.width_lower, 1.0 + self.width_upper, seed=seed)
        return {"height_zoom": down, "width_zoom": across, "input_shape": tuple(images.shape)}

    def _matrix(self, transformation: Any, height: Any, width: Any) -> list:
        down, across = (ops.cast(transformation[k], "float32") for k in ("height_zoom", "width_zoom"))
        x, y = ((ops.cast(v, "float32") - 1) / 2 for v in (width, height))
        return [across, 0.0, x * (1 - across), 0.0, down, y * (1 - down)]


@export("keras.layers.RandomShear")
class RandomShear(AffineLayer):
    """Images slanted: rows are shifted by a multiple of their number, and columns likewise.

    x_factor, y_factor: the least and greatest shift; a number x means (-x, x), and a sign is drawn with it.

    >>> import numpy as np
    >>> RandomShear(0.3, 0.1, seed=1)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    _FACTOR_BOUNDS = (0, 1)

    def __init__(
        self, x_factor: Any = 0.0, y_factor: Any = 0.0, interpolation: str = "bilinear", fill_mode: str = "reflect",
        fill_value: float = 0.0, data_format: str | None = None, seed: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(data_format=data_format, **kwargs)
        self.x_factor = _slant(x_factor, "x_factor")
        self.y_factor = _slant(y_factor, "y_factor")
        self._set_sampling(fill_mode, interpolation, fill_value)
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> dict:
        shape = (self._batch_size(images), 1)
        kind = self.compute_dtype
        side = ops.where(random.uniform(shape, dtype=kind, seed=seed) > 0.5, -1.0, 1.0)
        y = random.uniform(shape, *self.y_factor, dtype=kind, seed=seed)
        x = random.uniform(shape, *self.x_factor, dtype=kind, seed=seed)
        return {
            "shear_factor": ops.concatenate([x, y], axis=1) * ops.cast(side, kind),
            "input_shape": tuple(images.shape),
        }

    def _matrix(self, transformation: Any, height: Any, width: Any) -> list:
        x, y = ops.split(transformation["shear_factor"], 2, axis=1)
        return [1.0, x, 0.0, y, 1.0, 0.0]


def _pair(factor: Any, name: str, low: float, open_below: bool = False) -> tuple:
    """A factor as (lower, upper), both within [low, 1]."""
    ends = factor if isinstance(factor, (tuple, list)) else (factor,)
    numbers = all(isinstance(v, (int, float)) for v in ends)
    if not numbers or any(not low <= v <= 1.0 or (open_below and v == low) for v in ends):
        raise ValueError(
            f"The `{name}` argument should be a number (or a list of two numbers) in the range "
            f"{'(' if open_below else '['}{low}, 1.0]. Received: {name}={factor}"
        )
    return factor_range(list(factor) if len(ends) == 2 else factor, (-1.0, 1.0), name)


def _slant(factor: Any, name: str) -> tuple:
    # a number stands for (-x, x), which is what configs hold, so such a pair is taken as well
    if isinstance(factor, (tuple, list)) and len(factor) == 2 and factor[0] == -factor[1]:
        factor = abs(factor[1])
    return _pair(factor, name, 0.0)
