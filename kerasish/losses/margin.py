"""Losses that want a margin: between classes, or between pairs that belong together and others."""

from typing import Any

from kerasish.base.registry import export
from kerasish.losses import losses
from kerasish.losses.wrapper import LossOf


@export("keras.losses.Hinge")
class Hinge(LossOf):
    """Mean of `max(1 - y_true * y_pred, 0)`, for labels -1 and 1 (0 is taken for -1).

    >>> round(float(Hinge()([[1.0, -1.0]], [[0.5, 0.5]])), 4)
    1.0
    """

    def __init__(self, reduction: Any = "sum_over_batch_size", name: str | None = "hinge", dtype: Any = None):
        super().__init__(losses.hinge, reduction, name, dtype)


@export("keras.losses.SquaredHinge")
class SquaredHinge(LossOf):
    """Mean of the squares of hinge losses.

    >>> round(float(SquaredHinge()([[1.0, -1.0]], [[0.5, 0.5]])), 4)
    1.25
    """

    def __init__(self, reduction: Any = "sum_over_batch_size", name: str | None = "squared_hinge", dtype: Any = None):
        super().__init__(losses.squared_hinge, reduction, name, dtype)


@export("keras.losses.CategoricalHinge")
class CategoricalHinge(LossOf):
    """`max(wrong - right + 1, 0)` of the score of the true class and the highest of the others.

    >>> round(float(CategoricalHinge()([[0.0, 1.0]], [[0.4, 0.6]])), 4)
    0.8
    """

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str | None = "categorical_hinge", dtype: Any = None,
    ):  # fmt: skip
        super().__init__(losses.categorical_hinge, reduction, name, dtype)


@export("keras.losses.Circle")
class Circle(LossOf):
    """Draws embeddings of one label together and others apart, those that are far off most (Sun et al. 2020).

    y_true: the labels, integers. y_pred: the embeddings, (batch, size), of norm 1.
    margin: how near and how far is enough; gamma: how sharply.
    remove_diagonal: whether the pair of an embedding with itself is left out.

    >>> round(float(Circle(gamma=1.0)([0, 0, 1], [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])), 4)
    1.4704
    """

    same_rank = False

    def __init__(
        self, gamma: float = 80.0, margin: float = 0.4, remove_diagonal: bool = True,
        reduction: Any = "sum_over_batch_size", name: str | None = "circle", dtype: Any = None,
    ):  # fmt: skip
        super().__init__(
            losses.circle, reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal,
        )  # fmt: skip
