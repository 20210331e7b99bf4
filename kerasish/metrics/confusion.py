"""Counts of true and false positives and negatives, one a threshold, and what is made of them."""

from typing import Any, Sequence

import numpy as np

from kerasish import ops
from kerasish.base import config
from kerasish.base.registry import export
from kerasish.losses.loss import squeeze_or_expand_to_same_rank
from kerasish.metrics.metric import Metric

# what predictions are set to that are not among the k best: below every threshold
NOT_IN_TOP_K = -1e10

TRUE_POSITIVES, FALSE_POSITIVES = "true_positives", "false_positives"
TRUE_NEGATIVES, FALSE_NEGATIVES = "true_negatives", "false_negatives"
ALL_OUTCOMES = (TRUE_POSITIVES, FALSE_POSITIVES, TRUE_NEGATIVES, FALSE_NEGATIVES)


class ConfusionMetric(Metric):
    """Base of the metrics that keep counts by outcome, each of shape (thresholds,), or (thresholds, labels).

    A prediction is positive where it is greater than the threshold. Counts are kept, and results computed, in floatx,
    whatever the metric's dtype, as in Keras.
    """

    outcomes: tuple[str, ...] = ()  # the counts that a subclass keeps

    def _add_counts(self, shape: tuple) -> None:
        for outcome in self.outcomes:
            setattr(self, outcome, self.add_variable(shape, "zeros", name=outcome))

    def _count(self, y_true: Any, y_pred: Any, sample_weight: Any, thresholds: Sequence, **options: Any) -> None:
        """Add the counts of a batch; for the options see `confusion_counts`."""
        dtype = getattr(self, self.outcomes[0]).dtype
        counts = confusion_counts(y_true, y_pred, thresholds, self.outcomes, dtype, sample_weight, **options)
        for outcome, count in counts.items():
            getattr(self, outcome).assign_add(count)


def confusion_counts(
    y_true: Any,
    y_pred: Any,
    thresholds: Sequence[float],
    outcomes: Sequence[str],
    dtype: str,
    sample_weight: Any = None,
    evenly: bool = False,
    top_k: int | None = None,
    class_id: int | None = None,
    multi_label: bool = False,
    label_weights: Any = None,
) -> dict[str, Any]:
    """The weighted number of elements with each of the outcomes: (thresholds,), or (thresholds, labels).

    evenly:        the thresholds lie evenly from 0 to 1: elements are put into bins instead of compared to each.
    top_k:         predictions that are not among the best k of their row are negative.
    class_id:      count this column alone.
    multi_label:   count each column by itself.
    label_weights: (labels,): weights of the columns, if they are not counted by themselves.
    """
    y_true = ops.cast(y_true, dtype)
    y_pred, y_true = squeeze_or_expand_to_same_rank(ops.cast(y_pred, dtype), y_true)
    rank = len(y_true.shape)
    if top_k is not None:
        y_pred = _keep_top_k(y_pred, top_k)
    if class_id is not None:
        if len(y_pred.shape) == 1:
            raise ValueError(
                "With `class_id`, `y_pred` must have shape (num_samples, num_classes). Received: y_pred.shape="
                f"{tuple(y_pred.shape)}"
            )
        y_true = y_true[..., class_id : class_id + 1 or None]
        y_pred = y_pred[..., class_id : class_id + 1 or None]
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            "`y_true` and `y_pred` must have the same shape. Received: "
            f"y_true.shape={tuple(y_true.shape)}, y_pred.shape={tuple(y_pred.shape)}"
        )
    positive = ops.cast(ops.cast(y_true, "bool"), dtype)
    negative = 1 - positive
    weights = _element_weights(sample_weight, label_weights, rank, y_pred.shape, dtype)
    if weights is not None:
        positive, negative = positive * weights, negative * weights
    if not multi_label:
        y_pred, positive, negative = (ops.reshape(x, (-1, 1)) for x in (y_pred, positive, negative))
    count = _count_by_bins if evenly else _count_by_comparison
    counts = count(y_pred, {"positives": positive, "negatives": negative}, thresholds, outcomes)
    return counts if multi_label else {k: ops.squeeze(v, 1) for k, v in counts.items()}


def _keep_top_k(y_pred: Any, k: int) -> Any:
    """`y_pred` (…, classes) with all but the best k of each row made smaller than any threshold."""
    best = ops.top_k(y_pred, k, sorted=False)[1]
    kept = ops.sum(ops.one_hot(best, y_pred.shape[-1], axis=-1, dtype="int32"), axis=-2) > 0
    return ops.where(kept, y_pred, NOT_IN_TOP_K)


def _element_weights(sample_weight: Any, label_weights: Any, rank: int, shape: tuple, dtype: str) -> Any:
    """The weight of every element of `shape`, or None; `rank` is the labels' (before a class was chosen)."""
    weights = None
    if sample_weight is not None:
        weights = ops.expand_dims(ops.cast(sample_weight, dtype), -1)
        if len(weights.shape) == rank + 1:
            weights = ops.squeeze(weights, -1)
        weights = ops.broadcast_to(weights, shape)
    if label_weights is not None:
        label_weights = ops.broadcast_to(ops.expand_dims(ops.cast(label_weights, dtype), 0), shape)
        weights = label_weights if weights is None else weights * label_weights
    return weights


def _said(outcome: str) -> tuple[bool, str]:
    """Whether the outcome is a positive prediction, and which labels it has."""
    predicted_positive = outcome.endswith("positives")
    label_positive = predicted_positive == outcome.startswith("true")
    return predicted_positive, "positives" if label_positive else "negatives"


def _count_by_comparison(y_pred: Any, labels: dict, thresholds: Sequence[float], outcomes: Sequence[str]) -> dict:
    """Sums over the elements (n, labels) of every threshold: (thresholds, labels)."""
    cuts = ops.reshape(ops.convert_to_tensor(thresholds, dtype=y_pred.dtype), (-1, 1, 1))
    above = ops.cast(ops.expand_dims(y_pred, 0) > cuts, y_pred.dtype)
    counts = {}
    for outcome in outcomes:
        predicted_positive, label = _said(outcome)
        counts[outcome] = ops.sum((above if predicted_positive else 1 - above) * labels[label], axis=1)
    return counts


def _count_by_bins(y_pred: Any, labels: dict, thresholds: Sequence[float], outcomes: Sequence[str]) -> dict:
    """The same for thresholds that lie evenly: each element goes into the bin of the thresholds below it."""
    n, columns = len(thresholds), y_pred.shape[1]
    # bin b: above exactly b thresholds. `ceil`, for an element equal to a threshold is not above it.
    bins = ops.ceil(ops.clip(y_pred, 0, 1) * (n - 1))
    if thresholds[0] < 0 or thresholds[-1] > 1:  # the ends were moved outwards: everything is above the first
        bins = ops.maximum(bins, 1)
    bins = ops.cast(ops.where(ops.isnan(bins), 1, bins), "int32")
    if columns != 1:
        bins = bins * columns + ops.arange(columns, dtype="int32")
    bins = ops.reshape(bins, (-1,))
    sums = {}
    for label in dict.fromkeys(_said(o)[1] for o in outcomes):
        flat = ops.segment_sum(ops.reshape(labels[label], (-1,)), bins, num_segments=(n + 1) * columns)
        sums[label] = ops.reshape(flat, (n + 1, columns))
    counts = {}
    for outcome in outcomes:
        predicted_positive, label = _said(outcome)
        if predicted_positive:
            counts[outcome] = ops.flip(ops.cumsum(ops.flip(sums[label], axis=0), axis=0), axis=0)[1:]
        else:
            counts[outcome] = ops.cumsum(sums[label], axis=0)[:-1]
    return counts


# -- thresholds -------------------------------------------------------------------------------------------------------


def parse_thresholds(thresholds: Any, default: float) -> list:
    """One threshold or several as a checked list."""
    if thresholds is None:
        return [default]
    if isinstance(thresholds, np.ndarray):
        thresholds = thresholds.tolist()
    values = list(thresholds) if isinstance(thresholds, (list, tuple)) else [thresholds]
    wrong = [t for t in values if t is None or t < 0 or t > 1]
    if wrong:
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {wrong}")
    return values


def evenly_distributed(thresholds: Sequence[float]) -> bool:
    """Whether there are more than two thresholds that lie evenly from 0 to 1 (up to epsilon)."""
    if len(thresholds) < 3:
        return False
    return np.allclose(thresholds, np.linspace(0.0, 1.0, len(thresholds)), atol=config.epsilon())


def _of_thresholds(values: Any, thresholds: Sequence) -> Any:
    """A value a threshold; of a single threshold the scalar."""
    return values[0] if len(thresholds) == 1 else values


# -- single counts ----------------------------------------------------------------------------------------------------


class ConfusionCount(ConfusionMetric):
    """Base of the metrics that are one of the counts. Its variable is called `accumulator`, as in Keras."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = parse_thresholds(thresholds, default=0.5)
        self._evenly = evenly_distributed(self.thresholds)
        self.accumulator = self.add_variable((len(self.thresholds),), "zeros", name="accumulator")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        (count,) = confusion_counts(
            y_true, y_pred, self.thresholds, self.outcomes, self.accumulator.dtype, sample_weight, evenly=self._evenly
        ).values()
        self.accumulator.assign_add(count)

    def result(self) -> Any:
        return _of_thresholds(ops.convert_to_tensor(self.accumulator), self.thresholds)

    def get_config(self) -> dict:
        return {**super().get_config(), "thresholds": self.init_thresholds}


@export("keras.metrics.TruePositives")
class TruePositives(ConfusionCount):
    """The number of true positives, weighted; with a list of thresholds one a threshold.

    >>> float(TruePositives()([1, 1, 1, 0, 0], [0.9, 0.8, 0.3, 0.7, 0.1]))
    2.0
    """

    outcomes = (TRUE_POSITIVES,)


@export("keras.metrics.FalsePositives")
class FalsePositives(ConfusionCount):
    """The number of false positives, weighted; with a list of thresholds one a threshold.

    >>> float(FalsePositives()([1, 1, 1, 0, 0], [0.9, 0.8, 0.3, 0.7, 0.1]))
    1.0
    """

    outcomes = (FALSE_POSITIVES,)


@export("keras.metrics.TrueNegatives")
class TrueNegatives(ConfusionCount):
    """The number of true negatives, weighted; with a list of thresholds one a threshold.

    >>> float(TrueNegatives()([1, 1, 1, 0, 0], [0.9, 0.8, 0.3, 0.7, 0.1]))
    1.0
    """

    outcomes = (TRUE_NEGATIVES,)


@export("keras.metrics.FalseNegatives")
class FalseNegatives(ConfusionCount):
    """The number of false negatives, weighted; with a list of thresholds one a threshold.

    >>> float(FalseNegatives(thresholds=0.85)([1, 1, 1, 0, 0], [0.9, 0.8, 0.3, 0.7, 0.1]))
    2.0
    """

    outcomes = (FALSE_NEGATIVES,)


# -- precision and recall ---------------------------------------------------------------------------------------------


class PositiveRate(ConfusionMetric):
    """Base of Precision and Recall: the true positives as a share of them and of the other outcome."""

    _direction = "up"

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        self.thresholds = parse_thresholds(thresholds, default=0.5 if top_k is None else NOT_IN_TOP_K)
        self._evenly = evenly_distributed(self.thresholds)
        self._add_counts((len(self.thresholds),))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self._count(
            y_true,
            y_pred,
            sample_weight,
            self.thresholds,
            evenly=self._evenly,
            top_k=self.top_k,
            class_id=self.class_id,
        )

    def result(self) -> Any:
        hits, misses = (getattr(self, outcome) for outcome in self.outcomes)
        return _of_thresholds(ops.divide_no_nan(hits, hits + misses), self.thresholds)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


@export("keras.metrics.Precision")
class Precision(PositiveRate):
    """The share of positive predictions that are right.

    thresholds: one or several, in [0, 1]; default 0.5, and none with `top_k`.
    top_k:      only the k best predictions of a row can be positive.
    class_id:   look at this column alone.

    >>> Precision(thresholds=[0.2, 0.75])([1, 1, 0, 0, 0], [0.9, 0.8, 0.3, 0.7, 0.1]).tolist()
    [0.5, 1.0]
    """

    outcomes = (TRUE_POSITIVES, FALSE_POSITIVES)


@export("keras.metrics.Recall")
class Recall(PositiveRate):
    """The share of positive labels that are predicted.

    thresholds: one or several, in [0, 1]; default 0.5, and none with `top_k`.
    top_k:      only the k best predictions of a row can be positive.
    class_id:   look at this column alone.

    >>> Recall(thresholds=[0.2, 0.85])([1, 1, 0, 0, 0], [0.9, 0.8, 0.3, 0.7, 0.1]).tolist()
    [1.0, 0.5]
    """

    outcomes = (TRUE_POSITIVES, FALSE_NEGATIVES)
