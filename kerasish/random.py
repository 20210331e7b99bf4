"""`keras.random`: draws that are functions of a seed and of how often it was drawn from.

The state, two words (seed, counter), is a Variable: eager and traced code, and a resumed run, draw the same numbers.
"""

import random as python_random
from typing import Any

import numpy as np

from kerasish.base import config
from kerasish.base.registry import export
from kerasish.engine import primitives as P
from kerasish.engine.tensor import Tensor
from kerasish.ops import dtypes
from kerasish.ops.convert import axis_of, floats, numpy_dtype, shape_of, tensor
from kerasish.ops.seeds import SeedGenerator, draw_seed, global_seed_generator, make_default_seed, reset_global_seed

# -- seeds ------------------------------------------------------------------------------------------------------------


@export("keras.utils.set_random_seed")
def set_random_seed(seed: int) -> None:
    """Seed Python's, NumPy's and the library's random numbers. What then is the same, bit by bit: docs/determinism.md."""
    if not isinstance(seed, int):
        raise ValueError(f"Expected `seed` argument to be an integer. Received: seed={seed} (of type {type(seed)})")
    python_random.seed(seed)
    np.random.seed(seed)
    reset_global_seed(seed)


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
    keep = 1.0 - float(rate)
    scale = P.random_mask(draw_seed(seed), shape=shape_of(shape), keep=keep, value=1.0 / keep, dtype=x.dtype)
    return P.mul(x, scale)


@export("keras.random.shuffle")
def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Tensor:
    """The slices along an axis in random order."""
    x = tensor(x)
    at = axis_of(axis, x.ndim)
    return P.take(x, P.random_permutation(draw_seed(seed), n=x.shape[at]), axis=at)


__all__ = [
    "SeedGenerator", "beta", "binomial", "categorical", "draw_seed", "dropout", "gamma", "global_seed_generator",
    "make_default_seed", "normal", "randint", "reset_global_seed", "set_random_seed", "shuffle", "truncated_normal",
    "uniform",
]  # fmt: skip
