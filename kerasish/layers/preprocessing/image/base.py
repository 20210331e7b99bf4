"""What all image layers share: the parts of their inputs, factors, ranges of values, and when they do something.

A layer draws the parameters of its transformation once (`get_random_transformation`), and applies them to each part of
its input: `transform_images`, `transform_labels`, `transform_bounding_boxes`, `transform_segmentation_masks`.
"""

from typing import Any

from kerasish import ops
from kerasish.base import tree
from kerasish.layers.layer import Layer
from kerasish.layers.preprocessing.image.boxes import convert_format, dense
from kerasish.ops.nn.windows import standard_format
from kerasish.random import SeedGenerator

PARTS = ("images", "labels", "bounding_boxes", "segmentation_masks")


def factor_range(factor: Any, bounds: tuple, name: str = "factor") -> tuple:
    """A factor as (lower, upper): a pair as it is, a number x as (-x, x), but not below the least one allowed."""
    low, high = bounds
    message = (
        f"The `{name}` argument should be a number (or a list of two numbers) in the range [{low}, {high}]. "
        f"Received: {name}={factor}"
    )
    if isinstance(factor, (tuple, list)):
        if len(factor) != 2 or factor[0] > high or factor[1] < low:
            raise ValueError(message)
        lower, upper = sorted(factor)
        return lower, upper
    if not isinstance(factor, (int, float)) or not low <= factor <= high:
        raise ValueError(message)
    return max(-abs(factor), low), abs(factor)


def checked_range(value_range: Any) -> list:
    """The least and the greatest value of the images."""
    if not isinstance(value_range, (tuple, list)) or len(value_range) != 2:
        raise ValueError(
            f"The `value_range` argument should be a list of two numbers. Received: value_range={value_range}"
        )
    return sorted(value_range)


def checked_choice(value: Any, name: str, choices: tuple) -> Any:
    if value not in choices:
        raise NotImplementedError(f"Unknown `{name}` {value}. Expected of one {choices}.")
    return value


class BaseImagePreprocessingLayer(Layer):
    """The base of image layers, for ones of your own too.

    Inputs are an image (h, w, c), a batch of them, or a dict with "images" and any of "labels", "bounding_boxes" (a
    dict of "boxes" and "labels") and "segmentation_masks"; integers of any kind or floats. While not training, most
    layers return their inputs as they are.

    bounding_box_format: what the four numbers of a box mean, e.g. "xyxy"; needed where boxes are passed.

    >>> import numpy as np
    >>> class Darker(BaseImagePreprocessingLayer):
    ...     def transform_images(self, images, transformation, training=True):
    ...         return images * 0.5 if training else images
    >>> np.asarray(Darker()(np.ones((1, 2, 2, 3)))).max()
    np.float32(0.5)
    """

    _USE_BASE_FACTOR = False
    _FACTOR_BOUNDS = (-1, 1)
    _own_dtype = False  # whether the dtype of the images is kept

    def __init__(
        self, factor: Any = None, bounding_box_format: str | None = None, data_format: str | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.bounding_box_format = bounding_box_format
        self.data_format = standard_format(data_format)
        self.factor: Any = None
        if self._USE_BASE_FACTOR or factor is not None:
            self._set_factor(factor or 0.0)

    def _set_factor(self, factor: Any) -> None:
        self.factor = factor_range(factor, self._FACTOR_BOUNDS)

    def _set_seed(self, seed: Any) -> None:
        self.seed = seed
        self.generator = SeedGenerator(seed)

    # -- the transformation -------------------------------------------------------------------------------------------

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """The parameters of one transformation of these data, drawn from a seed or from the layer's own generator."""
        if not training:
            return None
        images = data["images"] if isinstance(data, dict) else data
        if len(images.shape) not in (3, 4):
            raise ValueError(f"Expected the input image to be rank 3 or 4. Received inputs.shape={tuple(images.shape)}")
        return self._draw(images, getattr(self, "generator", None) if seed is None else seed)

    def _draw(self, images: Any, seed: Any) -> Any:
        """Draw the parameters for one image or a batch; None where there are none."""
        return None

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not implement `_transform_images()`.")

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        """A batch of images, transformed, in the compute dtype."""
        images = ops.cast(images, self.compute_dtype)
        if training and transformation is not None:
            images = self._transform_images(images, transformation, getattr(self, "interpolation", "bilinear"))
        return images

    def transform_labels(self, labels: Any, transformation: Any = None, training: bool = True) -> Any:
        """Labels of a batch of images; most transformations leave them alone."""
        return labels

    def transform_bounding_boxes(self, bounding_boxes: dict, transformation: Any = None, training: bool = True) -> dict:
        """Boxes (batch, n, 4) with labels (batch, n); transformations of colors leave them alone."""
        return bounding_boxes

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any = None, training: bool = True) -> Any:
        """Masks of a batch of images; transformations of colors leave them alone."""
        return segmentation_masks

    def transform_single_image(self, image: Any, transformation: Any = None, training: bool = True) -> Any:
        return self._single(self.transform_images, image, transformation, training)

    def transform_single_label(self, label: Any, transformation: Any = None, training: bool = True) -> Any:
        return self._single(self.transform_labels, label, transformation, training)

    def transform_single_bounding_box(self, bounding_box: Any, transformation: Any = None, training: bool = True) -> Any:
        return self._single(self.transform_bounding_boxes, dense(bounding_box), transformation, training)

    def transform_single_segmentation_mask(self, segmentation_mask: Any, transformation: Any = None, training: bool = True) -> Any:
        return self._single(self.transform_segmentation_masks, segmentation_mask, transformation, training)

    def _single(self, transform: Any, x: Any, transformation: Any, training: bool) -> Any:
        out = transform(_in_a_batch(x), transformation=transformation, training=training)
        return _out_of_the_batch(out)

    # -- calling ------------------------------------------------------------------------------------------------------

    def __call__(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(data, dict) and "bounding_boxes" in data:
            if not self.bounding_box_format:
                raise ValueError(
                    "You passed an input with a 'bounding_boxes' key, but you didn't specify a bounding box format. Pass "
                    f"a `bounding_box_format` argument to your {type(self).__name__} layer, e.g. "
                    "`bounding_box_format='xyxy'`."
                )
            data = {**data, "bounding_boxes": dense(data["bounding_boxes"])}
        return super().__call__(data, *args, **kwargs)

    def build(self, input_shape: Any) -> None:
        pass  # nothing depends on the shapes

    def call(self, data: Any, training: Any = True) -> Any:
        given = data if isinstance(data, dict) else {"images": data}
        rank = len(given["images"].shape)
        if rank not in (3, 4):
            raise ValueError(
                "Expected image tensor to have rank 3 (single image) or 4 (batch of images). "
                f"Received: data.shape={tuple(given['images'].shape)}"
            )
        if rank == 3:
            given = {**given, **{k: _in_a_batch(given[k]) for k in PARTS if k in given}}
        transformation = self.get_random_transformation(given, training=training)
        out = dict(given)
        for part in PARTS:
            if part in given:
                transform = getattr(self, f"transform_{part}")
                out[part] = transform(given[part], transformation=transformation, training=training)
                if rank == 3:
                    out[part] = _out_of_the_batch(out[part])
        return out if isinstance(data, dict) else out["images"]

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        return self._inferred(args, kwargs) if self._own_dtype else super().compute_output_spec(*args, **kwargs)

    # -- config -------------------------------------------------------------------------------------------------------

    def get_config(self) -> dict:
        config = super().get_config()
        if self.factor is None:
            config.pop("factor", None)
        if self.bounding_box_format is None:
            config.pop("bounding_box_format", None)
        return config

    # -- for subclasses -----------------------------------------------------------------------------------------------

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else -3

    @property
    def _spatial_axes(self) -> tuple[int, int]:
        return (-3, -2) if self.data_format == "channels_last" else (-2, -1)

    def _size(self, images: Any) -> tuple:
        """Height and width of images, or of their shape."""
        shape = getattr(images, "shape", images)
        return tuple(shape[a] for a in self._spatial_axes)

    def _batch_size(self, images: Any) -> Any:
        return images.shape[0] if len(images.shape) == 4 else 1

    def _rescaled(self, images: Any, source: Any, target: Any) -> Any:
        """Values of one range as values of another."""
        if tuple(source) == tuple(target):
            return images
        return (images - source[0]) / (source[1] - source[0]) * (target[1] - target[0]) + target[0]

    def _boxes_as(self, bounding_boxes: dict, target: str, height: Any, width: Any) -> dict:
        return convert_format(bounding_boxes, self.bounding_box_format, target, height, width)

    def _boxes_back(self, bounding_boxes: dict, source: str, height: Any, width: Any) -> dict:
        return convert_format(bounding_boxes, source, self.bounding_box_format, height, width)


def _in_a_batch(x: Any) -> Any:
    return tree.map_structure(lambda t: ops.expand_dims(t, 0), x)


def _out_of_the_batch(x: Any) -> Any:
    return tree.map_structure(lambda t: ops.squeeze(t, 0), x)


def per_image(v: Any) -> Any:
    """One number an image as (batch, 1, 1, 1), to meet images; what has more axes is left."""
    v = ops.convert_to_tensor(v)
    return ops.reshape(v, (v.shape[0], 1, 1, 1)) if len(v.shape) == 1 else v
