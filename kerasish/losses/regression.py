"""Losses of quantities: how far predictions are off."""

from typing import Any

from kerasish.base.registry import export
from kerasish.losses import losses
from kerasish.losses.wrapper import LossOf


@export("keras.losses.MeanSquaredError")
class MeanSquaredError(LossOf):
    """Mean of `(y_true - y_pred)**2`.

    >>> round(float(MeanSquaredError()([[3.0, 1.0]], [[1.0, 1.0]])), 4)
    2.0
    """

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str | None = "mean_squared_error", dtype: Any = None,
    ):  # fmt: skip
        super().__init__(losses.mean_squared_error, reduction, name, dtype)


@export("keras.losses.MeanAbsoluteError")
class MeanAbsoluteError(LossOf):
    """Mean of `abs(y_true - y_pred)`.

    >>> round(float(MeanAbsoluteError()([[3.0, 1.0]], [[1.0, 1.0]])), 4)
    1.0
    """

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str | None = "mean_absolute_error", dtype: Any = None,
    ):  # fmt: skip
        super().__init__(losses.mean_absolute_error, reduction, name, dtype)


@export("keras.losses.MeanAbsolutePercentageError")
class MeanAbsolutePercentageError(LossOf):
    """Mean of `100 * abs(y_true - y_pred) / abs(y_true)`.

    >>> round(float(MeanAbsolutePercentageError()([[4.0, 1.0]], [[2.0, 1.0]])), 4)
    25.0
    """

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ):  # fmt: skip
        super().__init__(losses.mean_absolute_percentage_error, reduction, name, dtype)


@export("keras.losses.MeanSquaredLogarithmicError")
class MeanSquaredLogarithmicError(LossOf):
    """Mean of `(log(1 + y_true) - log(1 + y_pred))**2`.

    >>> round(float(MeanSquaredLogarithmicError()([[3.0, 1.0]], [[1.0, 1.0]])), 4)
    0.2402
    """

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ):  # fmt: skip
        super().__init__(losses.mean_squared_logarithmic_error, reduction, name, dtype)


@export("keras.losses.Huber")
class Huber(LossOf):
    """Half the square of errors up to `delta`, and linear beyond it (Huber 1964).

    >>> round(float(Huber()([[3.0, 1.0]], [[1.0, 1.0]])), 4)
    0.75
    """

    def __init__(
        self, delta: float = 1.0, reduction: Any = "sum_over_batch_size", name: str | None = "huber_loss",
        dtype: Any = None,
    ):  # fmt: skip
        super().__init__(losses.huber, reduction, name, dtype, delta=delta)


@export("keras.losses.LogCosh")
class LogCosh(LossOf):
    """Mean of `log(cosh(y_pred - y_true))`: about half the square if small, and the distance if large.

    >>> round(float(LogCosh()([[3.0, 1.0]], [[1.0, 1.0]])), 4)
    0.6625
    """

    def __init__(self, reduction: Any = "sum_over_batch_size", name: str | None = "log_cosh", dtype: Any = None):
        super().__init__(losses.log_cosh, reduction, name, dtype)


@export("keras.losses.CosineSimilarity")
class CosineSimilarity(LossOf):
    """The cosine of the angle between vectors along `axis`, negative: -1 where they point the same way.

    >>> round(float(CosineSimilarity()([[3.0, 4.0]], [[6.0, 8.0]])), 4)
    -1.0
    """

    def __init__(
        self, axis: int = -1, reduction: Any = "sum_over_batch_size", name: str | None = "cosine_similarity",
        dtype: Any = None,
    ):  # fmt: skip
        super().__init__(losses.cosine_similarity, reduction, name, dtype, axis=axis)
