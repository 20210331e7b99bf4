"""`keras.backend`: older places of what is in keras.config and keras.utils, and a few questions about dtypes."""

from typing import Any

from kerasish.base.config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from kerasish.base.naming import next_uid
from kerasish.base.registry import export
from kerasish.ops.dtypes import FLOAT8, FLOATS, INTS, result_type, standardize_dtype
from kerasish.ops.symbolic import is_keras_tensor
from kerasish.utils import clear_session


@export("keras.backend.get_uid")
def get_uid(prefix: str = "") -> int:
    """The next number of a prefix, from 1 on."""
    return next_uid(prefix)


@export("keras.backend.is_float_dtype")
def is_float_dtype(dtype: Any) -> bool:
    """Whether a dtype's name is one of floats.

    >>> is_float_dtype("bfloat16"), is_float_dtype("int8")
    (True, False)
    """
    return standardize_dtype(dtype) in (*FLOATS, *FLOAT8)


@export("keras.backend.is_int_dtype")
def is_int_dtype(dtype: Any) -> bool:
    """Whether a dtype's name is one of integers; "bool" is not.

    >>> is_int_dtype("uint8"), is_int_dtype("bool")
    (True, False)
    """
    return standardize_dtype(dtype) in INTS


__all__ = [
    "backend", "clear_session", "epsilon", "floatx", "get_uid", "image_data_format", "is_float_dtype", "is_int_dtype",
    "is_keras_tensor", "result_type", "set_epsilon", "set_floatx", "set_image_data_format", "standardize_dtype",
]  # fmt: skip
