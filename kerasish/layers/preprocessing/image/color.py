"""Layers that change colors: each draws one number an image."""

from typing import Any

from kerasish import ops, random
from kerasish.base import config
from kerasish.base.registry import export
from kerasish.layers.preprocessing.image.base import BaseImagePreprocessingLayer, checked_range, per_image


@export("keras.layers.RandomBrightness")
class RandomBrightness(BaseImagePreprocessingLayer):
    """A number added to every image.

    factor:      the least and greatest, as shares of the range of values; a number x means (-x, x).
    value_range: the least and greatest value of images, before and after.

    >>> import numpy as np
    >>> np.asarray(RandomBrightness((0.2, 0.2))(np.array([[[0, 100, 250]]], "uint8"))).ravel()
    array([ 51., 151., 255.], dtype=float32)
    """

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: Any = None, **kwargs: Any):
        super().__init__(factor=factor or 0.0, **kwargs)
        self.value_range = checked_range(value_range)
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> dict:
        delta = random.uniform((self._batch_size(images), 1, 1, 1), *self.factor, seed=seed)
        return {"rgb_delta": delta * (self.value_range[1] - self.value_range[0])}

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        return ops.clip(images + ops.cast(transformation["rgb_delta"], images.dtype), *self.value_range)


@export("keras.layers.RandomContrast")
class RandomContrast(BaseImagePreprocessingLayer):
    """The distance of all values from the mean of their channel multiplied by a number.

    factor: (a, b) for numbers from 1 - a to 1 + b; a number x means (0, x).

    >>> import numpy as np
    >>> np.asarray(RandomContrast(0.0)(np.array([[[10.0], [30.0]]]))).ravel()
    array([10., 30.], dtype=float32)
    """

    _FACTOR_BOUNDS = (0, 1)

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self._set_factor(factor)
        self.value_range = value_range
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> dict:
        low, high = 1.0 - self.factor[0], 1.0 + self.factor[1]
        shape = (self._batch_size(images), 1, 1, 1)
        return {"contrast_factor": random.uniform(shape, low, high, self.compute_dtype, seed=seed)}

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        mean = ops.mean(images, axis=self._spatial_axes, keepdims=True)
        contrast = ops.cast(transformation["contrast_factor"], images.dtype)
        return ops.clip((images - mean) * contrast + mean, *self.value_range)


class HueSaturationLayer(BaseImagePreprocessingLayer):
    """What layers share that change one of hue, saturation and value."""

    def _changed(self, images: Any, which: int, change: Any) -> Any:
        hsv = ops.split(ops.image.rgb_to_hsv(images, data_format=self.data_format), 3, axis=self._channel_axis)
        hsv[which] = change(hsv[which])
        return ops.image.hsv_to_rgb(ops.concatenate(hsv, axis=self._channel_axis), data_format=self.data_format)


@export("keras.layers.RandomSaturation")
class RandomSaturation(HueSaturationLayer):
    """The saturation multiplied by f / (1 - f): 0 gives gray, 0.5 changes nothing, more gives stronger colors.

    factor: the least and greatest f; a number x means (-x, x), and what is below 0 gives gray.

    >>> import numpy as np
    >>> np.asarray(RandomSaturation((0.0, 0.0))(np.array([[[10.0, 20.0, 40.0]]]))).ravel()
    array([40., 40., 40.], dtype=float32)
    """

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), data_format: str | None = None, seed: Any = None, **kwargs: Any
    ):
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.value_range = checked_range(value_range)
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> dict:
        factor = random.uniform((self._batch_size(images),), *self.factor, seed=seed)
        return {"factor": factor / (1 - factor + config.epsilon())}

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        factor = per_image(ops.cast(transformation["factor"], images.dtype))
        return self._changed(images, 1, lambda s: ops.clip(s * factor, *self.value_range))


@export("keras.layers.RandomHue")
class RandomHue(HueSaturationLayer):
    """Colors moved around the color wheel.

    factor: the least and greatest angle as a share of half a turn, in either direction; a number x means (0, x).

    >>> import numpy as np
    >>> np.asarray(RandomHue((1.0, 1.0))(np.array([[[255.0, 0.0, 0.0]]]))).round().ravel()
    array([  0., 255., 255.], dtype=float32)
    """

    _FACTOR_BOUNDS = (0, 1)

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), data_format: str | None = None, seed: Any = None, **kwargs: Any
    ):
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.value_range = value_range
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> dict:
        n = self._batch_size(images)
        side = ops.where(random.uniform((n,), seed=seed) > 0.5, -1.0, 1.0)
        return {"factor": side * random.uniform((n,), *self.factor, seed=seed) * 0.5}

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        factor = per_image(ops.cast(transformation["factor"], images.dtype))

        def turned(hue: Any) -> Any:
            hue = hue + factor
            return ops.where(hue > 1.0, hue - 1.0, ops.where(hue < 0.0, hue + 1.0, hue))

        changed = self._changed(self._rescaled(images, self.value_range, (0, 1)), 0, turned)
        return self._rescaled(ops.clip(changed, 0, 1), (0, 1), self.value_range)


@export("keras.layers.RandomColorDegeneration")
class RandomColorDegeneration(BaseImagePreprocessingLayer):
    """Images mixed with their grayscale.

    factor: the least and greatest share of gray; a number x means (-x, x), and what is below 0 strengthens colors.

    >>> import numpy as np
    >>> np.asarray(RandomColorDegeneration((0.5, 0.5))(np.array([[[100.0, 0.0, 0.0]]]))).round(1).ravel()
    array([64.9, 14.9, 14.9], dtype=float32)
    """

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), data_format: str | None = None, seed: Any = None, **kwargs: Any
    ):
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.value_range = checked_range(value_range)
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> dict:
        return {"factor": random.uniform((self._batch_size(images), 1, 1, 1), *self.factor, seed=seed)}

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        gray = ops.image.rgb_to_grayscale(images, data_format=self.data_format)
        factor = ops.cast(transformation["factor"], images.dtype)
        return ops.clip(images + factor * (gray - images), *self.value_range)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if len(input_shape) not in (3, 4):
            raise ValueError(
                "Invalid images rank: expected rank 3 (single image) or rank 4 (batch of images). "
                f"Received: input_shape={input_shape}"
            )
        channels = input_shape[self._channel_axis]
        if channels not in (None, 3):
            raise ValueError(f"Input images must have 3 channels, but received images with {channels} channels.")
        return input_shape


@export("keras.layers.RandomGrayscale")
class RandomGrayscale(BaseImagePreprocessingLayer):
    """Some images in gray; the number of channels and the dtype stay.

    factor: the probability.

    >>> import numpy as np
    >>> np.asarray(RandomGrayscale(1.0)(np.array([[[100.0, 0.0, 0.0]]]))).round(1).ravel()
    array([29.9, 29.9, 29.9], dtype=float32)
    """

    _own_dtype = True

    _not_in_config = ("seed",)  # as in Keras

    def __init__(self, factor: float = 0.5, data_format: str | None = None, seed: Any = None, **kwargs: Any):
        super().__init__(data_format=data_format, **kwargs)
        if not 0 <= factor <= 1:
            raise ValueError(f"`factor` should be between 0 and 1. Received: factor={factor}")
        self.factor = factor
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> Any:
        return random.uniform((self._batch_size(images), 1, 1, 1), seed=seed) < self.factor

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        images = ops.convert_to_tensor(images)
        if not training:
            return images
        gray = ops.image.rgb_to_grayscale(images, data_format=self.data_format)
        return ops.where(transformation, gray, images)


@export("keras.layers.RandomInvert")
class RandomInvert(BaseImagePreprocessingLayer):
    """Some images as negatives.

    factor: the probability, or the range that it is drawn from; a number x means (0, x).

    >>> import numpy as np
    >>> np.asarray(RandomInvert((1.0, 1.0))(np.array([[[100, 0, 255]]], "uint8"))).ravel()
    array([155., 255.,   0.], dtype=float32)
    """

    _FACTOR_BOUNDS = (0, 1)

    def __init__(
        self, factor: Any = 1.0, value_range: Any = (0, 255), seed: Any = None, data_format: str | None = None,
        **kwargs: Any,
    ):  # fmt: skip
        super().__init__(data_format=data_format, **kwargs)
        self._set_factor(factor)
        self.value_range = value_range
        self._set_seed(seed)

    def _draw(self, images: Any, seed: Any) -> dict:
        n = self._batch_size(images)
        probability = random.uniform((n,), *self.factor, seed=seed)
        return {"apply_inversion": random.uniform((n,), seed=seed) < probability}

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        return ops.where(per_image(transformation["apply_inversion"]), self.value_range[1] - images, images)


@export("keras.layers.RandomColorJitter")
class RandomColorJitter(BaseImagePreprocessingLayer):
    """RandomBrightness, RandomContrast, RandomSaturation and RandomHue, those whose factor is given, in this order.

    >>> import numpy as np
    >>> RandomColorJitter(brightness_factor=0.2, hue_factor=0.1, seed=1)(np.ones((2, 4, 4, 3))).shape
    (2, 4, 4, 3)
    """

    def __init__(
        self, value_range: Any = (0, 255), brightness_factor: Any = None, contrast_factor: Any = None,
        saturation_factor: Any = None, hue_factor: Any = None, seed: Any = None, data_format: str | None = None,
        **kwargs: Any,
    ):  # fmt: skip
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range
        self.brightness_factor, self.contrast_factor = brightness_factor, contrast_factor
        self.saturation_factor, self.hue_factor = saturation_factor, hue_factor
        self._set_seed(seed)
        steps = (
            (RandomBrightness, brightness_factor), (RandomContrast, contrast_factor),
            (RandomSaturation, saturation_factor), (RandomHue, hue_factor),
        )  # fmt: skip
        common = {"value_range": value_range, "seed": seed, "data_format": data_format, "dtype": self.dtype_policy}
        self._steps = [layer(factor=factor, **common) for layer, factor in steps if factor is not None]

    def _draw(self, images: Any, seed: Any) -> list:
        return [step.get_random_transformation(images, seed=seed) for step in self._steps]

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        for step, own in zip(self._steps, transformation, strict=True):
            images = step.transform_images(images, own)
        return images
