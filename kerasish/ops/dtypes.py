"""Names of dtypes, and the rule by which two of them meet: Keras's promotion lattice.

Python numbers are weak: `int8 + 1` is int8, `float16 * 2.5` is float16. Results of 64 bits are narrowed to 32, as Keras
does; only where floatx itself is float64 are float64 and complex128 kept.
"""

import functools
from typing import Any

import numpy as np

from kerasish.base import config
from kerasish.base.registry import export

INTS = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
FLOATS = ("bfloat16", "float16", "float32", "float64")
FLOAT8 = ("float8_e4m3fn", "float8_e5m2")
COMPLEX = ("complex64", "complex128")
ALLOWED = frozenset(("bool", "string", *INTS, *FLOATS, *FLOAT8, *COMPLEX))

PYTHON = {bool: "bool", int: "int32", float: "float32", str: "string", complex: "complex64", "int": "int32"}
NARROW = {"int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64"}
NARROW_FLOAT64 = {"int64": "int32", "uint64": "uint32"}

# every dtype and those directly above it; "int" and "float" are Python's own, weak, numbers
LATTICE: dict[str, tuple] = {
    "bool": ("int",),
    "uint8": ("int16", "uint16"),
    "uint16": ("int32", "uint32"),
    "uint32": ("int64", "uint64"),
    "uint64": ("float",),
    "int": ("uint8", "int8", "complex64"),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float",),
    "float": ("bfloat16", "float16"),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex64": ("complex128",),
    "complex128": (),
}


def _above(name: str) -> frozenset:
    """A dtype and all that lie above it."""
    return frozenset((name,)).union(*map(_above, LATTICE[name]))


UPPER = {name: _above(name) for name in LATTICE}


def _join(names: set[str]) -> str:
    """The lowest dtype that lies above all of these."""
    unknown = [n for n in names if n not in UPPER]
    if unknown:
        raise ValueError(f"dtype={unknown[0]!r} is not a valid dtype for Keras type promotion.")
    common = frozenset.intersection(*[UPPER[n] for n in names])
    lowest = [c for c in common if common <= UPPER[c]]
    if len(lowest) != 1:
        raise ValueError(
            f"Input dtypes {tuple(sorted(names))} have no available implicit dtype promotion path. Cast the inputs to "
            "the desired output type explicitly."
        )
    return lowest[0]


@functools.lru_cache(1024)
def _name(dtype: Any) -> str:
    if dtype in PYTHON:
        return PYTHON[dtype]
    text = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    text = text.removeprefix("torch.")
    if text not in ALLOWED:
        raise ValueError(f"Invalid dtype: {dtype}")
    return text


@export("keras.backend.standardize_dtype", "keras.utils.standardize_dtype")
def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype given as a name, a NumPy dtype or type, or a Python type; None means floatx.

    >>> standardize_dtype(np.int8), standardize_dtype(float), standardize_dtype(None)
    ('int8', 'float32', 'float32')
    """
    if dtype is None:
        return config.floatx()
    try:
        return _name(dtype)
    except TypeError:  # unhashable
        raise ValueError(f"Invalid dtype: {dtype}") from None


@functools.lru_cache(4096)
def _result_type(floatx: str, *dtypes: Any) -> str:
    # a NumPy type compares unequal to the Python type, so identity decides what is weak
    weak = {"int" if d is int else "float" for d in dtypes if d is int or d is float}
    strong = {standardize_dtype(d) for d in dtypes if d is not int and d is not float}
    if strong & set(FLOAT8):
        raise ValueError(
            "There is no implicit conversions from float8 dtypes to others. You must cast it internally. "
            f"Received: {dtypes}"
        )
    if not strong or strong == {"bool"} and weak:
        out = "float" if "float" in weak else "int"
    elif len(strong | weak) == 1:
        (out,) = strong
    else:
        out = _join(strong | weak)
    if out == "float":
        out = floatx
    elif out == "int":
        out = f"int{floatx[-2:]}"
    return (NARROW_FLOAT64 if floatx == "float64" else NARROW).get(out, out)


@export("keras.backend.result_type")
def result_type(*dtypes: Any) -> str:
    """The dtype of an operation on these dtypes; the Python types int and float stand for weak Python numbers.

    >>> result_type("int8", "float16"), result_type("int8", int), result_type("int32", float)
    ('float16', 'int8', 'float32')
    """
    floatx = config.floatx()
    if not dtypes:
        return floatx
    return _result_type(floatx, *(floatx if d is None else d for d in dtypes))


def narrowed(dtype: Any) -> np.dtype:
    """What a value of this dtype becomes when it enters without a dtype asked for."""
    return np.dtype(_result_type(config.floatx(), np.dtype(dtype).name))


def floating(*dtypes: Any) -> str:
    """The floating-point (or complex) dtype in which a function of the reals is computed for these."""
    return result_type(*dtypes, float)


def is_float(dtype: Any) -> bool:
    return standardize_dtype(dtype).startswith(("float", "bfloat"))


def is_int(dtype: Any) -> bool:
    return standardize_dtype(dtype) in INTS
