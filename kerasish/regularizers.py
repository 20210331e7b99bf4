"""`keras.regularizers`: penalties on weights."""

from typing import Any

import numpy as np

from kerasish import ops
from kerasish.base.registry import export
from kerasish.saving.lookup import lookup_functions


def _strength(value: Any, name: str) -> float:
    """A coefficient, checked: a finite number that is not negative."""
    if isinstance(value, (bool, str)) or not np.isscalar(value) and np.ndim(value) > 0:
        raise ValueError(f"Invalid value for argument {name}: expected a non-negative float. Received: {name}={value}")
    if not np.isfinite(value) or value < 0:
        raise ValueError(f"Invalid value for argument {name}: expected a non-negative float. Received: {name}={value}")
    return float(value)


@export("keras.Regularizer", "keras.regularizers.Regularizer")
class Regularizer:
    """The base: `regularizer(x)` is a scalar penalty.

    >>> class Largest(Regularizer):
    ...     def __call__(self, x):
    ...         return 0.5 * ops.max(ops.abs(x))
    >>> float(Largest()(np.array([1.0, -2.0], "float32")))
    1.0
    """

    def __call__(self, x: Any) -> Any:
        return 0.0

    def get_config(self) -> dict:
        raise NotImplementedError(f"{self} does not implement get_config()")

    @classmethod
    def from_config(cls, config: dict) -> Any:
        return cls(**config)


@export("keras.regularizers.L1L2", "keras.regularizers.l1_l2")
class L1L2(Regularizer):
    """l1 * sum|x| + l2 * sum x².

    >>> float(L1L2(l1=0.1, l2=0.5)(np.array([1.0, -2.0], "float32")))
    2.799999952316284
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0):
        self.l1, self.l2 = _strength(l1 or 0.0, "l1"), _strength(l2 or 0.0, "l2")

    def __call__(self, x: Any) -> Any:
        x = ops.convert_to_tensor(x)
        total = ops.zeros((), dtype=x.dtype)
        if self.l1:
            total = total + self.l1 * ops.sum(ops.absolute(x))
        if self.l2:
            total = total + self.l2 * ops.sum(ops.square(x))
        return total

    def get_config(self) -> dict:
        return {"l1": self.l1, "l2": self.l2}


@export("keras.regularizers.L1", "keras.regularizers.l1")
class L1(Regularizer):
    """l1 * sum|x|.

    >>> float(L1(0.5)(np.array([1.0, -2.0], "float32")))
    1.5
    """

    def __init__(self, l1: float = 0.01):
        self.l1 = _strength(0.01 if l1 is None else l1, "l1")

    def __call__(self, x: Any) -> Any:
        return self.l1 * ops.sum(ops.absolute(x))

    def get_config(self) -> dict:
        return {"l1": self.l1}


@export("keras.regularizers.L2", "keras.regularizers.l2")
class L2(Regularizer):
    """l2 * sum x².

    >>> float(L2(0.5)(np.array([1.0, -2.0], "float32")))
    2.5
    """

    def __init__(self, l2: float = 0.01):
        self.l2 = _strength(0.01 if l2 is None else l2, "l2")

    def __call__(self, x: Any) -> Any:
        return self.l2 * ops.sum(ops.square(x))

    def get_config(self) -> dict:
        return {"l2": self.l2}


@export("keras.regularizers.OrthogonalRegularizer", "keras.regularizers.orthogonal_regularizer")
class OrthogonalRegularizer(Regularizer):
    """Draws the rows (or columns) of a matrix towards orthogonality: factor * the mean |cosine| of two of them.

    >>> float(OrthogonalRegularizer(0.5)(np.eye(3, dtype="float32")))
    0.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows"):
        if mode not in ("rows", "columns"):
            raise ValueError(f'Invalid value for argument `mode`. Expected one of {{"rows", "columns"}}. Received: mode={mode}')
        self.factor, self.mode = _strength(factor, "factor"), mode

    def __call__(self, inputs: Any) -> Any:
        if len(inputs.shape) != 2:
            raise ValueError(f"Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape={inputs.shape}")
        axis = 1 if self.mode == "rows" else 0
        x = ops.normalize(inputs, axis=axis)
        product = ops.matmul(x, ops.transpose(x)) if axis else ops.matmul(ops.transpose(x), x)
        n = inputs.shape[1 - axis]
        pairs = n * (n - 1) / 2.0
        off = product * (1.0 - ops.eye(n, dtype=product.dtype))
        return self.factor * 0.5 * ops.sum(ops.absolute(off)) / pairs

    def get_config(self) -> dict:
        return {"factor": self.factor, "mode": self.mode}


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer  # Keras's names of the same classes

get, serialize, deserialize = lookup_functions("regularizers", Regularizer)

__all__ = [
    "L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "deserialize", "get", "l1", "l1_l2", "l2",
    "orthogonal_regularizer", "serialize",
]  # fmt: skip
