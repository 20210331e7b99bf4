"""Activations with parameters, as layers."""

from typing import Any

from kerasish import activations, ops
from kerasish.base.registry import export
from kerasish.layers.core import Weighted
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer


@export("keras.layers.LeakyReLU")
class LeakyReLU(Layer):
    """x above zero, x times a slope below.

    >>> LeakyReLU(0.5)(ops.array([-2.0, 2.0])).numpy().tolist()
    [-1.0, 2.0]
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any):
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0:
            raise ValueError(
                f"The negative_slope value of a Leaky ReLU layer cannot be None or negative value. Expected a float. "
                f"Received: negative_slope={negative_slope}"
            )
        self.negative_slope = negative_slope
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)


@export("keras.layers.ELU")
class ELU(Layer):
    """x above zero, alpha * (exp(x) - 1) below.

    >>> ELU()(ops.array([2.0])).numpy().tolist()
    [2.0]
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.alpha = alpha
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return activations.elu(inputs, alpha=self.alpha)


@export("keras.layers.PReLU")
class PReLU(Weighted):
    """x above zero, alpha * x below, with a learnt alpha for every place but along `shared_axes`.

    >>> PReLU()(ops.array([[-2.0, 2.0]])).numpy().tolist()
    [[0.0, 2.0]]
    """

    def __init__(
        self, alpha_initializer: Any = "Zeros", alpha_regularizer: Any = None, alpha_constraint: Any = None,
        shared_axes: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self._take(alpha_initializer=alpha_initializer, alpha_regularizer=alpha_regularizer, alpha_constraint=alpha_constraint)
        self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes and list(shared_axes)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        shared = self.shared_axes or []
        self.alpha = self._weight("alpha", tuple(1 if i in shared else d for i, d in enumerate(input_shape) if i))
        axes = {i: d for i, d in enumerate(input_shape) if i and i not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)

    def call(self, inputs: Any) -> Any:
        return ops.subtract(activations.relu(inputs), ops.multiply(self.alpha, activations.relu(ops.negative(inputs))))
