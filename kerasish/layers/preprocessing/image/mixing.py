"""Images with rectangles erased or exchanged, and images mixed with others of their batch."""

from typing import Any

from kerasish import ops, random
from kerasish.base.registry import export
from kerasish.layers.preprocessing.image.base import BaseImagePreprocessingLayer, factor_range, per_image
from kerasish.layers.preprocessing.image.warps import chosen
from kerasish.ops.dtypes import result_type


class RectangleLayer(BaseImagePreprocessingLayer):
    """What layers share that draw a rectangle for every image."""

    _FACTOR_BOUNDS = (0, 1)

    def _rectangles(self, images: Any, down: Any, across: Any, seed: Any) -> tuple:
        """Where the images are inside a rectangle, as booleans of their shape, and the share of it: (batch, 1, 1, 1).

        down, across: its height and width as shares (batch,).
        """
        n, kind = self._batch_size(images), self.compute_dtype
        inside, share = ops.full((n, 1, 1, 1), True, "bool"), 1.0
        for ratio, axis in ((across, self._spatial_axes[1]), (down, self._spatial_axes[0])):
            size = images.shape[axis]
            length = ops.cast(ratio * size, kind)
            start = random.uniform((n,), dtype=kind, seed=seed) * (size - length)
            place = [1, 1, 1, 1]
            place[axis] = size
            pixel = ops.reshape(ops.arange(size, dtype=kind), place)
            start, end = per_image(start), per_image(start + length)
            inside = ops.logical_and(inside, ops.logical_and(pixel >= start, pixel < end))
            share = share * (end - start) / size
        shape = (n, *images.shape[-3:])
        return ops.broadcast_to(inside, shape), share


@export("keras.layers.RandomErasing")
class RandomErasing(RectangleLayer):
    """A rectangle of some images replaced by noise or by a color (Zhong et al. 2017).

    factor:     the probability, or the range that it is drawn from; a number x means (0, x).
    scale:      the least and greatest share of the width and of the height, squared.
    fill_value: a number, one for each of three channels, or None for normal noise.

    >>> import numpy as np
    >>> image = np.asarray(RandomErasing((1.0, 1.0), scale=(0.25, 0.25), fill_value=0, seed=1)(np.ones((8, 8, 3))))
    >>> float(image.mean())
    0.75
    """

    def __init__(
        self, factor: Any = 1.0, scale: Any = (0.02, 0.33), fill_value: Any = None, value_range: Any = (0, 255),
        seed: Any = None, data_format: str | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.scale = factor_range(scale, self._FACTOR_BOUNDS, "scale")
        number = fill_value is None or isinstance(fill_value, (int, float))
        if not number and not (isinstance(fill_value, (tuple, list)) and len(fill_value) == 3):
            raise ValueError(
                f"The `fill_value` argument should be a number (or a list of three numbers). Received: {fill_value}"
            )
        self.fill_value, self.value_range = fill_value, value_range
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> dict:
        n, kind = self._batch_size(images), self.compute_dtype
        sides = ops.sqrt(random.uniform((n, 2), *self.scale, dtype=kind, seed=seed))
        inside, _ = self._rectangles(images, sides[:, 1], sides[:, 0], seed)
        apply = chosen(n, self.factor, seed)
        if self.fill_value is None:
            fill = random.normal(inside.shape, dtype=kind, seed=seed) * self.value_range[1]
        else:
            fill = ops.convert_to_tensor(self.fill_value, kind)
            if len(fill.shape):
                fill = ops.reshape(fill, (1, 1, 1, 3) if self._channel_axis == -1 else (1, 3, 1, 1))
            fill = ops.broadcast_to(fill, inside.shape)
        return {"apply_erasing": apply, "batch_masks": inside, "fill_value": ops.clip(fill, *self.value_range)}

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        wanted = ops.logical_and(transformation["batch_masks"], per_image(transformation["apply_erasing"]))
        return ops.where(wanted, ops.cast(transformation["fill_value"], images.dtype), images)


def _others(x: Any, transformation: Any) -> Any:
    """The partners of what is along the first axis."""
    return ops.take(x, transformation["permutation_order"], axis=0)


def _mixed(x: Any, transformation: Any) -> Any:
    """Weighted means of what is along the first axis and its partners."""
    weight = ops.convert_to_tensor(transformation["mix_weight"])
    x = ops.cast(x, result_type(x.dtype, weight.dtype))
    weight = ops.cast(ops.reshape(weight, (-1, *[1] * (len(x.shape) - 1))), x.dtype)
    return weight * x + (1 - weight) * _others(x, transformation)


@export("keras.layers.CutMix")
class CutMix(RectangleLayer):
    """A rectangle of every image from another of the batch, and labels mixed by its area (Yun et al. 2019).

    factor: the parameter of the beta distribution of the areas, or the range that it is drawn from.

    >>> import numpy as np
    >>> batch = {"images": np.ones((2, 8, 8, 3)), "labels": np.eye(2)}
    >>> np.asarray(CutMix(seed=1)(batch)["labels"]).sum(axis=1).round(3)
    array([1., 1.], dtype=float32)
    """

    def __init__(self, factor: Any = 1.0, seed: Any = None, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> Any:
        if len(images.shape) == 3:
            return None
        n, kind = images.shape[0], "float32"
        alpha = random.uniform((), *self.factor, dtype=kind, seed=seed) + 1e-6
        side = ops.cast(ops.sqrt(1.0 - random.beta((n,), alpha, alpha, kind, seed=seed)), self.compute_dtype)
        inside, share = self._rectangles(images, side, side, seed)
        order = random.shuffle(ops.arange(n), seed=seed)
        return {"permutation_order": order, "batch_masks": inside, "mix_weight": 1.0 - share}

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        return ops.where(transformation["batch_masks"], _others(images, transformation), images)

    def transform_labels(self, labels: Any, transformation: Any = None, training: bool = True) -> Any:
        return labels if not training or transformation is None else _mixed(labels, transformation)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any = None, training: bool = True) -> Any:
        if not training or transformation is None:
            return segmentation_masks
        # a mask has its own number of channels, so the rectangle is taken from one of the images'
        inside = ops.max(transformation["batch_masks"], axis=self._channel_axis, keepdims=True)
        return ops.where(inside, _others(segmentation_masks, transformation), segmentation_masks)

    def transform_bounding_boxes(self, bounding_boxes: dict, transformation: Any = None, training: bool = True) -> dict:
        raise NotImplementedError("CutMix does not mix bounding boxes. Leave them out of its inputs.")


@export("keras.layers.MixUp")
class MixUp(BaseImagePreprocessingLayer):
    """Every image and label mixed with another of the batch (Zhang et al. 2017); boxes of both are kept.

    alpha: the parameter of the beta distribution of the weights.

    >>> import numpy as np
    >>> batch = {"images": np.ones((2, 8, 8, 3)), "labels": np.eye(2)}
    >>> np.asarray(MixUp(seed=1)(batch)["labels"]).sum(axis=1).round(3)
    array([1., 1.], dtype=float32)
    """

    def __init__(self, alpha: float = 0.2, data_format: str | None = None, seed: Any = None, **kwargs: Any):
        super().__init__(data_format=data_format, **kwargs)
        self.alpha = alpha
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> dict:
        n = self._batch_size(images)
        order = random.shuffle(ops.arange(n), seed=seed)
        return {"mix_weight": random.beta((n,), self.alpha, self.alpha, seed=seed), "permutation_order": order}

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        return ops.cast(_mixed(images, transformation), self.compute_dtype)

    def transform_labels(self, labels: Any, transformation: Any = None, training: bool = True) -> Any:
        return _mixed(labels, transformation) if training else labels

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any = None, training: bool = True) -> Any:
        return _mixed(segmentation_masks, transformation) if training else segmentation_masks

    def transform_bounding_boxes(self, bounding_boxes: dict, transformation: Any = None, training: bool = True) -> dict:
        if not training:
            return bounding_boxes
        both = {k: (bounding_boxes[k], _others(bounding_boxes[k], transformation)) for k in ("boxes", "labels")}
        return {**bounding_boxes, **{k: ops.concatenate(v, axis=1) for k, v in both.items()}}
