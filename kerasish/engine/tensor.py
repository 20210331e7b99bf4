"""Tensor: an array value. Traced: a value of a program that is being recorded. TensorSpec: shape and dtype alone."""

from typing import Any

import numpy as np

from kerasish.base.errors import TracingError
from kerasish.engine.dims import Dim, product


class TensorSpec:
    """A shape (None where a size is unknown) and a dtype; what shape inference takes and returns."""

    __slots__ = ("shape", "dtype")

    def __init__(self, shape: tuple, dtype: Any = "float32"):
        self.shape = tuple(shape)
        self.dtype = np.dtype(object if dtype == "string" else dtype)

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype})"

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, TensorSpec) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))


class Tensor:
    """An immutable n-dimensional array. Operators, indexing and NumPy's functions work on it, also under a tape.

    `np.asarray(t)` and `t.numpy()` give the value; the operators are attached when `kerasish.ops` is loaded.
    """

    # `_lender` is the variable whose storage the array is: see Variable.assign.
    __slots__ = ("__weakref__", "_keras_history", "_keras_mask", "_lender", "value")
    __array_priority__ = 100

    def __init__(self, value: Any):
        self.value = value if type(value) is np.ndarray else np.asarray(value)

    @property
    def shape(self) -> tuple:
        return self.value.shape

    @property
    def dtype(self) -> np.dtype:
        return self.value.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> Any:
        return product(self.shape)

    def numpy(self) -> np.ndarray:
        """The value as an array of its own."""
        return self.value.copy()

    def item(self) -> Any:
        return self.value.item()

    def tolist(self) -> Any:
        return self.value.tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        value = self.value
        if dtype is not None and value.dtype != dtype:
            return value.astype(dtype)
        if copy or hasattr(self, "_lender"):
            return value.copy()
        value = value.view()
        value.flags.writeable = False
        return value

    def __bool__(self) -> bool:
        return bool(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __complex__(self) -> complex:
        return complex(self.value)

    def __index__(self) -> int:
        return self.value.__index__()

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a tensor without axes.")
        return self.shape[0]

    def __format__(self, spec: str) -> str:
        return format(self.value.item() if spec and self.ndim == 0 else str(self.value), spec)

    def __repr__(self) -> str:
        return f"<Tensor shape={self.shape} dtype={self.dtype} value={np.array2string(self.value, threshold=20)}>"

    def __hash__(self) -> int:
        return id(self)

    def __reduce__(self) -> tuple:
        return Tensor, (np.array(self.value),)

    def __deepcopy__(self, memo: dict) -> "Tensor":
        return Tensor(self.value.copy())


class Traced(Tensor):
    """A value inside a trace: shape and dtype are known, the numbers are not."""

    __slots__ = ("trace", "var")

    def __init__(self, var: Any, trace: Any):
        self.var = var
        self.trace = trace

    # `value` is a slot of Tensor; here it must never be read
    @property
    def value(self) -> Any:  # type: ignore[override]
        raise self._error("its numbers were asked for")

    @property
    def shape(self) -> tuple:
        return self.var.shape

    @property
    def dtype(self) -> np.dtype:
        return self.var.dtype

    def _error(self, why: str) -> TracingError:
        made = f" It was made at {self.var.where}." if self.var.where else ""
        return TracingError(
            f"A tensor of shape {self.shape} and dtype {self.dtype} has no value while the program is being built, but "
            f"{why}.{made} Use ops.cond, ops.where or ops.while_loop instead of Python control flow on values, or "
            "compile the model with run_eagerly=True."
        )

    def numpy(self) -> np.ndarray:
        raise self._error("numpy() was called")

    def item(self) -> Any:
        raise self._error("item() was called")

    tolist = item

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise self._error("NumPy asked for its array")

    def __bool__(self) -> bool:
        raise self._error("its truth was tested (if, while, and, or, not)")

    def __int__(self) -> int:
        raise self._error("int() was called")

    def __float__(self) -> float:
        raise self._error("float() was called")

    def __complex__(self) -> complex:
        raise self._error("complex() was called")

    def __index__(self) -> int:
        raise self._error("it was used as an index or a length")

    def __len__(self) -> Any:
        if not self.shape:
            raise TypeError("len() of a tensor without axes.")
        return self.shape[0].__index__() if isinstance(self.shape[0], Dim) else self.shape[0]

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __repr__(self) -> str:
        return f"<Traced shape={self.shape} dtype={self.dtype}>"

    def __reduce__(self) -> tuple:
        raise self._error("it was pickled")

    def __deepcopy__(self, memo: dict) -> "Tensor":
        return self
