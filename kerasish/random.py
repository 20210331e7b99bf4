"""`keras.random`: draws that are functions of a seed and of how often it was drawn from.

The state, two words (seed, counter), is a Variable: eager and traced code, and a resumed run, draw the same numbers.
"""

import random as python_random
from typing import Any

import numpy as np

from kerasish.base import config, naming
from kerasish.base.registry import export
from kerasish.engine import primitives as P
from kerasish.engine.core import suspended
from kerasish.engine.tensor import Tensor
from kerasish.engine.variable import Variable
from kerasish.ops import dtypes
from kerasish.ops.convert import axis_of, floats, numpy_dtype, shape_of, tensor

# -- seeds ------------------------------------------------------------------------------------------------------------


@export("keras.random.SeedGenerator")
class SeedGenerator:
    """A source of seeds: each call of `next` gives another.

    seed: an int, or None for one drawn from Python's `random`.

    >>> generator = SeedGenerator(seed=7)
    >>> generator.next().tolist(), generator.next().tolist()
    ([7, 0], [7, 1])
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any):
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments: {kwargs}")
        self.name = name or naming.auto_name(type(self).__name__)
        self._initial_seed = seed
        if seed is None:
            seed = make_default_seed()
        if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool):
            raise ValueError(f"Argument `seed` must be an integer. Received: seed={seed}")
        with naming.name_scope(self.name):
            self.state = Variable(
                np.array([np.uint32(int(seed)), 0], "uint32"),
                dtype="uint32",
                trainable=False,
                name="seed_generator_state",
            )

    def next(self, ordered: bool = True) -> Tensor:
        """The state, which then moves on."""
        del ordered  # draws are always in order
        current = self.state.value
        self.state.assign(P.add(current, P.constant([0, 1], "uint32")))
        return current

    def get_config(self) -> dict:
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict) -> "SeedGenerator":
        return cls(**config)


def make_default_seed() -> int:
    """A seed from Python's own generator, so that `set_random_seed` fixes it."""
    return python_random.randint(1, int(1e9))


_global: list[SeedGenerator] = []


def global_seed_generator() -> SeedGenerator:
    """The generator behind every draw without a seed."""
    if not _global:
        with suspended():
            _global.append(SeedGenerator(name="global_seed_generator"))
    return _global[0]


def reset_global_seed(seed: int | None = None) -> None:
    """Start the global generator again: from a seed, or (None) from a new one when it is next used."""
    _global.clear()
    if seed is not None:
        with suspended():
            _global.append(SeedGenerator(seed, name="global_seed_generator"))


@export("keras.utils.set_random_seed")
def set_random_seed(seed: int) -> None:
    """Seed Python's, NumPy's and the library's random numbers."""
    if not isinstance(seed, int):
        raise ValueError(f"Expected `seed` argument to be an integer. Received: seed={seed} (of type {type(seed)})")
    python_random.seed(seed)
    np.random.seed(seed)
    reset_global_seed(seed)


def draw_seed(seed: Any) -> Tensor:
    """The state for one draw, from a SeedGenerator, an int, or None (the global generator)."""
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        return P.constant([np.uint32(int(seed)), 0], "uint32")
    if seed is None:
        return global_seed_generator().next()
    raise ValueError(
        "Argument `seed` must be either an integer or an instance of `SeedGenerator`. "
        f"Received: seed={seed} (of type {type(seed)})"
    )


# -- continuous distributions -----------------------------------------------------------------------------------------


def _float_dtype(dtype: Any, name: str) -> np.dtype:
    dtype = dtypes.standardize_dtype(dtype or config.floatx())
    if not dtypes.is_float(dtype):
        raise ValueError(f"`keras.random.{name}` requires a floating point `dtype`. Received: dtype={dtype} ")
    return numpy_dtype(dtype)


def _scaled(x: Tensor, shift: Any, scale: Any) -> Tensor:
    """x * scale + shift, where these are not 1 and 0."""
    if not (isinstance(scale, (int, float)) and scale == 1):
        x = P.mul(x, tensor(scale, x.dtype))
    if not (isinstance(shift, (int, float)) and shift == 0):
        x = P.add(x, tensor(shift, x.dtype))
    return x


@export("keras.random.normal")
def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Draws from the normal distribution."""
    draw = P.random_normal(draw_seed(seed), shape=shape_of(shape), dtype=_float_dtype(dtype, "normal"))
    return _scaled(draw, mean, stddev)


@export("keras.random.truncated_normal")
def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Draws from the normal distribution, none further from the mean than two standard deviations."""
    draw = P.random_truncated(draw_seed(seed), shape=shape_of(shape), dtype=_float_dtype(dtype, "truncated_normal"))
    return _scaled(draw, mean, stddev)


@export("keras.random.uniform")
def uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Draws from [minval, maxval), all equally likely."""
    dtype = _float_dtype(dtype, "uniform")
    state, shape = draw_seed(seed), shape_of(shape)
    if all(isinstance(v, (int, float)) for v in (minval, maxval)):
        return P.random_uniform(state, shape=shape, dtype=dtype, low=float(minval), high=float(maxval))
    low, high = tensor(minval, dtype), tensor(maxval, dtype)
    draw = P.random_uniform(state, shape=shape, dtype=dtype, low=0.0, high=1.0)
    return P.add(P.mul(draw, P.sub(high, low)), low)


@export("keras.random.gamma")
def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Draws from the gamma distribution of shape alpha and scale 1."""
    dtype = _float_dtype(dtype, "gamma")
    return P.random_gamma(draw_seed(seed), tensor(alpha, dtype), shape=shape_of(shape))


@export("keras.random.beta")
def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Draws from the beta distribution."""
    dtype = _float_dtype(dtype, "beta")
    state, shape = draw_seed(seed), shape_of(shape)
    # the share of one of two gamma draws; the second one is from another stream
    a = P.random_gamma(state, tensor(alpha, dtype), shape=shape)
    b = P.random_gamma(P.bitwise_xor(state, P.constant([0x9E3779B9, 0], "uint32")), tensor(beta, dtype), shape=shape)
    return P.div(a, P.add(a, b))


# -- discrete distributions -------------------------------------------------------------------------------------------


@export("keras.random.randint")
def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Whole numbers from [minval, maxval), all equally likely."""
    dtype = dtypes.standardize_dtype(dtype)
    if not dtypes.is_int(dtype):
        raise ValueError(f"`keras.random.randint` requires an integer `dtype`. Received: dtype={dtype} ")
    return P.random_int(
        draw_seed(seed), shape=shape_of(shape), dtype=numpy_dtype(dtype), low=int(minval), high=int(maxval)
    )


@export("keras.random.categorical")
def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Class indices (batch, num_samples), drawn with the probabilities softmax(logits)."""
    x = tensor(logits)
    if x.ndim != 2:
        raise ValueError(
            f"`logits` should be a 2-D tensor with shape [batch_size, num_classes]. Received: logits={logits}"
        )
    x = floats(x)
    batch, classes = x.shape
    u = P.random_uniform(draw_seed(seed), shape=(batch, num_samples, classes), dtype=x.dtype, low=0.0, high=1.0)
    tiny = P.scalar(u, float(np.finfo(x.dtype).tiny))
    gumbel = P.neg(P.log(P.neg(P.log(P.maximum(u, tiny)))))
    scores = P.add(P.reshape(x, shape=(batch, 1, classes)), gumbel)
    return tensor(P.argmax(scores, axis=2), numpy_dtype(dtype))


@export("keras.random.binomial")
def binomial(shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """How many of `counts` trials succeed, each with the given probability."""
    dtype = _float_dtype(dtype, "binomial")
    return P.random_binomial(
        draw_seed(seed), tensor(counts, dtype), tensor(probabilities, dtype), shape=shape_of(shape)
    )


# -- on tensors -------------------------------------------------------------------------------------------------------


@export("keras.random.dropout")
def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Tensor:
    """A share `rate` of the elements set to 0, the others scaled by 1 / (1 - rate).

    noise_shape: the shape in which it is drawn what stays, broadcast to the inputs; None in it is the inputs' size.
    """
    x = floats(inputs)
    if rate <= 0:
        return x
    if rate >= 1:
        return P.full_like(x, 0)
    shape = x.shape
    if noise_shape is not None:
        shape = tuple(d if n is None else n for n, d in zip(noise_shape, x.shape, strict=True))
    keep = P.random_mask(draw_seed(seed), shape=shape_of(shape), keep=1.0 - float(rate))
    scale = P.mul(P.cast(keep, dtype=x.dtype), P.scalar(x, 1.0 / (1.0 - rate)))
    return P.mul(x, scale)


@export("keras.random.shuffle")
def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Tensor:
    """The slices along an axis in random order."""
    x = tensor(x)
    at = axis_of(axis, x.ndim)
    return P.take(x, P.random_permutation(draw_seed(seed), n=x.shape[at]), axis=at)
