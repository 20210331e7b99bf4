"""`keras.activations`: the functions that follow a layer's linear part, by name."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.saving.lookup import lookup_functions

# those that are an op as it stands
PLAIN = (
    "relu6", "sigmoid", "softplus", "softsign", "tanh", "silu", "gelu", "elu", "selu", "celu", "glu", "hard_sigmoid",
    "hard_silu", "hard_tanh", "hard_shrink", "log_sigmoid", "log_softmax", "leaky_relu", "soft_shrink",
    "sparse_plus", "sparse_sigmoid", "squareplus", "tanh_shrink", "threshold", "sparsemax",
)  # fmt: skip
# other names of the same functions
ALIASES = {"silu": ("swish",), "hard_silu": ("hard_swish",)}


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


def _named(name: str) -> Any:
    op = getattr(ops, name)

    def activation(x: Any, *args: Any, **kwargs: Any) -> Any:
        return op(x, *args, **kwargs)

    activation.__name__ = activation.__qualname__ = name
    activation.__doc__ = op.__doc__
    paths = [f"keras.activations.{n}" for n in (name, *ALIASES.get(name, ()))]
    return export(*paths)(activation)


globals().update({name: _named(name) for name in PLAIN})

_get, serialize, deserialize = lookup_functions("activations")
export("keras.activations.serialize")(serialize)
export("keras.activations.deserialize")(deserialize)


@export("keras.activations.get")
def get(identifier: Any) -> Any:
    """An activation from a name, a config, a callable; None is linear.

    >>> get("tanh").__name__
    'tanh'
    """
    if identifier is None:
        return linear
    found = _get(identifier)
    return found
