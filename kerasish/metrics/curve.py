"""Metrics of the whole curve over the thresholds: the area under it, and points on it."""

from typing import Any, Sequence

import numpy as np

from kerasish import ops
from kerasish.base import config
from kerasish.base.registry import export
from kerasish.metrics.confusion import ALL_OUTCOMES, ConfusionMetric, evenly_distributed
from kerasish.metrics.metric import require_state
from kerasish.saving.serialization import deserialize_keras_object

CURVES = ("PR", "ROC", "PRGAIN")
SUMMATION_METHODS = ("interpolation", "majoring", "minoring")


class CurveMetric(ConfusionMetric):
    """Base: all four counts, and the rates made of them, each of shape (thresholds,) or (thresholds, labels)."""

    _direction = "up"
    outcomes = ALL_OUTCOMES

    @property
    def _sensitivity(self) -> Any:
        return ops.divide_no_nan(self.true_positives, self.true_positives + self.false_negatives)

    _recall = _sensitivity

    @property
    def _specificity(self) -> Any:
        return ops.divide_no_nan(self.true_negatives, self.true_negatives + self.false_positives)

    @property
    def _precision(self) -> Any:
        return ops.divide_no_nan(self.true_positives, self.true_positives + self.false_positives)

    @property
    def _fall_out(self) -> Any:
        return ops.divide_no_nan(self.false_positives, self.false_positives + self.true_negatives)


@export("keras.metrics.AUC")
class AUC(CurveMetric):
    """The area under a curve, approximated over thresholds.

    num_thresholds:   how many thresholds, evenly from 0 to 1.
    curve:            "ROC", "PR" or "PRGAIN" (precision and recall as gains over always saying yes).
    summation_method: "interpolation" (of the points; for "PR" of the true positives, after Davis and Goadrich 2006),
                      "minoring" or "majoring" (the lower or the higher of two neighbours).
    thresholds:       the thresholds between 0 and 1, instead of `num_thresholds`.
    multi_label:      compute the area for each column and take their mean, weighted by `label_weights`.
    num_labels:       the number of columns, so that variables are made at once rather than at the first batch.
    label_weights:    weights of the columns; without `multi_label` of the elements in them.
    from_logits:      predictions are logits.

    >>> round(float(AUC()([1, 1, 0, 0, 0], [0.9, 0.4, 0.5, 0.2, 0.1])), 4)
    0.8333
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ):
        super().__init__(name=name, dtype=dtype)
        self.curve = str(curve).upper()
        if self.curve not in CURVES:
            raise ValueError(f"Invalid AUC curve. Expected one of {CURVES}. Received: curve={curve!r}")
        self.summation_method = str(summation_method).lower()
        if self.summation_method not in SUMMATION_METHODS:
            raise ValueError(
                f"Invalid AUC summation method. Expected one of {SUMMATION_METHODS}. Received: "
                f"summation_method={summation_method!r}"
            )
        if num_labels and not multi_label:
            raise ValueError(f"`num_labels` is for multi_label=True only. Received: num_labels={num_labels}")
        self._given_thresholds = thresholds is not None
        if self._given_thresholds:
            inner = np.sort(np.asarray(thresholds, "float64")).tolist() if len(thresholds) else []
            self.num_thresholds = len(inner) + 2
        else:
            if num_thresholds <= 1:
                raise ValueError(
                    f"Argument `num_thresholds` must be an integer > 1. Received: num_thresholds={num_thresholds}"
                )
            self.num_thresholds = num_thresholds
            inner = [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
        self._evenly = evenly_distributed([0.0, *inner, 1.0])
        # the ends are moved outwards, so that predictions of exactly 0 and 1 lie between them
        self.thresholds = [0.0 - config.epsilon(), *inner, 1.0 + config.epsilon()]
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = None if label_weights is None else ops.convert_to_tensor(label_weights, dtype=self.dtype)
        self._from_logits = from_logits
        self._built = False
        if not multi_label or num_labels:
            self._build((None, num_labels) if multi_label else None)

    def _build(self, shape: tuple | None) -> None:
        """Create the counts; `shape` is that of `y_pred`, needed with several labels only."""
        if self.multi_label:
            if len(shape) != 2:
                raise ValueError(
                    "`y_pred` must have rank 2, (batch_size, num_labels), when multi_label=True. Received: "
                    f"y_pred.shape={tuple(shape)}"
                )
            self._add_counts((self.num_thresholds, shape[1]))
        else:
            self._add_counts((self.num_thresholds,))
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if not self._built:
            self._build(y_pred.shape)
        if self.multi_label and (len(y_true.shape) != 2 or len(y_pred.shape) != 2):
            raise ValueError(
                "With multi_label=True, `y_true` and `y_pred` must have shape (batch_size, num_labels). Received: "
                f"y_true.shape={tuple(y_true.shape)}, y_pred.shape={tuple(y_pred.shape)}"
            )
        if self._from_logits:
            y_pred = ops.sigmoid(y_pred)
        self._count(
            y_true,
            y_pred,
            sample_weight,
            self.thresholds,
            evenly=self._evenly,
            multi_label=self.multi_label,
            label_weights=None if self.multi_label else self.label_weights,
        )

    def result(self) -> Any:
        require_state(self, self._built)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self.interpolate_pr_auc()
        x, y = self._points()
        if self.summation_method == "interpolation":
            heights = (y[:-1] + y[1:]) / 2
        elif self.summation_method == "minoring":
            heights = ops.minimum(y[:-1], y[1:])
        else:
            heights = ops.maximum(y[:-1], y[1:])
        return self._over_labels(ops.sum((x[:-1] - x[1:]) * heights, axis=0))

    def _points(self) -> tuple:
        """The curve's coordinates at every threshold; x falls."""
        if self.curve == "ROC":
            return self._fall_out, self._recall
        if self.curve == "PR":
            return self._recall, self._precision
        # Flach and Kull 2015; in Keras's form: the recall gain is cut off at 0, the precision gain is not
        tp, fp, fn = self.true_positives.value, self.false_positives.value, self.false_negatives.value
        odds = ops.divide_no_nan(tp + fn, (fp + self.true_negatives) * tp)
        recall_gain = ops.where(tp > 0, ops.maximum(1 - odds * fn, 0), 0.0)
        return recall_gain, 1 - odds * fp

    def interpolate_pr_auc(self) -> Any:
        """The area under the PR curve whose true positives are interpolated, whatever this metric's own method is."""
        return self._over_labels(ops.sum(self._interpolated_pr_areas(), axis=0))

    def _interpolated_pr_areas(self) -> Any:
        """The area between neighbouring thresholds under the PR curve.

        Between two thresholds the true positives are taken to grow linearly with the predicted positives, tp = a + b p;
        the precision, tp / p, then does not, and its integral has a logarithm in it.
        """
        tp, fn = self.true_positives.value, self.false_negatives.value
        p = tp + self.false_positives
        dtp = tp[:-1] - tp[1:]
        slope = ops.divide_no_nan(dtp, ops.maximum(p[:-1] - p[1:], 0))
        intercept = tp[1:] - slope * p[1:]
        both = ops.logical_and(p[:-1] > 0, p[1:] > 0)
        ratio = ops.where(both, ops.divide_no_nan(p[:-1], ops.maximum(p[1:], 0)), 1.0)
        return ops.divide_no_nan(slope * (dtp + intercept * ops.log(ratio)), ops.maximum(tp[1:] + fn[1:], 0))

    def _over_labels(self, area: Any) -> Any:
        if not self.multi_label:
            return area
        if self.label_weights is None:
            return ops.mean(area)
        return ops.divide_no_nan(ops.sum(area * self.label_weights), ops.sum(self.label_weights))

    def get_config(self) -> dict:
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if self.label_weights is None else self.label_weights.tolist(),
            "from_logits": self._from_logits,
        }
        if self._given_thresholds:
            config["thresholds"] = self.thresholds[1:-1]
        return config

    @classmethod
    def from_config(cls, config: dict) -> "AUC":
        """The metric with this config. Keras writes the weights of labels as a tensor, which it can't read itself."""
        return cls(**{**config, "label_weights": deserialize_keras_object(config.get("label_weights"))})


# -- points on the curve ----------------------------------------------------------------------------------------------


class PointOnCurve(CurveMetric):
    """Base: the best value of one rate over the thresholds at which another reaches a given value; 0 if none does."""

    given = ""  # the rate that is to reach the value: also the constructor's argument
    sought = ""  # the rate that is maximised

    def __init__(self, value: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any):
        super().__init__(name=name, dtype=dtype)
        if value < 0 or value > 1:
            raise ValueError(f"Argument `{self.given}` must be in [0, 1]. Received: {self.given}={value}")
        if num_thresholds <= 0:
            raise ValueError(
                f"Argument `num_thresholds` must be an integer > 0. Received: num_thresholds={num_thresholds}"
            )
        self.value = value
        setattr(self, self.given, value)
        self.class_id = class_id
        self.num_thresholds = num_thresholds
        self._evenly = num_thresholds > 1
        self.thresholds = [i / (num_thresholds - 1) for i in range(num_thresholds)] if self._evenly else [0.5]
        self._add_counts((num_thresholds,))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self._count(y_true, y_pred, sample_weight, self.thresholds, evenly=self._evenly, class_id=self.class_id)

    def result(self) -> Any:
        reached = getattr(self, f"_{self.given}") >= self.value
        return ops.max(ops.where(reached, getattr(self, f"_{self.sought}"), 0.0))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "class_id": self.class_id,
            "num_thresholds": self.num_thresholds,
            self.given: self.value,
        }


@export("keras.metrics.SensitivityAtSpecificity")
class SensitivityAtSpecificity(PointOnCurve):
    """The best sensitivity, tp / (tp + fn), where the specificity, tn / (tn + fp), is at least `specificity`.

    >>> float(SensitivityAtSpecificity(0.9)([1, 1, 0, 0, 0], [0.9, 0.4, 0.5, 0.2, 0.1]))
    0.5
    """

    given, sought = "specificity", "sensitivity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


@export("keras.metrics.SpecificityAtSensitivity")
class SpecificityAtSensitivity(PointOnCurve):
    """The best specificity, tn / (tn + fp), where the sensitivity, tp / (tp + fn), is at least `sensitivity`.

    >>> round(float(SpecificityAtSensitivity(0.9)([1, 1, 0, 0, 0], [0.9, 0.4, 0.5, 0.2, 0.1])), 4)
    0.6667
    """

    given, sought = "sensitivity", "specificity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


@export("keras.metrics.PrecisionAtRecall")
class PrecisionAtRecall(PointOnCurve):
    """The best precision, tp / (tp + fp), where the recall, tp / (tp + fn), is at least `recall`.

    >>> round(float(PrecisionAtRecall(0.9)([1, 1, 0, 0, 0], [0.9, 0.4, 0.5, 0.2, 0.1])), 4)
    0.6667
    """

    given, sought = "recall", "precision"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(recall, num_thresholds, class_id, name, dtype)


@export("keras.metrics.RecallAtPrecision")
class RecallAtPrecision(PointOnCurve):
    """The best recall, tp / (tp + fn), where the precision, tp / (tp + fp), is at least `precision`.

    >>> float(RecallAtPrecision(0.9)([1, 1, 0, 0, 0], [0.9, 0.4, 0.5, 0.2, 0.1]))
    0.5
    """

    given, sought = "precision", "recall"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(precision, num_thresholds, class_id, name, dtype)
