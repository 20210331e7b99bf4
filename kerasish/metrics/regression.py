"""How far predictions of quantities are off, and how well they follow the truth."""

import warnings
from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.engine.core import context
from kerasish.losses import losses
from kerasish.losses.loss import squeeze_or_expand_to_same_rank
from kerasish.metrics.metric import Metric, require_state
from kerasish.metrics.reduction import Mean, MeanOf


def cosine_similarity(y_true: Any, y_pred: Any, axis: Any = -1) -> Any:
    """The cosine of the angle between the vectors along `axis`."""
    return ops.negative(losses.cosine_similarity(y_true, y_pred, axis=axis))


@export("keras.metrics.MeanSquaredError")
class MeanSquaredError(MeanOf):
    """Mean of `(y_true - y_pred)**2`.

    >>> float(MeanSquaredError()([[3.0, 1.0]], [[1.0, 1.0]]))
    2.0
    """

    def __init__(self, name: str = "mean_squared_error", dtype: Any = None):
        super().__init__(losses.mean_squared_error, name, dtype)


@export("keras.metrics.MeanAbsoluteError")
class MeanAbsoluteError(MeanOf):
    """Mean of `abs(y_true - y_pred)`.

    >>> float(MeanAbsoluteError()([[3.0, 1.0]], [[1.0, 1.0]]))
    1.0
    """

    def __init__(self, name: str = "mean_absolute_error", dtype: Any = None):
        super().__init__(losses.mean_absolute_error, name, dtype)


@export("keras.metrics.MeanAbsolutePercentageError")
class MeanAbsolutePercentageError(MeanOf):
    """Mean of `100 * abs(y_true - y_pred) / abs(y_true)`.

    >>> float(MeanAbsolutePercentageError()([[4.0, 1.0]], [[2.0, 1.0]]))
    25.0
    """

    def __init__(self, name: str = "mean_absolute_percentage_error", dtype: Any = None):
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


@export("keras.metrics.MeanSquaredLogarithmicError")
class MeanSquaredLogarithmicError(MeanOf):
    """Mean of `(log(1 + y_true) - log(1 + y_pred))**2`.

    >>> round(float(MeanSquaredLogarithmicError()([[3.0, 1.0]], [[1.0, 1.0]])), 3)
    0.24
    """

    def __init__(self, name: str = "mean_squared_logarithmic_error", dtype: Any = None):
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


@export("keras.metrics.LogCoshError")
class LogCoshError(MeanOf):
    """Mean of `log(cosh(y_pred - y_true))`.

    >>> round(float(LogCoshError()([[3.0, 1.0]], [[1.0, 1.0]])), 3)
    0.663
    """

    def __init__(self, name: str = "logcosh", dtype: Any = None):
        super().__init__(losses.log_cosh, name, dtype)


@export("keras.metrics.CosineSimilarity")
class CosineSimilarity(MeanOf):
    """Mean of the cosine of the angle between `y_true` and `y_pred` along `axis`.

    >>> round(float(CosineSimilarity()([[3.0, 4.0]], [[4.0, 3.0]])), 3)
    0.96
    """

    _direction = "up"
    _left_out = {"axis": -1}

    def __init__(self, name: str = "cosine_similarity", dtype: Any = None, axis: Any = -1):
        super().__init__(cosine_similarity, name, dtype, axis=axis)


@export("keras.metrics.RootMeanSquaredError")
class RootMeanSquaredError(Mean):
    """Square root of the mean of `(y_true - y_pred)**2`.

    >>> round(float(RootMeanSquaredError()([[3.0, 1.0]], [[1.0, 1.0]])), 3)
    1.414
    """

    _direction = "down"

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true = ops.convert_to_tensor(y_true, dtype=self.dtype)
        y_pred = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        super().update_state(ops.square(y_pred - y_true), sample_weight=sample_weight)

    def result(self) -> Any:
        return ops.sqrt(super().result())


@export("keras.metrics.R2Score")
class R2Score(Metric):
    """Coefficient of determination: the share of the variance of `y_true` (batch, outputs) that `y_pred` explains.

    class_aggregation: of the outputs' scores: "uniform_average", "variance_weighted_average", or None for all of them.
    num_regressors:    p of the adjusted score; 0 for the plain one.

    >>> float(R2Score()([[1.0], [2.0], [3.0]], [[1.5], [2.0], [2.5]]))
    0.75
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
        dtype: Any = None,
    ):
        super().__init__(name=name, dtype=dtype)
        choices = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in choices:
            raise ValueError(
                f"`class_aggregation` must be one of {choices}. Received: class_aggregation={class_aggregation!r}"
            )
        if num_regressors < 0:
            raise ValueError(f"`num_regressors` must not be negative. Received: num_regressors={num_regressors}")
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._built = False

    def _build(self, y_true_shape: tuple, y_pred_shape: tuple) -> None:
        if len(y_true_shape) != 2 or len(y_pred_shape) != 2:
            raise ValueError(
                "R2Score expects 2D inputs of shape (batch_size, output_dim). Received: "
                f"y_pred.shape={tuple(y_pred_shape)} and y_true.shape={tuple(y_true_shape)}. Add an axis to 1D inputs."
            )
        outputs = (y_pred_shape[-1],)
        for name in ("squared_sum", "sum", "residual", "count"):
            setattr(self, name, self.add_variable(outputs, "zeros", name=name))
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true = ops.convert_to_tensor(y_true, dtype=self.dtype)
        y_pred = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        if not self._built:
            self._build(y_true.shape, y_pred.shape)
        weight = ops.convert_to_tensor(1 if sample_weight is None else sample_weight, dtype=self.dtype)
        if len(weight.shape) == 1:
            weight = ops.expand_dims(weight, 1)
        weight = ops.broadcast_to(weight, y_true.shape)
        self.sum.assign_add(ops.sum(y_true * weight, axis=0))
        self.squared_sum.assign_add(ops.sum(y_true * y_true * weight, axis=0))
        self.residual.assign_add(ops.sum(ops.square(y_true - y_pred) * weight, axis=0))
        self.count.assign_add(ops.sum(weight, axis=0))
        # as in Keras, every output of a sample counts
        self.num_samples.assign_add(ops.cast(ops.size(y_true), self.dtype))

    def result(self) -> Any:
        require_state(self, self._built)
        mean = self.sum / self.count
        total = self.squared_sum - self.sum * mean
        score = 1 - self.residual / total
        score = ops.where(ops.isinf(score), 0.0, score)
        if self.class_aggregation == "uniform_average":
            score = ops.mean(score)
        elif self.class_aggregation == "variance_weighted_average":
            score = ops.sum(total * score) / ops.sum(total)
        return self._adjusted(score) if self.num_regressors else score

    def _adjusted(self, score: Any) -> Any:
        """The score that counts the regressors; where there are too few samples for that, the plain one."""
        freedom = self.num_samples - self.num_regressors - 1
        enough = freedom > 0
        if context.trace is None and not bool(enough):
            warnings.warn(
                f"R2Score: {float(self.num_samples):.0f} samples are too few for the adjusted score with "
                f"num_regressors={self.num_regressors}. Falling back to the standard R2 score.",
                stacklevel=3,
            )
        adjusted = 1 - (1 - score) * (self.num_samples - 1) / ops.where(enough, freedom, 1.0)
        return ops.where(enough, adjusted, score)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }
