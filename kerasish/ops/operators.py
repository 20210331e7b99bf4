"""The operators of tensors, variables and symbolic tensors, and what NumPy's own functions do with them.

One table for all three. NumPy's ufuncs and functions called with a tensor run the op of the same name, so that
`np.exp(t)` and `np.concatenate([t, u])` are recorded by tapes and programs like anything else.
"""

from typing import Any, Callable, Iterator

import numpy as np

from kerasish.engine.dims import Dim
from kerasish.engine.tensor import Tensor
from kerasish.engine.variable import Variable
from kerasish.ops import numpy as knp
from kerasish.ops.core import cast, convert_to_tensor, unstack
from kerasish.ops.op import OPS
from kerasish.ops.symbolic import KerasTensor

# method without underscores, op, and whether it has a reverse form
BINARY = (
    ("add", knp.add, True),
    ("sub", knp.subtract, True),
    ("mul", knp.multiply, True),
    ("truediv", knp.true_divide, True),
    ("floordiv", knp.floor_divide, True),
    ("mod", knp.mod, True),
    ("pow", knp.power, True),
    ("matmul", knp.matmul, True),
    ("and", knp.logical_and, True),
    ("or", knp.logical_or, True),
    ("xor", knp.logical_xor, True),
    ("lshift", knp.left_shift, True),
    ("rshift", knp.right_shift, True),
    ("eq", knp.equal, False),
    ("ne", knp.not_equal, False),
    ("lt", knp.less, False),
    ("le", knp.less_equal, False),
    ("gt", knp.greater, False),
    ("ge", knp.greater_equal, False),
)
UNARY = (("neg", knp.negative), ("abs", knp.absolute), ("invert", knp.logical_not))
BITWISE = {"and": knp.bitwise_and, "or": knp.bitwise_or, "xor": knp.bitwise_xor, "invert": knp.bitwise_not}

OPERAND = (Tensor, Variable, KerasTensor, np.ndarray, np.generic, bool, int, float, complex, list, tuple, Dim)


def _whole(x: Any) -> bool:
    """Whether `x` is, or holds, integers."""
    if isinstance(x, (bool, np.bool_)):
        return False
    return isinstance(x, int) or (getattr(x, "dtype", None) is not None and np.dtype(x.dtype).kind in "iu")


def _chosen(name: str, fn: Callable, self: Any, *others: Any) -> Callable:
    """The op of an operator: bitwise for tensors of integers, logical for all else, as in Keras."""
    bitwise = name in BITWISE and isinstance(self, Tensor) and all(map(_whole, (self, *others)))
    return BITWISE[name] if bitwise or (name == "invert" and _whole(self) and isinstance(self, Variable)) else fn


def _binary(name: str, fn: Callable) -> tuple[Callable, Callable]:
    def forward(self: Any, other: Any) -> Any:
        if not isinstance(other, OPERAND) and not hasattr(other, "__array__"):
            return NotImplemented
        return _chosen(name, fn, self, other)(self, other)

    def reverse(self: Any, other: Any) -> Any:
        if not isinstance(other, OPERAND) and not hasattr(other, "__array__"):
            return NotImplemented
        return _chosen(name, fn, self, other)(other, self)

    return forward, reverse


def _unary(name: str, fn: Callable) -> Callable:
    def method(self: Any) -> Any:
        return _chosen(name, fn, self)(self)

    return method


def _round(self: Any, ndigits: int | None = None) -> Any:
    return knp.round(self, decimals=ndigits or 0)


def _iterate(self: Any) -> Iterator:
    if not self.shape:
        raise TypeError("Iteration over a tensor without axes.")
    return iter(unstack(self))


def _pos(self: Any) -> Any:
    return self if isinstance(self, Tensor) else convert_to_tensor(self)


# -- NumPy's functions ------------------------------------------------------------------------------------------------

# ufuncs and functions that Keras has under another name
UFUNCS = {
    "conjugate": knp.conjugate,
    "divide": knp.divide,
    "float_power": knp.power,
    "remainder": knp.mod,
    "rint": knp.round,
    "pow": knp.power,
    "acos": knp.arccos,
    "acosh": knp.arccosh,
    "asin": knp.arcsin,
    "asinh": knp.arcsinh,
    "atan": knp.arctan,
    "atanh": knp.arctanh,
    "atan2": knp.arctan2,
    "concat": knp.concatenate,
    "permute_dims": knp.transpose,
    "positive": _pos,
}


def _op_named(name: str) -> Callable | None:
    found = UFUNCS.get(name) or OPS.get(name)
    return found if found is not None and (name in UFUNCS or hasattr(knp, name)) else None


def _finished(result: Any, out: Any, dtype: Any) -> Any:
    """NumPy's `dtype` and `out`, where they were given."""
    if dtype is not None:
        result = cast(result, dtype)
    if out is not None:
        if isinstance(out, tuple):
            (out,) = out
        if not isinstance(out, np.ndarray):
            raise TypeError("Tensors are immutable: `out` must be a NumPy array.")
        out[...] = np.asarray(result)
        return out
    return result


REDUCTIONS = {np.add: knp.sum, np.multiply: knp.prod, np.maximum: knp.max, np.minimum: knp.min,
              np.logical_and: knp.all, np.logical_or: knp.any}  # fmt: skip


def _array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
    dtype = kwargs.pop("dtype", None)
    if method == "__call__":
        fn = _op_named(ufunc.__name__)
        if fn is not None and not kwargs:
            return _finished(fn(*inputs), out, dtype)
    elif method == "reduce" and ufunc in REDUCTIONS and not kwargs.keys() - {"axis", "keepdims"}:
        return _finished(REDUCTIONS[ufunc](*inputs, **{"axis": 0, **kwargs}), out, dtype)
    # what there is no op for is computed by NumPy, outside tapes and programs
    arrays = [np.asarray(x) if isinstance(x, (Tensor, Variable)) else x for x in inputs]
    if dtype is not None:
        kwargs["dtype"] = dtype
    if out is not None:
        kwargs["out"] = out
    return getattr(ufunc, method)(*arrays, **kwargs)


def _array_function(self: Any, func: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
    fn = _op_named(func.__name__) if getattr(func, "__module__", "") == "numpy" else None
    if fn is not None:
        kwargs = dict(kwargs)
        out, dtype = kwargs.pop("out", None), None
        names = fn.__wrapped__.__code__.co_varnames if hasattr(fn, "__wrapped__") else fn.__code__.co_varnames
        if "dtype" in kwargs and "dtype" not in names:
            dtype = kwargs.pop("dtype")
        kwargs = {_RENAMED.get((func.__name__, k), _FIRST.get(k, k)): v for k, v in kwargs.items()}
        known = {k: v for k, v in kwargs.items() if k in names}
        if len(known) == len(kwargs):
            return _finished(fn(*args, **known), out, dtype)

    def plain(x: Any) -> Any:
        if isinstance(x, (Tensor, Variable)):
            return np.asarray(x)
        if isinstance(x, (list, tuple)):
            return type(x)(map(plain, x))
        return x

    return func(*map(plain, args), **{k: plain(v) for k, v in kwargs.items()})


# NumPy's keyword to Keras's
_RENAMED = {("reshape", "shape"): "newshape", ("reshape", "newshape"): "newshape", ("clip", "a_min"): "x_min",
            ("clip", "a_max"): "x_max", ("clip", "min"): "x_min", ("clip", "max"): "x_max",
            ("stack", "arrays"): "x", ("tile", "reps"): "repeats"}  # fmt: skip
_FIRST = {"a": "x", "arr": "x", "array": "x", "arrays": "xs", "m": "x", "ary": "x"}


def _refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
    raise ValueError(
        "A KerasTensor is symbolic: it has a shape and a dtype, but no values, so it can't be passed to a NumPy "
        "function. Use keras.ops, or keras.layers, on it, for example `ops.exp(x)` for `np.exp(x)`."
    )


# -- attaching --------------------------------------------------------------------------------------------------------


def attach(cls: type) -> None:
    """Give a class every operator of the table."""
    for name, fn, reversible in BINARY:
        forward, reverse = _binary(name, fn)
        setattr(cls, f"__{name}__", forward)
        if reversible:
            setattr(cls, f"__r{name}__", reverse)
    for name, fn in UNARY:
        setattr(cls, f"__{name}__", _unary(name, fn))
    cls.__pos__ = _pos  # type: ignore[attr-defined]
    cls.__round__ = _round  # type: ignore[attr-defined]
    cls.__getitem__ = lambda self, key: knp.get_item(self, key)  # type: ignore[attr-defined]


for _cls in (Tensor, Variable, KerasTensor):
    attach(_cls)
for _cls in (Tensor, Variable):
    _cls.__array_ufunc__ = _array_ufunc  # type: ignore[attr-defined]
    _cls.__array_function__ = _array_function  # type: ignore[attr-defined]
    _cls.__iter__ = _iterate  # type: ignore[attr-defined]



def _reshape_method(self: Any, *shape: Any) -> Any:
    return knp.reshape(self, shape[0] if len(shape) == 1 else shape)


def _transpose_method(self: Any, *axes: Any) -> Any:
    return knp.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)


# methods that arrays have and people use
METHODS = {
    "reshape": _reshape_method,
    "transpose": _transpose_method,
    "astype": cast,
    "flatten": knp.ravel,
    **{n: getattr(knp, n) for n in ("ravel", "squeeze", "sum", "mean", "std", "var", "max", "min", "prod", "any", "all",
                                    "argmax", "argmin", "cumsum", "round", "clip", "dot", "swapaxes")},
}  # fmt: skip


def _method(fn: Any) -> Any:
    return lambda self, *args, **kwargs: fn(self, *args, **kwargs)


for _name, _fn in METHODS.items():
    setattr(Tensor, _name, _method(_fn))
KerasTensor.reshape = lambda self, newshape: knp.reshape(self, newshape)  # type: ignore[attr-defined]
KerasTensor.squeeze = lambda self, axis=None: knp.squeeze(self, axis)  # type: ignore[attr-defined]
Tensor.T = property(lambda self: knp.transpose(self))  # type: ignore[attr-defined]
