"""Intersection over union of labelled regions: tp / (tp + fp + fn) of each class."""

import warnings
from typing import Any, Sequence

from kerasish import ops
from kerasish.base import config
from kerasish.base.registry import export
from kerasish.metrics.metric import Metric


class IoUBase(Metric):
    """Gathers a confusion matrix (true class, predicted class) of integers, unless `dtype` says otherwise.

    Weights are converted to `dtype` as well: fractions are cut off, as in Keras, unless it is a float.
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__(name=name, dtype=dtype or "int32")
        self.num_classes = num_classes
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_variable(
            (num_classes, num_classes), "zeros", dtype=self.dtype, name="total_confusion_matrix"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if not self.sparse_y_true:
            y_true = ops.argmax(y_true, axis=self.axis)
        if not self.sparse_y_pred:
            y_pred = ops.argmax(y_pred, axis=self.axis)
        y_true = ops.reshape(ops.cast(ops.cast(y_true, self.dtype), "int32"), (-1,))
        y_pred = ops.reshape(ops.cast(ops.cast(y_pred, self.dtype), "int32"), (-1,))
        weight = ops.convert_to_tensor(1 if sample_weight is None else sample_weight)
        if "float" in str(weight.dtype) and "int" in self.dtype:
            warnings.warn(
                f"{self!r} counts in {self.dtype}, which cuts off the fractions of weights of dtype {weight.dtype}. "
                "Make it with dtype='float32', or pass integers.",
                stacklevel=3,
            )
        weight = ops.cast(weight, self.dtype)
        if len(weight.shape) > 1:
            weight = ops.reshape(weight, (-1,))
        weight = ops.broadcast_to(weight, y_true.shape)
        n = self.num_classes
        counted = ops.logical_and(_is_class(y_true, n), _is_class(y_pred, n))
        if self.ignore_class is not None:
            counted = ops.logical_and(counted, ops.not_equal(y_true, self.ignore_class))
        cells = ops.where(counted, y_true * n + y_pred, 0)
        matrix = ops.segment_sum(ops.where(counted, weight, ops.zeros_like(weight)), cells, num_segments=n * n)
        self.total_cm.assign_add(ops.reshape(matrix, (n, n)))

    def _of_classes(self, target_class_ids: Sequence[int]) -> Any:
        """The mean over the given classes, those aside that neither labels nor predictions have."""
        hits = ops.diagonal(self.total_cm)
        union = ops.sum(self.total_cm, axis=0) + ops.sum(self.total_cm, axis=1) - hits
        ids = ops.convert_to_tensor(list(target_class_ids), dtype="int32")
        hits = ops.cast(ops.take(hits, ids), config.floatx())
        union = ops.cast(ops.take(union, ids), config.floatx())
        present = ops.sum(ops.cast(union > 1e-9, union.dtype))
        return ops.divide_no_nan(ops.sum(hits / (union + config.epsilon())), present)


def _is_class(ids: Any, num_classes: int) -> Any:
    return ops.logical_and(ids >= 0, ids < num_classes)


@export("keras.metrics.IoU")
class IoU(IoUBase):
    """Mean of intersection over union over the classes in `target_class_ids`.

    ignore_class:  elements with this true class are not counted.
    sparse_y_true: labels are class numbers, not one-hot; sparse_y_pred: predictions are class numbers, not scores.
    axis:          the axis of the classes, where they have one.

    >>> round(float(IoU(num_classes=3, target_class_ids=[1])([0, 1, 1, 2], [0, 1, 2, 2])), 3)
    0.5
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__(num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)
        if max(target_class_ids) >= num_classes:
            raise ValueError(
                f"Target class id {max(target_class_ids)} is out of range, which is [0, {num_classes}). Received: "
                f"target_class_ids={list(target_class_ids)}"
            )
        self.target_class_ids = list(target_class_ids)

    def result(self) -> Any:
        return self._of_classes(self.target_class_ids)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }

    def _config_without(self, *names: str) -> dict:
        """The config of a subclass whose constructor does not take `names`."""
        return {k: v for k, v in IoU.get_config(self).items() if k not in names}


@export("keras.metrics.BinaryIoU")
class BinaryIoU(IoU):
    """Mean of intersection over union of classes 0 and 1, or one of them; predictions are cut at `threshold`.

    >>> round(float(BinaryIoU(threshold=0.3)([1, 1, 0, 0], [0.9, 0.2, 0.4, 0.1])), 3)
    0.333
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(2, target_class_ids, name=name, dtype=dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_pred = ops.convert_to_tensor(y_pred)
        super().update_state(y_true, ops.cast(y_pred >= self.threshold, self.dtype), sample_weight)

    def get_config(self) -> dict:
        kept = self._config_without("num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")
        return {**kept, "threshold": self.threshold}


@export("keras.metrics.MeanIoU")
class MeanIoU(IoU):
    """Mean of intersection over union over all classes.

    ignore_class:  elements with this true class are not counted.
    sparse_y_true: labels are class numbers, not one-hot; sparse_y_pred: predictions are class numbers, not scores.
    axis:          the axis of the classes, where they have one.

    >>> round(float(MeanIoU(num_classes=3)([0, 1, 1, 2], [0, 1, 2, 2])), 3)
    0.667
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)

    def get_config(self) -> dict:
        return self._config_without("target_class_ids")


@export("keras.metrics.OneHotIoU")
class OneHotIoU(IoU):
    """IoU of one-hot labels and, unless `sparse_y_pred`, of scores.

    >>> round(float(OneHotIoU(2, target_class_ids=[1])([[1, 0], [0, 1]], [[0.3, 0.7], [0.1, 0.9]])), 3)
    0.5
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict:
        return self._config_without("sparse_y_true")


@export("keras.metrics.OneHotMeanIoU")
class OneHotMeanIoU(MeanIoU):
    """MeanIoU of one-hot labels and, unless `sparse_y_pred`, of scores.

    >>> round(float(OneHotMeanIoU(num_classes=2)([[1, 0], [0, 1]], [[0.3, 0.7], [0.1, 0.9]])), 3)
    0.25
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict:
        return self._config_without("target_class_ids", "sparse_y_true")
