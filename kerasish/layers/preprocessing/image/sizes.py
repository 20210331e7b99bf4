"""Layers that give images another size: by scaling, or by cutting a part out."""

from typing import Any

from kerasish import ops, random
from kerasish.base.registry import export
from kerasish.engine.dims import Dim
from kerasish.layers.preprocessing.image.base import BaseImagePreprocessingLayer
from kerasish.layers.preprocessing.image.boxes import clip_to_image_size, crop


class SizedLayer(BaseImagePreprocessingLayer):
    """What layers with a fixed size of their outputs share."""

    height: int
    width: int

    def compute_output_shape(self, input_shape: Any) -> tuple:
        shape = list(input_shape)
        if len(shape) not in (3, 4) or any(isinstance(d, (list, tuple)) for d in shape):
            raise ValueError(
                "`input_shape` must be a non-nested tuple or list of size 3 (unbatched) or 4 (batched). "
                f"Received: input_shape={input_shape}"
            )
        for axis, size in zip(self._spatial_axes, (self.height, self.width), strict=True):
            shape[axis] = size
        return tuple(shape)

    def _part(self, images: Any, top: Any, left: Any, height: Any, width: Any) -> Any:
        """The part of the images with these corners."""
        starts: list = [0] * len(images.shape)
        shape = list(images.shape)
        for axis, start, size in zip(self._spatial_axes, (top, left), (height, width), strict=True):
            starts[axis], shape[axis] = start, size
        return ops.slice(images, starts, shape)

    def _proportional(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Top, left, height and width of the greatest part in the middle with the proportions of the outputs."""
        h = max(min(height, int(float(width * self.height) / self.width)), 1)
        w = max(min(width, int(float(height * self.width) / self.height)), 1)
        return (height - h) // 2, (width - w) // 2, h, w

    def _cut_boxes(self, bounding_boxes: dict, place: tuple, height: Any, width: Any) -> dict:
        """Boxes as they are in a part (top, left, height, width) of images of this size, scaled to the outputs."""
        out = self._boxes_as(bounding_boxes, "xyxy", height, width)
        top, left, h, w = (ops.cast(v, out["boxes"].dtype) for v in place)
        boxes = crop(out["boxes"], top, left, h, w)
        out["boxes"] = boxes * ops.stack([self.width / w, self.height / h] * 2)
        out = clip_to_image_size(out, self.height, self.width)
        return self._boxes_back(out, "xyxy", self.height, self.width)


@export("keras.layers.Resizing")
class Resizing(SizedLayer):
    """Images of another size; while training and otherwise. Integers stay integers.

    interpolation:        "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
    crop_to_aspect_ratio: keep the proportions by cutting off what sticks out.
    pad_to_aspect_ratio:  keep the proportions by a frame of `fill_value`.

    >>> import numpy as np
    >>> Resizing(4, 6)(np.ones((2, 8, 8, 3), "uint8")).shape
    (2, 4, 6, 3)
    """

    _own_dtype = True

    def __init__(
        self, height: int, width: int, interpolation: str = "bilinear", crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False, fill_mode: str = "constant", fill_value: float = 0.0, antialias: bool = False,
        data_format: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(data_format=data_format, **kwargs)
        self.height, self.width, self.interpolation = height, width, interpolation
        self.crop_to_aspect_ratio, self.pad_to_aspect_ratio = crop_to_aspect_ratio, pad_to_aspect_ratio
        self.fill_mode, self.fill_value, self.antialias = fill_mode, fill_value, bool(antialias)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Nothing is drawn: the height and width of the inputs."""
        return self._size(data["images"] if isinstance(data, dict) else data)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        return self._transform_images(images, transformation, self.interpolation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return self._transform_images(segmentation_masks, transformation, "nearest")

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        return ops.image.resize(
            images, (self.height, self.width), interpolation, antialias=self.antialias,
            crop_to_aspect_ratio=self.crop_to_aspect_ratio, pad_to_aspect_ratio=self.pad_to_aspect_ratio,
            fill_mode=self.fill_mode, fill_value=self.fill_value, data_format=self.data_format,
        )  # fmt: skip

    def transform_bounding_boxes(self, bounding_boxes: dict, transformation: Any = None, training: bool = True) -> dict:
        height, width = transformation
        given = ops.convert_to_tensor(bounding_boxes["boxes"])
        padding = ops.logical_or(ops.all(given == -1, axis=-1), ops.all(given == 0, axis=-1))
        out = self._boxes_as(bounding_boxes, "xyxy", height, width)
        boxes = out["boxes"]
        height, width = (ops.cast(v, boxes.dtype) for v in (height, width))
        down, right = self.height / height, self.width / width
        top = left = 0.0
        if self.pad_to_aspect_ratio:
            down = right = ops.minimum(down, right)
        elif self.crop_to_aspect_ratio:
            down = right = ops.maximum(down, right)
        if self.pad_to_aspect_ratio or self.crop_to_aspect_ratio:
            top, left = (self.height - height * down) // 2, (self.width - width * right) // 2
            if self.crop_to_aspect_ratio:
                top, left = -((height * down - self.height) // 2), -((width * right - self.width) // 2)
        x1, y1, x2, y2 = ops.split(boxes, 4, axis=-1)
        parts = [x1 * right + left, y1 * down + top, x2 * right + left, y2 * down + top]
        out = clip_to_image_size({**out, "boxes": ops.concatenate(parts, axis=-1)}, self.height, self.width)
        out["boxes"] = ops.where(ops.expand_dims(padding, -1), ops.cast(0, boxes.dtype), out["boxes"])
        return self._boxes_back(out, "xyxy", self.height, self.width)


@export("keras.layers.CenterCrop")
class CenterCrop(SizedLayer):
    """The middle of images, while training and otherwise; smaller ones are scaled up, their proportions kept.

    >>> import numpy as np
    >>> np.asarray(CenterCrop(1, 2)(np.arange(12.0).reshape(3, 4, 1)))[..., 0]
    array([[5., 6.]], dtype=float32)
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format=data_format, **kwargs)
        self.height, self.width = height, width

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Nothing is drawn: the shape of the inputs."""
        return {"input_shape": tuple((data["images"] if isinstance(data, dict) else data).shape)}

    def _fits(self, height: Any, width: Any) -> bool:
        return all(isinstance(a, Dim) or a >= b for a, b in ((height, self.height), (width, self.width)))

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        images = ops.cast(images, self.compute_dtype)
        height, width = self._size(images)
        if not self._fits(height, width):
            return ops.image.resize(
                images, (self.height, self.width), crop_to_aspect_ratio=True, data_format=self.data_format
            )
        return self._part(images, (height - self.height) // 2, (width - self.width) // 2, self.height, self.width)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return self.transform_images(segmentation_masks, transformation, training=training)

    def transform_bounding_boxes(self, bounding_boxes: dict, transformation: Any = None, training: bool = True) -> dict:
        height, width = self._size(transformation["input_shape"])
        if self._fits(height, width):
            place: tuple = ((height - self.height) // 2, (width - self.width) // 2, self.height, self.width)
        else:
            place = self._proportional(height, width)
        return self._cut_boxes(bounding_boxes, place, height, width)


@export("keras.layers.RandomCrop")
class RandomCrop(SizedLayer):
    """A part of the images at a random place, the same for a batch; images that are not larger are scaled to the size.

    While not training, images are returned as they are.

    >>> import numpy as np
    >>> RandomCrop(4, 5, seed=1)(np.ones((2, 8, 8, 3))).shape
    (2, 4, 5, 3)
    """

    def __init__(
        self, height: int, width: int, seed: Any = None, data_format: str | None = None, name: str | None = None,
        **kwargs: Any,
    ):  # fmt: skip
        super().__init__(name=name, data_format=data_format, **kwargs)
        self.height, self.width = height, width
        self._set_seed(random.make_default_seed() if seed is None else seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Top and left of the part, and height and width of the inputs."""
        images = data["images"] if isinstance(data, dict) else data
        height, width = self._size(images)
        if height is None or width is None:
            raise ValueError(
                "RandomCrop requires the input to have a fully defined height and width. "
                f"Received: images.shape={tuple(images.shape)}"
            )
        if training and height > self.height and width > self.width:
            seed = self.generator if seed is None else seed
            ends = (height - self.height + 1, width - self.width + 1)
            # several draws, each rounded down: the ends are numbers, so a place is never outside
            top, left = (ops.cast(random.uniform((), 0.0, float(end), seed=seed), "int32") for end in ends)
            return top, left, height, width
        return (*self._proportional(height, width)[:2], height, width)

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        top, left = transformation[:2]
        height, width = self._size(images)
        if isinstance(top, int) and isinstance(left, int):
            h, w = min(self.height, height - top), min(self.width, width - left)
        else:
            h, w = min(self.height, height), min(self.width, width)
        images = self._part(images, top, left, h, w)
        if (h, w) == (self.height, self.width):
            return images
        return ops.image.resize(images, (self.height, self.width), interpolation, data_format=self.data_format)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any = None, training: bool = True) -> Any:
        if not training:
            return segmentation_masks
        masks = ops.cast(segmentation_masks, self.compute_dtype)
        return self._transform_images(masks, transformation, "nearest")

    def transform_bounding_boxes(self, bounding_boxes: dict, transformation: Any = None, training: bool = True) -> dict:
        if not training:
            return bounding_boxes
        top, left, height, width = transformation
        h, w = min(self.height, height), min(self.width, width)
        return self._cut_boxes(bounding_boxes, (top, left, h, w), height, width)
