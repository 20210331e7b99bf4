"""Minimal stand-in: KerasTensor, Node, Operation."""

from typing import Any

from kerasish.base import tree
from kerasish.base.naming import auto_name


class KerasTensor:
    def __init__(self, shape: Any, dtype: str = "float32", sparse: bool = False, ragged: bool = False,
                 record_history: bool = True, name: str | None = None, **kwargs: Any):
        self.shape = tuple(shape)
        self.dtype = dtype
        self.name = name or auto_name("keras_tensor")

    @property
    def ndim(self) -> int:
        return len(self.shape)


def any_symbolic_tensors(args: Any = None, kwargs: Any = None) -> bool:
    return any(isinstance(x, KerasTensor) for x in tree.flatten((args or (), kwargs or {})))


class Operation:
    def __init__(self, name: str | None = None):
        self.name = name or auto_name(type(self).__name__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any_symbolic_tensors(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        return self.compute_output_spec(*args, **kwargs)
