"""Layers against overfitting: dropout of whole maps, noise, penalties on activity."""

from typing import Any

from kerasish import ops, random, regularizers
from kerasish.base import config
from kerasish.base.registry import export
from kerasish.layers.core import Dropout
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer


def rate_between(rate: Any, name: str = "rate") -> Any:
    """A rate, if it lies between 0 and 1."""
    if not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
        raise ValueError(
            f"Invalid value received for argument `{name}`. Expected a float value between 0 and 1. Received: {name}={rate}"
        )
    return rate


class SpatialDropout(Dropout):
    """Drops whole feature maps: the same channels everywhere along the axes of space or time."""

    rank = 1

    def __init__(self, rate: float, seed: Any = None, name: str | None = None, dtype: Any = None):
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    data_format = "channels_last"

    def call(self, inputs: Any, training: Any = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        n, *rest = inputs.shape
        ones = [1] * self.rank
        shape = (n, *ones, rest[-1]) if self.data_format == "channels_last" else (n, rest[0], *ones)
        return random.dropout(inputs, self.rate, noise_shape=shape, seed=self.seed_generator)

    def get_config(self) -> dict:
        return {"rate": self.rate, "seed": self.seed, "name": self.name, "dtype": self.dtype}


class SpatialDropoutOfMaps(SpatialDropout):
    """SpatialDropout with channels first or last."""

    def __init__(
        self, rate: float, data_format: str | None = None, seed: Any = None, name: str | None = None, dtype: Any = None
    ):
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = config.standardize_data_format(data_format)

    def get_config(self) -> dict:
        return {**super().get_config(), "data_format": self.data_format}


@export("keras.layers.SpatialDropout1D")
class SpatialDropout1D(SpatialDropout):
    """Drops whole channels of sequences (batch, time, channels).

    >>> SpatialDropout1D(0.5)(ops.ones((2, 3, 4))).shape
    (2, 3, 4)
    """


@export("keras.layers.SpatialDropout2D")
class SpatialDropout2D(SpatialDropoutOfMaps):
    """Drops whole channels of images.

    >>> SpatialDropout2D(0.5)(ops.ones((2, 3, 3, 4))).shape
    (2, 3, 3, 4)
    """

    rank = 2


@export("keras.layers.SpatialDropout3D")
class SpatialDropout3D(SpatialDropoutOfMaps):
    """Drops whole channels of volumes.

    >>> SpatialDropout3D(0.5)(ops.ones((1, 2, 2, 2, 4))).shape
    (1, 2, 2, 2, 4)
    """

    rank = 3


class Noise(Layer):
    """The base of layers that draw while training, and hand on their inputs otherwise."""

    def _begin(self, seed: Any, drawing: bool) -> None:
        self.seed = seed
        if drawing:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True


@export("keras.layers.AlphaDropout")
class AlphaDropout(Noise):
    """Dropout that keeps mean and variance, for selu networks (Klambauer et al. 2017).

    >>> AlphaDropout(0.5)(ops.ones((2, 3))).shape
    (2, 3)
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate, self.noise_shape = rate_between(rate), noise_shape
        self._begin(seed, rate > 0)

    def call(self, inputs: Any, training: Any = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        shape = inputs.shape
        if self.noise_shape is not None:
            shape = tuple(d if n is None else n for d, n in zip(shape, self.noise_shape, strict=True))
        low = -1.0507009873554804934193349852946 * 1.6732632423543772848170429916717
        kept = ops.greater_equal(random.uniform(shape, seed=self.seed_generator), self.rate)
        kept = ops.cast(kept, inputs.dtype)
        scale = ((1 - self.rate) * (1 + self.rate * low**2)) ** -0.5
        x = ops.add(ops.multiply(inputs, kept), ops.multiply(ops.subtract(1.0, kept), low))
        return ops.add(ops.multiply(x, scale), -scale * low * self.rate)


@export("keras.layers.GaussianDropout")
class GaussianDropout(Noise):
    """Multiplies by noise of mean 1 and variance rate / (1 - rate).

    >>> GaussianDropout(0.5)(ops.ones((2, 3))).shape
    (2, 3)
    """

    def __init__(self, rate: float, seed: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.rate = rate_between(rate)
        self._begin(seed, rate > 0)

    def call(self, inputs: Any, training: Any = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        deviation = (self.rate / (1.0 - self.rate)) ** 0.5
        noise = random.normal(inputs.shape, 1.0, deviation, dtype=self.compute_dtype, seed=self.seed_generator)
        return ops.multiply(inputs, noise)


@export("keras.layers.GaussianNoise")
class GaussianNoise(Noise):
    """Adds noise of mean 0.

    >>> GaussianNoise(0.5)(ops.ones((2, 3))).shape
    (2, 3)
    """

    def __init__(self, stddev: float, seed: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.stddev = rate_between(stddev, "stddev")
        self._begin(seed, stddev > 0)

    def call(self, inputs: Any, training: Any = False) -> Any:
        if not training or self.stddev == 0:
            return inputs
        return ops.add(
            inputs, random.normal(inputs.shape, 0.0, self.stddev, dtype=self.compute_dtype, seed=self.seed_generator)
        )


@export("keras.layers.ActivityRegularization")
class ActivityRegularization(Layer):
    """Hands on its inputs, and adds their L1 and L2 norms to the loss.

    >>> ActivityRegularization(l1=0.1)(ops.ones((2, 3))).shape
    (2, 3)
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any):
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1, self.l2 = l1, l2
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return inputs

    def get_config(self) -> dict:
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return {**config, "l1": self.l1, "l2": self.l2}
