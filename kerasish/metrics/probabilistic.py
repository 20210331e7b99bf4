"""How well predicted probabilities, or the logits they are made from, fit the truth."""

from typing import Any

from kerasish.base.registry import export
from kerasish.losses import losses
from kerasish.metrics.reduction import MeanOf


@export("keras.metrics.KLDivergence")
class KLDivergence(MeanOf):
    """Mean of `sum(y_true * log(y_true / y_pred))`.

    >>> round(float(KLDivergence()([[0.5, 0.5]], [[0.9, 0.1]])), 3)
    0.511
    """

    def __init__(self, name: str = "kl_divergence", dtype: Any = None):
        super().__init__(losses.kl_divergence, name, dtype)


@export("keras.metrics.Poisson")
class Poisson(MeanOf):
    """Mean of `y_pred - y_true * log(y_pred)`.

    >>> round(float(Poisson()([[2.0, 0.0]], [[1.0, 3.0]])), 3)
    2.0
    """

    def __init__(self, name: str = "poisson", dtype: Any = None):
        super().__init__(losses.poisson, name, dtype)


@export("keras.metrics.BinaryCrossentropy")
class BinaryCrossentropy(MeanOf):
    """Mean of the cross-entropy between binary labels and predictions.

    from_logits:     predictions are logits instead of probabilities.
    label_smoothing: how far labels are moved from 0 and 1 towards 0.5, as a fraction of that distance.

    >>> round(float(BinaryCrossentropy()([[1, 0]], [[0.5, 0.5]])), 3)
    0.693
    """

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ):
        super().__init__(
            losses.binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )


@export("keras.metrics.CategoricalCrossentropy")
class CategoricalCrossentropy(MeanOf):
    """Mean of the cross-entropy between one-hot labels and predictions.

    from_logits:     predictions are logits instead of probabilities.
    label_smoothing: how far labels are moved towards the uniform distribution.
    axis:            the axis of the classes.

    >>> round(float(CategoricalCrossentropy()([[1, 0, 0]], [[0.5, 0.3, 0.2]])), 3)
    0.693
    """

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ):
        super().__init__(
            losses.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


@export("keras.metrics.SparseCategoricalCrossentropy")
class SparseCategoricalCrossentropy(MeanOf):
    """Mean of the cross-entropy between class numbers and predictions.

    from_logits:  predictions are logits instead of probabilities.
    ignore_class: a class number that counts as zero entropy.
    axis:         the axis of the classes.

    >>> round(float(SparseCategoricalCrossentropy()([0], [[0.5, 0.3, 0.2]])), 3)
    0.693
    """

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ):
        super().__init__(
            losses.sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
