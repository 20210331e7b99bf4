"""Losses of probabilities: how surprising the truth is to a model."""

from typing import Any

from kerasish.base.registry import export
from kerasish.losses import losses
from kerasish.losses.wrapper import LossOf


@export("keras.losses.BinaryCrossentropy")
class BinaryCrossentropy(LossOf):
    """Cross-entropy of labels 0 and 1, averaged over `axis`.

    from_logits:     whether predictions are numbers before the sigmoid, of which it is computed more precisely.
    label_smoothing: how far labels are drawn to one half, from 0 to 1 (all the way).

    >>> round(float(BinaryCrossentropy()([[1.0, 0.0]], [[0.8, 0.4]])), 4)
    0.367
    """

    def __init__(
        self, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
        reduction: Any = "sum_over_batch_size", name: str | None = "binary_crossentropy", dtype: Any = None,
    ):  # fmt: skip
        losses.check_smoothing(label_smoothing)
        super().__init__(
            losses.binary_crossentropy, reduction, name, dtype, from_logits=from_logits,
            label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


@export("keras.losses.BinaryFocalCrossentropy")
class BinaryFocalCrossentropy(LossOf):
    """Binary cross-entropy, times `(1 - p)**gamma` of the probability p of the truth (Lin et al. 2017).

    apply_class_balancing: whether to weigh labels 1 by `alpha`, and 0 by `1 - alpha`.
    from_logits, label_smoothing: as of BinaryCrossentropy.

    >>> round(float(BinaryFocalCrossentropy()([[1.0, 0.0]], [[0.8, 0.4]])), 4)
    0.0453
    """

    def __init__(
        self, apply_class_balancing: bool = False, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False,
        label_smoothing: float = 0.0, axis: int = -1, reduction: Any = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy", dtype: Any = None,
    ):  # fmt: skip
        losses.check_smoothing(label_smoothing)
        super().__init__(
            losses.binary_focal_crossentropy, reduction, name, dtype, apply_class_balancing=apply_class_balancing,
            alpha=alpha, gamma=gamma, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


@export("keras.losses.CategoricalCrossentropy")
class CategoricalCrossentropy(LossOf):
    """Cross-entropy of one-hot labels, or of distributions over classes, which are along `axis`.

    from_logits:     whether predictions are numbers before the softmax, of which it is computed more precisely.
    label_smoothing: how far labels are drawn to equal shares, from 0 to 1 (all the way).

    >>> round(float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.2, 0.8]])), 4)
    0.2231
    """

    def __init__(
        self, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
        reduction: Any = "sum_over_batch_size", name: str | None = "categorical_crossentropy", dtype: Any = None,
    ):  # fmt: skip
        losses.check_smoothing(label_smoothing)
        super().__init__(
            losses.categorical_crossentropy, reduction, name, dtype, from_logits=from_logits,
            label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


@export("keras.losses.CategoricalFocalCrossentropy")
class CategoricalFocalCrossentropy(LossOf):
    """Categorical cross-entropy, times `alpha * (1 - p)**gamma` of the probability p of each class (Lin et al. 2017).

    alpha: a number, or one for each class.
    from_logits, label_smoothing: as of CategoricalCrossentropy.

    >>> round(float(CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.2, 0.8]])), 4)
    0.0022
    """

    def __init__(
        self, alpha: Any = 0.25, gamma: float = 2.0, from_logits: bool = False, label_smoothing: float = 0.0,
        axis: int = -1, reduction: Any = "sum_over_batch_size", name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ):  # fmt: skip
        losses.check_smoothing(label_smoothing)
        super().__init__(
            losses.categorical_focal_crossentropy, reduction, name, dtype, alpha=alpha, gamma=gamma,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


@export("keras.losses.SparseCategoricalCrossentropy")
class SparseCategoricalCrossentropy(LossOf):
    """Cross-entropy of labels that are the numbers of classes.

    ignore_class: a label whose places do not count.

    >>> round(float(SparseCategoricalCrossentropy()([1], [[0.2, 0.8]])), 4)
    0.2231
    """

    def __init__(
        self, from_logits: bool = False, ignore_class: int | None = None, reduction: Any = "sum_over_batch_size",
        axis: int = -1, name: str | None = "sparse_categorical_crossentropy", dtype: Any = None,
    ):  # fmt: skip
        super().__init__(
            losses.sparse_categorical_crossentropy, reduction, name, dtype, from_logits=from_logits,
            ignore_class=ignore_class, axis=axis,
        )  # fmt: skip


@export("keras.losses.CategoricalGeneralizedCrossEntropy")
class CategoricalGeneralizedCrossEntropy(LossOf):
    """`(1 - p**q) / q` of the probability p of a label's class: bears wrong labels (Zhang and Sabuncu 2018).

    q: between 0, where it is cross-entropy, and 1, where it is the mean absolute error.

    >>> round(float(CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]])), 4)
    1.0
    """

    same_rank = False

    def __init__(
        self, q: float = 0.5, reduction: Any = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy", dtype: Any = None,
    ):  # fmt: skip
        if not 0 < q < 1:
            raise ValueError(f"q must be in the interval (0, 1). Received: q={q}")
        super().__init__(losses.categorical_generalized_cross_entropy, reduction, name, dtype, q=q)


@export("keras.losses.KLDivergence")
class KLDivergence(LossOf):
    """Sum of `y_true * log(y_true / y_pred)`: what is lost by taking one distribution for the other.

    >>> round(float(KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])), 4)
    0.1438
    """

    def __init__(self, reduction: Any = "sum_over_batch_size", name: str | None = "kl_divergence", dtype: Any = None):
        super().__init__(losses.kl_divergence, reduction, name, dtype)


@export("keras.losses.Poisson")
class Poisson(LossOf):
    """Mean of `y_pred - y_true * log(y_pred)`, for counts.

    >>> round(float(Poisson()([[1.0, 2.0]], [[1.0, 1.0]])), 4)
    1.0
    """

    def __init__(self, reduction: Any = "sum_over_batch_size", name: str | None = "poisson", dtype: Any = None):
        super().__init__(losses.poisson, reduction, name, dtype)
