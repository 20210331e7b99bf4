"""Margins: labels are -1 or 1 (0 is taken as -1), scores any number."""

from typing import Any

from kerasish.base.registry import export
from kerasish.losses import losses
from kerasish.metrics.reduction import MeanOf


@export("keras.metrics.Hinge")
class Hinge(MeanOf):
    """Mean of `max(1 - y_true * y_pred, 0)`.

    >>> round(float(Hinge()([[-1, 1, 1]], [[-2.0, 0.5, -1.0]])), 3)
    0.833
    """

    def __init__(self, name: str = "hinge", dtype: Any = None):
        super().__init__(losses.hinge, name, dtype)


@export("keras.metrics.SquaredHinge")
class SquaredHinge(MeanOf):
    """Mean of `max(1 - y_true * y_pred, 0)**2`.

    >>> float(SquaredHinge()([[-1, 1]], [[-2.0, 0.5]]))
    0.125
    """

    def __init__(self, name: str = "squared_hinge", dtype: Any = None):
        super().__init__(losses.squared_hinge, name, dtype)


@export("keras.metrics.CategoricalHinge")
class CategoricalHinge(MeanOf):
    """Mean of `max(1 + (best wrong score) - (right score), 0)`; `y_true` is one-hot.

    >>> float(CategoricalHinge()([[0, 1, 0]], [[0.25, 0.5, 1.0]]))
    1.5
    """

    def __init__(self, name: str = "categorical_hinge", dtype: Any = None):
        super().__init__(losses.categorical_hinge, name, dtype)
