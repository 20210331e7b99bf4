"""Precision and recall in one number."""

from typing import Any

from kerasish import ops
from kerasish.base import config
from kerasish.base.registry import export
from kerasish.metrics.metric import Metric, require_state

AVERAGES = (None, "micro", "macro", "weighted")


@export("keras.metrics.FBetaScore")
class FBetaScore(Metric):
    """`(1 + beta²) precision recall / (beta² precision + recall)` of one-hot labels (batch, classes).

    average:   None: a score a class. "micro": of all classes' counts together. "macro": the mean of the scores.
               "weighted": their mean by the classes' numbers of labels.
    beta:      how many times as important recall is.
    threshold: predictions above it are positive; None: the largest of each row is.

    >>> y_true, y_pred = [[1, 0], [1, 0], [0, 1]], [[0.8, 0.2], [0.4, 0.6], [0.1, 0.9]]
    >>> [round(float(score), 3) for score in FBetaScore(beta=2.0)(y_true, y_pred)]
    [0.556, 0.833]
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        if average not in AVERAGES:
            raise ValueError(f"`average` must be one of {AVERAGES}. Received: average={average!r}")
        if not isinstance(beta, float) or beta <= 0:
            raise ValueError(f"`beta` must be a Python float > 0. Received: beta={beta!r}")
        if threshold is not None and not (isinstance(threshold, float) and 0 < threshold <= 1):
            raise ValueError(
                f"`threshold` must be None or a Python float with 0 < threshold <= 1. Received: threshold={threshold!r}"
            )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self.axis = None if average == "micro" else 0
        self._built = False

    def _build(self, y_true_shape: tuple, y_pred_shape: tuple) -> None:
        if len(y_true_shape) != 2 or len(y_pred_shape) != 2:
            raise ValueError(
                f"{type(self).__name__} expects 2D inputs of shape (batch_size, output_dim). Received: "
                f"y_pred.shape={tuple(y_pred_shape)} and y_true.shape={tuple(y_true_shape)}."
            )
        shape = () if self.average == "micro" else (y_pred_shape[-1],)
        for name in ("true_positives", "false_positives", "false_negatives", "intermediate_weights"):
            setattr(self, name, self.add_variable(shape, "zeros", dtype=self.dtype, name=name))
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true = ops.convert_to_tensor(y_true, dtype=self.dtype)
        y_pred = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        if not self._built:
            self._build(y_true.shape, y_pred.shape)
        if self.threshold is None:
            largest = ops.max(y_pred, axis=-1, keepdims=True)
            # a row of zeros predicts nothing
            y_pred = ops.logical_and(y_pred >= largest, ops.abs(y_pred) > 1e-9)
        else:
            y_pred = y_pred > self.threshold
        y_pred = ops.cast(y_pred, self.dtype)
        weight = None
        if sample_weight is not None:
            weight = ops.expand_dims(ops.convert_to_tensor(sample_weight, dtype=self.dtype), 1)

        def add(variable: Any, values: Any) -> None:
            variable.assign_add(ops.sum(values if weight is None else values * weight, axis=self.axis))

        add(self.true_positives, y_pred * y_true)
        add(self.false_positives, y_pred * (1 - y_true))
        add(self.false_negatives, (1 - y_pred) * y_true)
        add(self.intermediate_weights, y_true)

    def result(self) -> Any:
        require_state(self, self._built)
        eps = config.epsilon()
        precision = ops.divide(self.true_positives, self.true_positives + self.false_positives + eps)
        recall = ops.divide(self.true_positives, self.true_positives + self.false_negatives + eps)
        score = (1 + self.beta**2) * precision * recall / (self.beta**2 * precision + recall + eps)
        if self.average == "weighted":
            weights = ops.divide(self.intermediate_weights, ops.sum(self.intermediate_weights) + eps)
            return ops.sum(score * weights)
        return score if self.average is None else ops.mean(score, axis=self.axis)

    def get_config(self) -> dict:
        return {**super().get_config(), "average": self.average, "beta": self.beta, "threshold": self.threshold}


@export("keras.metrics.F1Score")
class F1Score(FBetaScore):
    """`2 precision recall / (precision + recall)`: FBetaScore with beta 1.

    >>> y_true, y_pred = [[1, 0], [1, 0], [0, 1]], [[0.8, 0.2], [0.4, 0.6], [0.1, 0.9]]
    >>> [round(float(score), 3) for score in F1Score()(y_true, y_pred)]
    [0.667, 0.667]
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: Any = None,
    ):
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict:
        config = super().get_config()
        del config["beta"]
        return config
