"""Arrays of classes and of vectors."""

from typing import Any

import numpy as np

from kerasish import ops
from kerasish.base.registry import export
from kerasish.engine.tensor import Tensor


@export("keras.utils.to_categorical")
def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Integer classes as one-hot rows; of a tensor, a tensor.

    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    given = x
    x = np.asarray(x, dtype="int64")
    if x.ndim > 1 and x.shape[-1] == 1:
        x = x[..., 0]
    count = int(num_classes or np.max(x) + 1)
    if isinstance(given, Tensor):
        return ops.one_hot(x, count)
    return np.eye(count)[x]


@export("keras.utils.normalize")
def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """Vectors along an axis, divided by their norms of this order; zero vectors stay.

    >>> normalize(np.array([[3.0, 4.0]])).tolist()
    [[0.6, 0.8]]
    """
    x = np.asarray(x)
    if not np.issubdtype(x.dtype, np.inexact):
        x = x.astype("float64")
    norms = np.atleast_1d(np.linalg.norm(x, order, axis))
    norms[norms == 0] = 1
    return x / np.expand_dims(norms, axis)
