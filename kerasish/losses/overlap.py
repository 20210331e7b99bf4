"""Losses of regions (how far they overlap) and of sequences."""

from typing import Any

from kerasish.base.registry import export
from kerasish.losses import losses
from kerasish.losses.wrapper import LossOf


@export("keras.losses.Dice")
class Dice(LossOf):
    """One less the Dice coefficient: twice the overlap in proportion to both sizes, over `axis` or everything.

    >>> round(float(Dice()([[1.0, 1.0]], [[1.0, 0.0]])), 4)
    0.3333
    """

    same_rank = False

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str | None = "dice", axis: Any = None, dtype: Any = None,
    ):  # fmt: skip
        super().__init__(losses.dice, reduction, name, dtype, axis=axis)


@export("keras.losses.Tversky")
class Tversky(LossOf):
    """Dice with weights of what is missed (`alpha`) and what is too much (`beta`) (Salehi et al. 2017).

    >>> round(float(Tversky(alpha=0.2)([[1.0, 1.0]], [[1.0, 0.0]])), 4)
    0.1667
    """

    same_rank = False

    def __init__(
        self, alpha: float = 0.5, beta: float = 0.5, reduction: Any = "sum_over_batch_size",
        name: str | None = "tversky", axis: Any = None, dtype: Any = None,
    ):  # fmt: skip
        super().__init__(losses.tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)


@export("keras.losses.CTC")
class CTC(LossOf):
    """Connectionist temporal classification: labels without times for longer sequences (Graves et al. 2006).

    y_true: labels (batch, length), padded by 0. y_pred: logits (batch, times, classes); class 0 is the blank.

    >>> round(float(CTC()([[1]], [[[0.0, 0.0], [0.0, 0.0]]])), 4)
    0.2877
    """

    same_rank = False

    def __init__(self, reduction: Any = "sum_over_batch_size", name: str | None = "ctc", dtype: Any = None):
        super().__init__(losses.ctc, reduction, name, dtype)
