"""`keras.constraints`: projections applied to weights after each update."""

from typing import Any

from kerasish import ops
from kerasish.base.config import epsilon
from kerasish.base.registry import export
from kerasish.saving.lookup import lookup_functions


@export("keras.constraints.Constraint")
class Constraint:
    """The base: `constraint(w)` is the projected weight.

    >>> class Rounded(Constraint):
    ...     def __call__(self, w):
    ...         return ops.round(w)
    >>> ops.convert_to_numpy(Rounded()(ops.array([0.7, 2.2]))).tolist()
    [1.0, 2.0]
    """

    def __call__(self, w: Any) -> Any:
        raise NotImplementedError

    def get_config(self) -> dict:
        return {}

    @classmethod
    def from_config(cls, config: dict) -> Any:
        return cls(**config)


def _norms(w: Any, axis: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


@export("keras.constraints.MaxNorm", "keras.constraints.max_norm")
class MaxNorm(Constraint):
    """Norms along `axis` of at most `max_value`.

    >>> ops.convert_to_numpy(MaxNorm(1.0)([[3.0], [4.0]])).round(3).ravel().tolist()
    [0.6000000238418579, 0.800000011920929]
    """

    def __init__(self, max_value: float = 2, axis: Any = 0):
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        norms = _norms(w, self.axis)
        return w * (ops.clip(norms, 0, self.max_value) / (epsilon() + norms))

    def get_config(self) -> dict:
        return {"max_value": self.max_value, "axis": self.axis}


@export("keras.constraints.NonNeg", "keras.constraints.non_neg")
class NonNeg(Constraint):
    """No negative weights.

    >>> ops.convert_to_numpy(NonNeg()([-1.0, 2.0])).tolist()
    [-0.0, 2.0]
    """

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        return w * ops.cast(ops.greater_equal(w, 0.0), w.dtype)


@export("keras.constraints.UnitNorm", "keras.constraints.unit_norm")
class UnitNorm(Constraint):
    """Norms along `axis` of one.

    >>> ops.convert_to_numpy(UnitNorm()([[3.0], [4.0]])).round(3).ravel().tolist()
    [0.6000000238418579, 0.800000011920929]
    """

    def __init__(self, axis: Any = 0):
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        return w / (epsilon() + _norms(w, self.axis))

    def get_config(self) -> dict:
        return {"axis": self.axis}


@export("keras.constraints.MinMaxNorm", "keras.constraints.min_max_norm")
class MinMaxNorm(Constraint):
    """Norms along `axis` drawn towards [min_value, max_value] at `rate`.

    >>> ops.convert_to_numpy(MinMaxNorm(min_value=10.0, max_value=20.0)([[3.0], [4.0]])).round(3).ravel().tolist()
    [6.0, 8.0]
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0):
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        norms = _norms(w, self.axis)
        wanted = self.rate * ops.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (wanted / (epsilon() + norms))

    def get_config(self) -> dict:
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


# Keras's names of the same classes
max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

get, serialize, deserialize = lookup_functions("constraints", Constraint)

__all__ = [
    "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "max_norm", "min_max_norm",
    "non_neg", "serialize", "unit_norm",
]  # fmt: skip
