"""Layers of what is not a number: strings, and numbers that are looked up or hashed as strings.

They compute with NumPy and dictionaries, on whatever holds values: strings, lists, arrays, pandas columns and tables,
tensors. In a program they are one statement that calls Python; a string is no tensor otherwise.
"""

from typing import Any, Callable, NamedTuple

import numpy as np

from kerasish import ops
from kerasish.base import tree
from kerasish.engine import primitives as P
from kerasish.engine.tensor import Tensor
from kerasish.engine.variable import Variable
from kerasish.layers.layer import Layer
from kerasish.ops.symbolic import KerasTensor


class HostCall(NamedTuple):
    """A function on arrays, and its rule of shapes and dtypes: (arguments with shape and dtype) -> (shape, dtype)."""

    run: Callable
    spec: Callable


def on_host(call: HostCall, *args: Any) -> Any:
    """The result of a host call: computed now, or when the program runs that is being traced."""
    return P.on_host(*[a if isinstance(a, Tensor) else Tensor(np.asarray(a)) for a in args], call=call)


def as_array(x: Any) -> Any:
    """Values as an array; tensors, symbolic ones too, stay as they are."""
    if isinstance(x, Variable):
        return x.value
    if isinstance(x, (Tensor, KerasTensor, np.ndarray)):
        return x
    if isinstance(x, (list, tuple)) and any(isinstance(v, Tensor) for v in tree.flatten(x)):
        return ops.convert_to_tensor(x)
    values = x.to_numpy() if hasattr(x, "to_numpy") else x
    try:
        return np.asarray(values)
    except ValueError as e:
        raise ValueError(f"The rows have different lengths, so they are no array ({e}). Received: {x!r}") from e


def as_text(values: np.ndarray, encoding: str = "utf-8") -> np.ndarray:
    """An array of str, from one of str, bytes or objects that are either."""
    kind = values.dtype.kind
    if kind == "U":
        return values.astype(object)
    if kind not in "OS":
        raise TypeError(f"Expected strings. Received an array of {values.dtype}. Convert it with `.astype(str)`.")
    flat = [v.decode(encoding) if isinstance(v, bytes) else v for v in values.ravel().tolist()]
    for v in flat:
        if not isinstance(v, str):
            raise TypeError(f"Expected strings. Received: {v!r} of type {type(v).__name__}. Fill in missing values first.")
    out = np.empty(len(flat), object)
    out[:] = flat
    return out.reshape(values.shape)


def is_text(dtype: Any) -> bool:
    """Whether values of this dtype are strings."""
    return str(dtype) == "string" or np.dtype(dtype).kind in "OUS"


class HostLayer(Layer):
    """The base of layers whose inputs are values of any kind."""

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(as_array(inputs), *args, **kwargs)

    def _convert(self, x: Any) -> Any:
        return x if isinstance(x, np.ndarray) else super()._convert(x)  # integers of 64 bits stay whole

    def build(self, input_shape: Any = None) -> None:
        self.built = True

    def _maybe_build(self, args: tuple, kwargs: dict, names: tuple) -> None:
        self.built = True

    def get_build_config(self) -> dict:
        return {}

    def build_from_config(self, config: dict) -> None:
        self.built = True
