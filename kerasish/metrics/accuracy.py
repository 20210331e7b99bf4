"""How often predictions are right."""

from typing import Any

from kerasish import ops
from kerasish.base import config
from kerasish.base.registry import export
from kerasish.losses.loss import squeeze_or_expand_to_same_rank
from kerasish.metrics.reduction import MeanOf


def _converted(y_true: Any, y_pred: Any) -> tuple:
    """The arguments as tensors of the prediction's dtype."""
    y_pred = ops.convert_to_tensor(y_pred)
    return ops.convert_to_tensor(y_true, dtype=y_pred.dtype), y_pred


def _as_numbers(matches: Any) -> Any:
    return ops.cast(matches, config.floatx())


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where `y_pred` equals `y_true`, else 0."""
    y_true, y_pred = squeeze_or_expand_to_same_rank(*_converted(y_true, y_pred))
    return _as_numbers(ops.equal(y_true, y_pred))


@export("keras.metrics.binary_accuracy")
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 where `y_pred > threshold` is what `y_true` (0 or 1) says, else 0."""
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    above = y_pred > ops.cast(threshold, y_pred.dtype)
    return _as_numbers(ops.equal(y_true, ops.cast(above, y_true.dtype)))


@export("keras.metrics.categorical_accuracy")
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest score in `y_pred` (…, classes) is that of the class in the one-hot `y_true`, else 0: (…)."""
    return _as_numbers(ops.equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1)))


@export("keras.metrics.sparse_categorical_accuracy")
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest score in `y_pred` (…, classes) is that of class `y_true`, (…) or (…, 1), else 0: (…)."""
    y_true, y_pred = _converted(y_true, y_pred)
    shape = y_true.shape
    same_rank = len(shape) == len(y_pred.shape)
    if same_rank and shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    matches = _as_numbers(ops.equal(y_true, ops.cast(ops.argmax(y_pred, axis=-1), y_true.dtype)))
    if same_rank and shape[-1] == 1:
        matches = ops.reshape(matches, shape)
    return ops.squeeze(matches, -1) if len(matches.shape) > 1 and matches.shape[-1] == 1 else matches


@export("keras.metrics.top_k_categorical_accuracy")
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the class in the one-hot `y_true` is among the `k` best scores in `y_pred` (…, classes), else 0: (…)."""
    return sparse_top_k_categorical_accuracy(ops.argmax(y_true, axis=-1), y_pred, k=k)


@export("keras.metrics.sparse_top_k_categorical_accuracy")
def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Any:
    """1 where class `y_true` (…) is among the `k` best scores in `y_pred` (…, classes), else 0: (…).

    from_sorted_ids: `y_pred` holds the ids of the classes, the best first, instead of scores.
    """
    y_true, y_pred = _converted(y_true, y_pred)
    rows = ops.reshape(y_pred, (-1, y_pred.shape[-1]))
    labels = ops.reshape(y_true, (-1,))
    if from_sorted_ids:
        matches = ops.any(ops.equal(ops.expand_dims(labels, 1), rows[:, :k]), axis=1)
    else:
        matches = ops.in_top_k(ops.cast(labels, "int32"), rows, k=k)
    return ops.reshape(_as_numbers(matches), y_true.shape)


@export("keras.metrics.Accuracy")
class Accuracy(MeanOf):
    """How often `y_pred` equals `y_true`.

    >>> float(Accuracy()([3, 1, 4, 1], [3, 1, 4, 2]))
    0.75
    """

    _direction = "up"

    def __init__(self, name: str = "accuracy", dtype: Any = None):
        super().__init__(accuracy, name, dtype)


@export("keras.metrics.BinaryAccuracy")
class BinaryAccuracy(MeanOf):
    """How often `y_pred`, cut at `threshold`, equals the binary `y_true`.

    >>> float(BinaryAccuracy(threshold=0.6)([1, 0, 1, 0], [0.7, 0.5, 0.5, 0.1]))
    0.75
    """

    _direction = "up"

    def __init__(self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5):
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


@export("keras.metrics.CategoricalAccuracy")
class CategoricalAccuracy(MeanOf):
    """How often the best score is that of the class in the one-hot `y_true`.

    >>> float(CategoricalAccuracy()([[1, 0], [0, 1]], [[0.9, 0.1], [0.8, 0.2]]))
    0.5
    """

    _direction = "up"

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None):
        super().__init__(categorical_accuracy, name, dtype)


@export("keras.metrics.SparseCategoricalAccuracy")
class SparseCategoricalAccuracy(MeanOf):
    """How often the best score is that of the class whose number is in `y_true`.

    >>> float(SparseCategoricalAccuracy()([0, 1], [[0.9, 0.1], [0.8, 0.2]]))
    0.5
    """

    _direction = "up"

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None):
        super().__init__(sparse_categorical_accuracy, name, dtype)


@export("keras.metrics.TopKCategoricalAccuracy")
class TopKCategoricalAccuracy(MeanOf):
    """How often the class in the one-hot `y_true` is among the `k` best scores.

    >>> float(TopKCategoricalAccuracy(k=2)([[1, 0, 0], [0, 0, 1]], [[0.3, 0.6, 0.1], [0.3, 0.6, 0.1]]))
    0.5
    """

    _direction = "up"

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None):
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


@export("keras.metrics.SparseTopKCategoricalAccuracy")
class SparseTopKCategoricalAccuracy(MeanOf):
    """How often the class whose number is in `y_true` is among the `k` best scores, or ids with `from_sorted_ids`.

    >>> float(SparseTopKCategoricalAccuracy(k=2)([0, 2], [[0.3, 0.6, 0.1], [0.3, 0.6, 0.1]]))
    0.5
    """

    _direction = "up"
    _left_out = {"from_sorted_ids": False}

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ):
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)
