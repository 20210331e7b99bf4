"""Sharper and softer images."""

from typing import Any

from kerasish import ops, random
from kerasish.base.registry import export
from kerasish.layers.preprocessing.image.base import BaseImagePreprocessingLayer, checked_range, factor_range, per_image
from kerasish.layers.preprocessing.image.warps import chosen

SIDE, MIDDLE = 1 / 13, 5 / 13


@export("keras.layers.RandomSharpness")
class RandomSharpness(BaseImagePreprocessingLayer):
    """Images mixed with a blurred copy of themselves, or moved away from it.

    factor: the least and greatest of what is 0 for blurred, 0.5 for unchanged and 1 for sharpened; x means (0, x).

    >>> import numpy as np
    >>> RandomSharpness(1.0, seed=1)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    _FACTOR_BOUNDS = (0, 1)

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), data_format: str | None = None, seed: Any = None, **kwargs: Any
    ):
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.value_range = checked_range(value_range)
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> dict:
        return {"factor": random.uniform((self._batch_size(images),), *self.factor, seed=seed)}

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        kernel = [[SIDE, SIDE, SIDE], [SIDE, MIDDLE, SIDE], [SIDE, SIDE, SIDE]]
        kernel = ops.reshape(ops.convert_to_tensor(kernel, images.dtype), (3, 3, 1, 1))
        kernel = ops.repeat(kernel, images.shape[self._channel_axis], axis=2)
        smooth = ops.depthwise_conv(images, kernel, 1, "same", self.data_format)
        sharpness = per_image(ops.cast(transformation["factor"], images.dtype)) * 2
        return ops.clip(images + (1.0 - sharpness) * (smooth - images), *self.value_range)


@export("keras.layers.RandomGaussianBlur")
class RandomGaussianBlur(BaseImagePreprocessingLayer):
    """Some images blurred, a batch all alike.

    factor:      the probability that an image is blurred, or the range that it is drawn from.
    kernel_size: how many pixels (columns, rows) are mixed: odd numbers.
    sigma:       the least and greatest standard deviation of the blur; a number x means (0, x).

    >>> import numpy as np
    >>> RandomGaussianBlur(seed=1)(np.ones((2, 8, 8, 3))).shape
    (2, 8, 8, 3)
    """

    _FACTOR_BOUNDS = (0, 1)

    def __init__(
        self, factor: Any = 1.0, kernel_size: Any = 3, sigma: Any = 1.0, value_range: Any = (0, 255),
        data_format: str | None = None, seed: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.kernel_size = _odd_pair(kernel_size)
        self.sigma = factor_range(sigma, self._FACTOR_BOUNDS, "sigma")
        self.value_range = value_range
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> dict:
        apply = chosen(self._batch_size(images), self.factor, seed)
        sigma = random.uniform((2,), *self.sigma, dtype="float32", seed=seed) + 1e-6
        return {"should_apply_blur": apply, "blur_factor": sigma}

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        blurred = ops.image.gaussian_blur(
            images, self.kernel_size, ops.convert_to_tensor(transformation["blur_factor"]), self.data_format
        )
        images = ops.where(per_image(transformation["should_apply_blur"]), blurred, images)
        return ops.clip(images, *self.value_range)


def _odd_pair(size: Any) -> tuple:
    pair = size if isinstance(size, (tuple, list)) else (size, size)
    if len(pair) != 2:
        raise ValueError(
            "The `kernel_size` argument should be a number (or a list of two numbers) "
            f"Received: kernel_size={size}"
        )
    if not all(isinstance(v, (int, float)) and v % 2 for v in pair):
        raise ValueError(f"kernel_size must be an odd number. Received: kernel_size={size}")
    return tuple(pair)
