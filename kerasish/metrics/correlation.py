"""How alike the course of predictions and truth is along an axis."""

from typing import Any

from kerasish import ops
from kerasish.base import config
from kerasish.base.registry import export
from kerasish.losses.loss import squeeze_or_expand_to_same_rank
from kerasish.metrics.reduction import MeanOf


def _centred(y_true: Any, y_pred: Any, axis: Any) -> tuple:
    """The arguments less their means along `axis`, and the means."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true, dtype=y_pred.dtype)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    true_mean = ops.mean(y_true, axis=axis, keepdims=True)
    pred_mean = ops.mean(y_pred, axis=axis, keepdims=True)
    return y_true - true_mean, y_pred - pred_mean, true_mean, pred_mean


@export("keras.metrics.pearson_correlation")
def pearson_correlation(y_true: Any, y_pred: Any, axis: Any = -1) -> Any:
    """Covariance along `axis` divided by both standard deviations: from -1 to 1, NaN where one of them is 0."""
    dt, dp, _, _ = _centred(y_true, y_pred, axis)
    true_std = ops.std(dt, axis=axis, keepdims=True)
    pred_std = ops.std(dp, axis=axis, keepdims=True)
    return ops.mean((dt / true_std) * (dp / pred_std), axis=axis)


@export("keras.metrics.concordance_correlation")
def concordance_correlation(y_true: Any, y_pred: Any, axis: Any = -1) -> Any:
    """Lin's concordance along `axis`: 2 cov / (var + var + (difference of the means)²): from -1 to 1."""
    dt, dp, true_mean, pred_mean = _centred(y_true, y_pred, axis)
    covariance = ops.mean(dt * dp, axis=axis, keepdims=True)
    variances = ops.mean(ops.square(dt), axis=axis, keepdims=True) + ops.mean(ops.square(dp), axis=axis, keepdims=True)
    spread = variances + ops.square(true_mean - pred_mean) + config.epsilon()
    return ops.squeeze(2 * covariance / spread, axis=axis)


@export("keras.metrics.PearsonCorrelation")
class PearsonCorrelation(MeanOf):
    """Mean of Pearson's correlation of `y_true` and `y_pred` along `axis`.

    >>> round(float(PearsonCorrelation()([[1.0, 2.0, 3.0]], [[3.0, 5.0, 7.0]])), 3)
    1.0
    """

    _direction = "up"

    def __init__(self, name: str = "pearson_correlation", dtype: Any = None, axis: Any = -1):
        super().__init__(pearson_correlation, name, dtype, axis=axis)


@export("keras.metrics.ConcordanceCorrelation")
class ConcordanceCorrelation(MeanOf):
    """Mean of the concordance of `y_true` and `y_pred` along `axis`: as Pearson's, but shifts and scales count.

    >>> round(float(ConcordanceCorrelation()([[1.0, 2.0, 3.0]], [[3.0, 5.0, 7.0]])), 3)
    0.216
    """

    _direction = "up"

    def __init__(self, name: str = "concordance_correlation", dtype: Any = None, axis: Any = -1):
        super().__init__(concordance_correlation, name, dtype, axis=axis)
