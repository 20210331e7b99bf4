"""`keras.activations`: the functions that follow a layer's linear part, by name."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.saving.lookup import lookup_functions


@export("keras.activations.relu")
def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """max(x, 0); with a slope below `threshold` and a ceiling, if given."""
    if not negative_slope and not threshold:
        if max_value is None:
            return ops.relu(x)
        return ops.clip(x, 0.0, max_value)
    x = ops.convert_to_tensor(x)
    low = (x - threshold) * negative_slope
    y = ops.where(x > threshold, x, ops.cast(low, x.dtype))
    return ops.minimum(y, max_value) if max_value is not None else y


@export("keras.activations.softmax")
def softmax(x: Any, axis: Any = -1) -> Any:
    """exp(x) over its sum along the axis. The logits stay reachable for cross-entropies, which are exact with them."""
    y = ops.softmax(x, axis=axis)
    return y


@export("keras.activations.exponential")
def exponential(x: Any) -> Any:
    """exp(x)."""
    return ops.exp(x)


@export("keras.activations.linear")
def linear(x: Any) -> Any:
    """x itself."""
    return x


@export("keras.activations.mish")
def mish(x: Any) -> Any:
    """x * tanh(softplus(x))."""
    return x * ops.tanh(ops.softplus(x))


@export("keras.activations.relu6")
def relu6(x: Any) -> Any:
    """min(max(x, 0), 6)."""
    return ops.relu6(x)


@export("keras.activations.sigmoid")
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return ops.sigmoid(x)


@export("keras.activations.softplus")
def softplus(x: Any) -> Any:
    """log(1 + exp(x))."""
    return ops.softplus(x)


@export("keras.activations.softsign")
def softsign(x: Any) -> Any:
    """x / (1 + |x|)."""
    return ops.softsign(x)


@export("keras.activations.tanh")
def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return ops.tanh(x)


@export("keras.activations.silu", "keras.activations.swish")
def silu(x: Any) -> Any:
    """x * sigmoid(x), also called swish."""
    return ops.silu(x)


@export("keras.activations.gelu")
def gelu(x: Any, approximate: bool = False) -> Any:
    """x times the normal distribution's share below x; by tanh if `approximate`."""
    return ops.gelu(x, approximate)


@export("keras.activations.elu")
def elu(x: Any, alpha: float = 1.0) -> Any:
    """x above zero, alpha * (exp(x) - 1) below."""
    return ops.elu(x, alpha)


@export("keras.activations.selu")
def selu(x: Any) -> Any:
    """elu, scaled so that means and variances stay as they are (Klambauer et al. 2017)."""
    return ops.selu(x)


@export("keras.activations.celu")
def celu(x: Any, alpha: float = 1.0) -> Any:
    """x above zero, alpha * (exp(x / alpha) - 1) below."""
    return ops.celu(x, alpha)


@export("keras.activations.glu")
def glu(x: Any, axis: int = -1) -> Any:
    """The first half along an axis times the sigmoid of the second."""
    return ops.glu(x, axis)


@export("keras.activations.hard_sigmoid")
def hard_sigmoid(x: Any) -> Any:
    """relu6(x + 3) / 6."""
    return ops.hard_sigmoid(x)


@export("keras.activations.hard_silu", "keras.activations.hard_swish")
def hard_silu(x: Any) -> Any:
    """x * hard_sigmoid(x), also called hard_swish."""
    return ops.hard_silu(x)


@export("keras.activations.hard_tanh")
def hard_tanh(x: Any) -> Any:
    """x between -1 and 1."""
    return ops.hard_tanh(x)


@export("keras.activations.hard_shrink")
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x where |x| is above the threshold, else 0."""
    return ops.hard_shrink(x, threshold)


@export("keras.activations.soft_shrink")
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x moved towards zero by the threshold, and 0 within it."""
    return ops.soft_shrink(x, threshold)


@export("keras.activations.tanh_shrink")
def tanh_shrink(x: Any) -> Any:
    """x - tanh(x)."""
    return ops.tanh_shrink(x)


@export("keras.activations.log_sigmoid")
def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x))."""
    return ops.log_sigmoid(x)


@export("keras.activations.log_softmax")
def log_softmax(x: Any, axis: int = -1) -> Any:
    """log(softmax(x)) along an axis."""
    return ops.log_softmax(x, axis)


@export("keras.activations.leaky_relu")
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """x above zero, x times the slope below."""
    return ops.leaky_relu(x, negative_slope)


@export("keras.activations.sparse_plus")
def sparse_plus(x: Any) -> Any:
    """0 below -1, (x + 1)**2 / 4 up to 1, x above."""
    return ops.sparse_plus(x)


@export("keras.activations.sparse_sigmoid")
def sparse_sigmoid(x: Any) -> Any:
    """(x + 1) / 2 between 0 and 1."""
    return ops.sparse_sigmoid(x)


@export("keras.activations.sparsemax")
def sparsemax(x: Any, axis: int = -1) -> Any:
    """The probabilities nearest to x, many of them 0 (Martins and Astudillo 2016)."""
    return ops.sparsemax(x, axis)


@export("keras.activations.squareplus")
def squareplus(x: Any, b: float = 4) -> Any:
    """(x + sqrt(x**2 + b)) / 2."""
    return ops.squareplus(x, b)


@export("keras.activations.threshold")
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """x where it is above the threshold, else the default value."""
    return ops.threshold(x, threshold, default_value)


swish, hard_swish = silu, hard_silu

_get, serialize, deserialize = lookup_functions("activations")


@export("keras.activations.get")
def get(identifier: Any) -> Any:
    """An activation from a name, a config, a callable; None is linear.

    >>> get("tanh").__name__
    'tanh'
    """
    if identifier is None:
        return linear
    return _get(identifier)

__all__ = [
    "celu", "deserialize", "elu", "exponential", "gelu", "get", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu",
    "serialize", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid",
    "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink", "threshold",
]  # fmt: skip
