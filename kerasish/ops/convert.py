"""The door: values of every kind become tensors of one dtype before a primitive sees them."""

import functools
from typing import Any, Sequence

import numpy as np

from kerasish.base import config, tree
from kerasish.base.errors import AxisError
from kerasish.engine import primitives as P
from kerasish.engine.dims import Dim
from kerasish.engine.tensor import Tensor
from kerasish.engine.variable import Variable
from kerasish.ops import dtypes

SCALARS = (bool, int, float)


@functools.lru_cache(4096)
def _common(floatx: str, *kinds: Any) -> np.dtype:
    name = dtypes.result_type(*kinds)
    try:
        return np.dtype(name)
    except TypeError:
        raise ValueError(f"NumPy has no dtype {name}. Use float32 or float16. Received: {kinds}") from None


def numpy_dtype(dtype: Any) -> np.dtype:
    """A dtype named in any way, as NumPy's."""
    if type(dtype) is np.dtype:
        return dtype
    name = dtypes.standardize_dtype(dtype)
    try:
        return np.dtype(name)
    except TypeError:
        raise ValueError(f"NumPy has no dtype {name}. Use float32 or float16.") from None


def kind(x: Any) -> Any:
    """What `x` brings to a promotion: a dtype, or int or float for a Python number (weak)."""
    if isinstance(x, (Tensor, Variable)):
        return x.dtype
    if isinstance(x, Dim):
        return int
    t = type(x)
    if t is float or t is int:
        return t
    if t is bool:
        return "bool"
    if t is complex:
        return "complex64"
    dtype = getattr(x, "dtype", None)
    return dtype if dtype is not None else tensor(x).dtype


def common(*kinds: Any) -> np.dtype:
    """The promoted dtype of several `kind`s."""
    return _common(config.floatx(), *kinds)


def tensor(x: Any, dtype: Any = None) -> Tensor:
    """`x` as a Tensor, cast to `dtype` if one is given; else floats get floatx and integers int32 unless they are
    tensors, or arrays of another width."""
    if isinstance(x, Variable):
        x = x.value
    if isinstance(x, Tensor):
        if dtype is None or x.dtype == (dtype := numpy_dtype(dtype)):
            return x
        return _cast(x, dtype)
    if dtype is not None:
        dtype = numpy_dtype(dtype)
    if isinstance(x, Dim):
        return P.number(x, dtype if dtype is not None else np.int32)
    if isinstance(x, (list, tuple)) and any(isinstance(i, (Tensor, Variable, Dim)) for i in tree.flatten(x)):
        return _stacked(x, dtype)
    return Tensor(_array(x, dtype))


def _array(x: Any, dtype: np.dtype | None) -> np.ndarray:
    if type(x) is float or type(x) is int or type(x) is bool:
        return np.asarray(x, dtype if dtype is not None else common(type(x) if type(x) is not bool else "bool"))
    array = np.asarray(x)
    if array.dtype.kind not in "biufc" and not (array.dtype.kind == "V" and array.dtype.names is None):
        if x is None or array.dtype.kind == "O":
            raise ValueError(f"A tensor holds numbers. Received: {x!r} of type {type(x).__name__}")
        raise TypeError(f"A tensor holds numbers. Received: {x!r} with dtype {array.dtype}")
    if dtype is None:
        dtype = common(array.dtype) if array.size or hasattr(x, "dtype") else common()
    if not hasattr(x, "dtype") and array.dtype.kind == "i" and dtype.kind in "iu":
        return np.asarray(x, dtype)  # NumPy checks that Python integers fit
    # a tensor never changes, so it does not share memory that its giver can write to
    if array.dtype == dtype and array is x and array.flags.writeable:
        return array.copy()
    with np.errstate(all="ignore"):
        return array.astype(dtype, copy=False)


def _cast(x: Tensor, dtype: np.dtype) -> Tensor:
    if x.dtype.kind == "c" and dtype.kind not in "cb":
        x = P.real(x)
    return x if x.dtype == dtype else P.cast(x, dtype=dtype)


def _stacked(items: Sequence, dtype: np.dtype | None) -> Tensor:
    """A nested list with tensors in it, as one tensor."""
    parts = [tensor(i) if isinstance(i, (list, tuple)) else i for i in items]
    target = dtype if dtype is not None else common(*map(kind, parts))
    parts = [tensor(i, target) for i in parts]
    return P.concat(*[P.reshape(p, shape=(1, *p.shape)) for p in parts], axis=0)


def promoted(*xs: Any, also: tuple = ()) -> list[Tensor]:
    """The arguments as tensors of their common dtype (with the kinds in `also` taken into account)."""
    dtype = common(*map(kind, xs), *also)
    return [x if type(x) is Tensor and x.dtype is dtype else tensor(x, dtype) for x in xs]


def floats(*xs: Any) -> Any:
    """The arguments as tensors of one floating-point dtype; a single argument as a single tensor."""
    out = promoted(*xs, also=(float,))
    return out[0] if len(out) == 1 else out


def axis_of(axis: Any, ndim: int, what: str = "axis") -> int:
    """A non-negative axis number."""
    try:
        i = axis.__index__()
    except AttributeError:
        raise TypeError(f"`{what}` must be an int. Received: {what}={axis!r}") from None
    if not -ndim <= i < ndim:
        raise AxisError(f"{what} {i} is out of bounds for a tensor of {ndim} dimensions.")
    return i % ndim


def axes_of(axis: Any, ndim: int) -> tuple:
    """The axes to reduce as non-negative ints in order; None means all."""
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, (list, tuple, np.ndarray)):
        out = tuple(sorted(axis_of(a, ndim) for a in axis))
        if len(set(out)) != len(out):
            raise ValueError(f"Duplicate value in axis: {axis}")
        return out
    return (axis_of(axis, ndim),)


def shape_of(shape: Any) -> tuple:
    """A shape as a tuple of ints and Dims."""
    if isinstance(shape, Dim):
        return (shape,)
    if isinstance(shape, (Tensor, Variable)):
        shape = np.asarray(shape)
    if hasattr(shape, "__index__") and not (isinstance(shape, np.ndarray) and shape.ndim):
        return (size_of(shape),)
    return tuple(map(size_of, shape))


def size_of(n: Any) -> Any:
    """A size, or the -1 of a reshape, as an int or Dim."""
    if isinstance(n, Dim):
        return n
    if not hasattr(n, "__index__"):
        raise TypeError(f"A size must be an int. Received: {n!r} of type {type(n).__name__}")
    return n.__index__()


def concrete(x: Any) -> Any:
    """The number behind a scalar tensor; anything else as it is."""
    return x.item() if isinstance(x, (Tensor, np.generic)) else x
