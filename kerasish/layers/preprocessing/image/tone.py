"""Layers that change how values are spread: stretched, equalized, reduced or turned round."""

from typing import Any

from kerasish import ops, random
from kerasish.base.registry import export
from kerasish.layers.preprocessing.image.base import BaseImagePreprocessingLayer, checked_range, per_image

BYTE = (0, 255)


@export("keras.layers.AutoContrast")
class AutoContrast(BaseImagePreprocessingLayer):
    """Every channel of every image stretched to the whole range of values; while training and otherwise.

    >>> import numpy as np
    >>> np.asarray(AutoContrast()(np.array([[[10.0], [20.0], [30.0]]]))).round(1).ravel()
    array([  0. , 127.5, 255. ], dtype=float32)
    """

    def __init__(self, value_range: Any = (0, 255), **kwargs: Any):
        super().__init__(**kwargs)
        self.value_range = checked_range(value_range)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        images = ops.cast(images, self.compute_dtype)
        x = self._rescaled(images, self.value_range, BYTE)
        low, high = (f(x, axis=self._spatial_axes, keepdims=True) for f in (ops.min, ops.max))
        flat = high == low
        scale = 255.0 / ops.where(flat, 1.0, high - low)
        out = self._rescaled(ops.clip(x * scale - low * scale, *BYTE), BYTE, self.value_range)
        return ops.where(flat, images, out)


@export("keras.layers.Equalization")
class Equalization(BaseImagePreprocessingLayer):
    """Values changed so that all are about equally frequent, channel by channel; one histogram for a whole batch.

    bins: how many values are told apart.

    >>> import numpy as np
    >>> np.asarray(Equalization()(np.array([[[10.0], [11.0], [12.0], [200.0]]]))).ravel()
    array([  0.,  85., 170., 255.], dtype=float32)
    """

    def __init__(self, value_range: Any = (0, 255), bins: int = 256, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format=data_format, **kwargs)
        self.bins = bins
        self.value_range = checked_range(value_range)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        images = ops.cast(images, self.compute_dtype)
        if not training:
            return images
        x = self._rescaled(ops.cast(images, "float32"), self.value_range, BYTE)
        x = ops.moveaxis(x, self._channel_axis, 0)
        channels = x.shape[0]
        flat = ops.reshape(x, (channels, -1))
        # the rounding of products and of quotients differs, and Keras uses both
        counted = self._bin(flat * (self.bins - 1) / 255.0)
        histogram = self._histogram(counted, channels)
        cumulated = ops.cumsum(histogram, axis=1)
        first = ops.min(ops.where(cumulated > 0, cumulated, cumulated[:, -1:]), axis=1, keepdims=True)
        rest = cumulated[:, -1:] - first
        table = (cumulated - first) * 255 / ops.where(rest == 0, 1.0, rest)
        table = ops.clip(ops.round(table), *BYTE)
        out = ops.take_along_axis(table, self._bin(flat / 255.0 * (self.bins - 1)), axis=1)
        single = ops.sum(ops.cast(histogram > 0, "int32"), axis=1, keepdims=True) <= 1
        out = ops.reshape(ops.where(single, flat, out), x.shape)
        out = self._rescaled(ops.moveaxis(out, 0, self._channel_axis), BYTE, self.value_range)
        return ops.cast(out, self.compute_dtype)

    def _bin(self, x: Any) -> Any:
        return ops.cast(ops.clip(x, 0, self.bins - 1), "int32")

    def _histogram(self, places: Any, channels: int) -> Any:
        """(channels, bins): how often each bin was met in each channel."""
        row = ops.reshape(ops.arange(channels), (channels, 1)) + ops.zeros_like(places)
        index = ops.stack([row, places], axis=-1)
        return ops.scatter(index, ops.ones_like(places, "float32"), (channels, self.bins))


@export("keras.layers.Solarization")
class Solarization(BaseImagePreprocessingLayer):
    """A number added, and what is then above a threshold turned into its negative, as overexposed film does.

    addition_factor, threshold_factor: the least and greatest, as shares of the range; a number x means (0, x).

    >>> import numpy as np
    >>> np.asarray(Solarization()(np.array([[[10, 200, 255]]], "uint8"))).ravel()
    array([245.,  55.,   0.], dtype=float32)
    """

    def __init__(
        self, addition_factor: Any = 0.0, threshold_factor: Any = 0.0, value_range: Any = (0, 255), seed: Any = None,
        **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.addition_factor = _share(addition_factor, "addition_factor")
        self.threshold_factor = _share(threshold_factor, "threshold_factor")
        self.value_range = checked_range(value_range)
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> dict:
        shape = (self._batch_size(images), 1, 1, 1)
        ends = {"additions": self.addition_factor, "thresholds": self.threshold_factor}
        return {
            # the least one is taken as it is, not as a share, as Keras does
            name: random.uniform(shape, float(low), high * 255.0, self.compute_dtype, seed=seed)
            for name, (low, high) in ends.items()
        }

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        additions, thresholds = (ops.cast(transformation[k], images.dtype) for k in ("additions", "thresholds"))
        x = ops.clip(self._rescaled(images, self.value_range, BYTE) + additions, *BYTE)
        return self._rescaled(ops.where(x < thresholds, x, 255 - x), BYTE, self.value_range)


def _share(factor: Any, name: str) -> tuple:
    ends = factor if isinstance(factor, (tuple, list)) else (0, factor)
    if len(ends) != 2 or not all(isinstance(v, (int, float)) and 0 <= v <= 1 for v in ends):
        raise ValueError(
            "The `addition_factor` and `threshold_factor` arguments should be a number (or a list of two numbers) in the "
            f"range [0, 1]. Received: {name}={factor}"
        )
    return tuple(sorted(ends)) if isinstance(factor, (tuple, list)) else tuple(ends)


@export("keras.layers.RandomPosterization")
class RandomPosterization(BaseImagePreprocessingLayer):
    """Values with fewer bits.

    factor: how many of 8 bits are kept: a number, or the least and the one after the greatest; x means (1, x).

    >>> import numpy as np
    >>> np.asarray(RandomPosterization((2, 2))(np.array([[[10, 100, 255]]], "uint8"))).ravel()
    array([  0.,  64., 192.], dtype=float32)
    """

    _FACTOR_BOUNDS = (1, 8)

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), data_format: str | None = None, seed: Any = None, **kwargs: Any
    ):
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.value_range = checked_range(value_range)
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> dict:
        n, (low, high) = self._batch_size(images), self.factor
        bits = random.randint((n,), low, high, "uint8", seed=seed) if low != high else ops.full((n,), low, "uint8")
        return {"shift_factor": ops.cast(8, "uint8") - bits}

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        shift = per_image(ops.cast(transformation["shift_factor"], "uint8"))
        x = ops.cast(self._rescaled(images, self.value_range, BYTE), "uint8")
        x = ops.bitwise_left_shift(ops.bitwise_right_shift(x, shift), shift)
        return self._rescaled(ops.cast(x, self.compute_dtype), BYTE, self.value_range)
