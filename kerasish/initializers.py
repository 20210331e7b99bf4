import math
from typing import Any

import numpy as np

from kerasish import ops, random
from kerasish.base import config
from kerasish.base.registry import export
from kerasish.saving.lookup import lookup_functions
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


@export("keras.Initializer", "keras.initializers.Initializer")
class Initializer:
    """The base: `initializer(shape, dtype)` is a tensor."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        raise NotImplementedError("Initializer subclasses must implement the `__call__()` method.")

    def get_config(self) -> dict:
        return {}

    @classmethod
    def from_config(cls, config: dict) -> Any:
        return cls(**config)

    def clone(self) -> "Initializer":
        return type(self).from_config(self.get_config())


@export("keras.initializers.Zeros", "keras.initializers.zeros", "keras.initializers.zero")
class Zeros(Initializer):
    """All zeros."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return ops.zeros(shape, dtype=dtype or config.floatx())


@export("keras.initializers.Ones", "keras.initializers.ones", "keras.initializers.one")
class Ones(Initializer):
    """All ones."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return ops.ones(shape, dtype=dtype or config.floatx())


@export("keras.initializers.Constant", "keras.initializers.constant")
class Constant(Initializer):
    """All the same value (or an array that broadcasts)."""

    def __init__(self, value: Any = 0.0):
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        dtype = dtype or config.floatx()
        return ops.cast(self.value, dtype) * ops.ones(shape, dtype=dtype)

    def get_config(self) -> dict:
        return {"value": serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config: dict) -> Any:
        return cls(deserialize_keras_object(config["value"]))


@export("keras.initializers.Identity", "keras.initializers.IdentityInitializer", "keras.initializers.identity")
class Identity(Initializer):
    """The identity matrix times `gain`."""

    def __init__(self, gain: float = 1.0):
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        if len(shape) != 2:
            raise ValueError(f"Identity matrix initializer can only be used for 2D matrices. Received: shape={shape}")
        return self.gain * ops.eye(*shape, dtype=dtype or config.floatx())

    def get_config(self) -> dict:
        return {"gain": self.gain}


@export("keras.initializers.RandomInitializer")
class RandomInitializer(Initializer):
    """The base of those that draw: the same int seed gives the same values at every call."""

    def __init__(self, seed: Any = None):
        self._init_seed = seed
        if seed is None:
            seed = random.make_default_seed()
        elif isinstance(seed, dict):
            seed = deserialize_keras_object(seed)
        elif not isinstance(seed, (int, random.SeedGenerator)):
            raise ValueError(
                f"`seed` argument should be an instance of `keras.random.SeedGenerator()` or an integer. Received: seed={seed}"
            )
        self.seed = seed

    def get_config(self) -> dict:
        return {"seed": serialize_keras_object(self._init_seed)}


@export("keras.initializers.RandomNormal", "keras.initializers.random_normal", "keras.initializers.normal")
class RandomNormal(RandomInitializer):
    """Normal."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None):
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return random.normal(shape, self.mean, self.stddev, dtype=dtype or config.floatx(), seed=self.seed)

    def get_config(self) -> dict:
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


@export("keras.initializers.TruncatedNormal", "keras.initializers.truncated_normal")
class TruncatedNormal(RandomNormal):
    """Normal within two standard deviations."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return random.truncated_normal(shape, self.mean, self.stddev, dtype=dtype or config.floatx(), seed=self.seed)


@export("keras.initializers.RandomUniform", "keras.initializers.random_uniform", "keras.initializers.uniform")
class RandomUniform(RandomInitializer):
    """Uniform on [minval, maxval)."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None):
        self.minval, self.maxval = minval, maxval
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return random.uniform(shape, self.minval, self.maxval, dtype=dtype or config.floatx(), seed=self.seed)

    def get_config(self) -> dict:
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}


def compute_fans(shape: Any, input_axes: Any = None, output_axes: Any = None) -> tuple[int, int]:
    """How many inputs and outputs a unit of a weight of this shape has; by the axes that are theirs, if both are told."""
    shape = tuple(shape)
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[a] for a in input_axes), math.prod(shape[a] for a in output_axes)
    if not shape:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    if len(shape) == 2:
        return shape[0], shape[1]
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


@export("keras.initializers.VarianceScaling", "keras.initializers.variance_scaling")
class VarianceScaling(RandomInitializer):
    """A variance of scale / n, where n is the fan in, the fan out or their mean."""

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ):
        if scale <= 0.0:
            raise ValueError(f"Argument `scale` must be positive float. Received: scale={scale}")
        modes = {"fan_in", "fan_out", "fan_avg"}
        if mode not in modes:
            raise ValueError(f"Invalid `mode` argument: {mode}. Please use one of {sorted(modes)}")
        distribution = distribution.lower()
        if distribution == "normal":
            distribution = "truncated_normal"
        kinds = {"uniform", "truncated_normal", "untruncated_normal"}
        if distribution not in kinds:
            raise ValueError(f"Invalid `distribution` argument: {distribution}. Please use one of {sorted(kinds)}")
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        dtype = dtype or config.floatx()
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        scale = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * scale)
            return random.uniform(shape, -limit, limit, dtype=dtype, seed=self.seed)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, math.sqrt(scale), dtype=dtype, seed=self.seed)
        # the standard deviation of a standard normal within two standard deviations
        return random.truncated_normal(shape, 0.0, math.sqrt(scale) / 0.87962566103423978, dtype=dtype, seed=self.seed)

    def get_config(self) -> dict:
        own = {"scale": self.scale, "mode": self.mode, "distribution": self.distribution}
        return {**super().get_config(), **own, **self._axes()}

    def _axes(self) -> dict:
        return {"input_axes": self.input_axes, "output_axes": self.output_axes}


class _Preset(VarianceScaling):
    """VarianceScaling with everything but the seed and the axes fixed."""

    preset: tuple = ()

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None):
        super().__init__(*self.preset, seed=seed, input_axes=input_axes, output_axes=output_axes)

    def get_config(self) -> dict:
        return {"seed": serialize_keras_object(self._init_seed), **self._axes()}


@export("keras.initializers.GlorotUniform", "keras.initializers.glorot_uniform")
class GlorotUniform(_Preset):
    """Uniform within sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010)."""

    preset = (1.0, "fan_avg", "uniform")


@export("keras.initializers.GlorotNormal", "keras.initializers.glorot_normal")
class GlorotNormal(_Preset):
    """Truncated normal of variance 2 / (fan_in + fan_out)."""

    preset = (1.0, "fan_avg", "truncated_normal")


@export("keras.initializers.HeUniform", "keras.initializers.he_uniform")
class HeUniform(_Preset):
    """Uniform within sqrt(6 / fan_in) (He et al. 2015)."""

    preset = (2.0, "fan_in", "uniform")


@export("keras.initializers.HeNormal", "keras.initializers.he_normal")
class HeNormal(_Preset):
    """Truncated normal of variance 2 / fan_in."""

    preset = (2.0, "fan_in", "truncated_normal")


@export("keras.initializers.LecunUniform", "keras.initializers.lecun_uniform")
class LecunUniform(_Preset):
    """Uniform within sqrt(3 / fan_in)."""

    preset = (1.0, "fan_in", "uniform")


@export("keras.initializers.LecunNormal", "keras.initializers.lecun_normal")
class LecunNormal(_Preset):
    """Truncated normal of variance 1 / fan_in."""

    preset = (1.0, "fan_in", "truncated_normal")


@export("keras.initializers.Orthogonal", "keras.initializers.OrthogonalInitializer", "keras.initializers.orthogonal")
class Orthogonal(RandomInitializer):
    """A random orthogonal matrix times `gain`; more than two axes are flattened to a matrix (Saxe et al. 2014)."""

    def __init__(self, gain: float = 1.0, seed: Any = None):
        self.gain = gain
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        if len(shape) < 2:
            raise ValueError(
                f"The tensor to initialize must be at least two-dimensional. Received: shape={shape} of rank {len(shape)}."
            )
        rows, cols = math.prod(shape[:-1]), shape[-1]
        a = random.normal((max(rows, cols), min(rows, cols)), dtype=dtype or config.floatx(), seed=self.seed)
        q, r = ops.qr(a)
        q = q * ops.sign(ops.diag(r))
        if rows < cols:
            q = ops.transpose(q)
        return self.gain * ops.reshape(q, shape)

    def get_config(self) -> dict:
        return {"gain": self.gain, **super().get_config()}


# -- Fourier transforms -----------------------------------------------------------------------------------------------

# Windows that are sums of cosines: the weights of their harmonics
WINDOWS: dict[str, tuple] = {
    "boxcar": (1.0,),
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}


def window_values(window: Any, length: int, periodic: bool) -> np.ndarray:
    """A window by its name in WINDOWS, or its values; None stands for ones."""
    if window is None:
        return np.ones(length)
    if not isinstance(window, str):
        values = np.asarray(window, "float64")
        if values.shape != (length,):
            raise ValueError(f"The window should have shape ({length},). Received: window of shape {values.shape}")
        return values
    if window not in WINDOWS:
        raise ValueError(f"Invalid window name '{window}' in parameter window='{window}'! Known are: {sorted(WINDOWS)}")
    angle = 2 * np.pi * np.arange(length) / max(length if periodic else length - 1, 1)
    return sum((-1) ** k * a * np.cos(k * angle) for k, a in enumerate(WINDOWS[window]))  # type: ignore[return-value]


@export("keras.initializers.STFT", "keras.initializers.STFTInitializer", "keras.initializers.stft")
class STFT(Initializer):
    """Kernels (frame length, 1, frequencies) that make a convolution a short-time Fourier transform.

    side:     "real" or "imag".
    window:   a name, values, or None for none and no scaling; symmetric unless `periodic`.
    scaling:  "density" divides by the window's norm, "spectrum" by its sum.

    >>> STFT("real", window=None)((4, 1, 3)).shape
    (4, 1, 3)
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ):
        if side not in ("real", "imag"):
            raise ValueError(f"side should be 'real' or 'imag', not {side}")
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(f"Scaling is invalid, it must be `None`, 'density' or 'spectrum'. Received scaling={scaling}")
        if isinstance(window, str) and window not in WINDOWS:
            raise ValueError(f"Invalid window name '{window}' in parameter window='{window}'! Known are: {sorted(WINDOWS)}")
        self.side, self.window, self.scaling, self.periodic = side, window, scaling, periodic

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        length, _, frequencies = shape
        window = window_values(self.window, length, self.periodic)
        if self.window is None:
            pass  # nor is it scaled
        elif self.scaling == "density":
            window = window / np.sqrt(np.sum(np.square(window)))
        elif self.scaling == "spectrum":
            window = window / np.sum(np.abs(window))
        angle = 2 * np.pi * np.outer(np.arange(length), np.arange(frequencies)) / max(2 * (frequencies - 1), 1)
        # for an odd length of the transform, the kernel's shape does not tell it: it is taken to be even, as in Keras
        waves = np.cos(angle) if self.side == "real" else -np.sin(angle)
        return ops.convert_to_tensor((window[:, None] * waves)[:, None], dtype=dtype or config.floatx())

    def get_config(self) -> dict:
        return {"side": self.side, "window": self.window, "periodic": self.periodic, "scaling": self.scaling}


# Keras's other names
IdentityInitializer, OrthogonalInitializer, STFTInitializer = Identity, Orthogonal, STFT
constant, glorot_normal, glorot_uniform, he_normal = Constant, GlorotNormal, GlorotUniform, HeNormal
he_uniform, identity, lecun_normal, lecun_uniform = HeUniform, Identity, LecunNormal, LecunUniform
ones, orthogonal, random_normal, random_uniform = Ones, Orthogonal, RandomNormal, RandomUniform
stft, truncated_normal, variance_scaling, zeros = STFT, TruncatedNormal, VarianceScaling, Zeros

get, serialize, deserialize = lookup_functions("initializers", Initializer)

__all__ = [
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "IdentityInitializer",
    "Initializer", "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "OrthogonalInitializer", "RandomNormal",
    "RandomUniform", "STFT", "STFTInitializer", "TruncatedNormal", "VarianceScaling", "Zeros", "constant",
    "deserialize", "get", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "identity", "lecun_normal",
    "lecun_uniform", "ones", "orthogonal", "random_normal", "random_uniform", "serialize", "stft", "truncated_normal",
    "variance_scaling", "zeros",
]  # fmt: skip
