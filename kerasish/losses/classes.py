"""The losses as classes: a function and its parameters. `_loss` makes the config from the constructor."""

import inspect
from typing import Any

from kerasish.base.registry import export
from kerasish.losses import losses as fn
from kerasish.losses.loss import Loss, squeeze_or_expand_to_same_rank
from kerasish.losses.losses import _smoothing_checked
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


class LossFunctionWrapper(Loss):
    """A loss from a function of `y_true` and `y_pred`; further arguments are passed to it."""

    def __init__(
        self, fn: Any, reduction: Any = "sum_over_batch_size", name: str | None = None, dtype: Any = None, **kwargs: Any
    ):
        super().__init__(name=name or getattr(fn, "__name__", None), reduction=reduction, dtype=dtype)
        self.fn, self._fn_kwargs = fn, kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if hasattr(y_true, "shape") and hasattr(y_pred, "shape"):
            y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict:
        config = super().get_config()
        if type(self) is LossFunctionWrapper:
            config.update(fn=serialize_keras_object(self.fn))
        return {**config, **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict) -> Any:
        if "fn" in config:
            config = {**config, "fn": deserialize_keras_object(config["fn"])}
        return cls(**config)

    def __repr__(self) -> str:
        return f"<LossFunctionWrapper({self.fn}, kwargs={self._fn_kwargs})>"


def _loss(class_name: str, function: Any, *order: str) -> Any:
    """The class of a loss function: its parameters, then reduction, name and dtype as Keras orders them."""
    extra = [p for p in list(inspect.signature(function).parameters.values())[2:]]
    by_name = {p.name: p for p in extra}
    first = [by_name[n] for n in order] if order else extra
    kw = inspect.Parameter.POSITIONAL_OR_KEYWORD
    tail = [
        inspect.Parameter("reduction", kw, default="sum_over_batch_size"),
        inspect.Parameter("name", kw, default={"huber": "huber_loss"}.get(function.__name__, function.__name__)),
        inspect.Parameter("dtype", kw, default=None),
    ]
    parameters = [*first, *tail]
    if class_name == "SparseCategoricalCrossentropy":  # Keras has the axis after the reduction here
        parameters.insert(3, parameters.pop(2))
    signature = inspect.Signature(parameters)

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        values = dict(bound.arguments)
        if "label_smoothing" in values:
            _smoothing_checked(values["label_smoothing"])
        LossFunctionWrapper.__init__(self, function, **values)

    __init__.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD), *parameters]
    )
    cls = type(
        class_name, (LossFunctionWrapper,), {"__init__": __init__, "__doc__": function.__doc__, "__module__": __name__}
    )
    return export(f"keras.losses.{class_name}")(cls)


MeanSquaredError = _loss("MeanSquaredError", fn.mean_squared_error)
MeanAbsoluteError = _loss("MeanAbsoluteError", fn.mean_absolute_error)
MeanAbsolutePercentageError = _loss("MeanAbsolutePercentageError", fn.mean_absolute_percentage_error)
MeanSquaredLogarithmicError = _loss("MeanSquaredLogarithmicError", fn.mean_squared_logarithmic_error)
Huber = _loss("Huber", fn.huber)
LogCosh = _loss("LogCosh", fn.log_cosh)
Hinge = _loss("Hinge", fn.hinge)
SquaredHinge = _loss("SquaredHinge", fn.squared_hinge)
CategoricalHinge = _loss("CategoricalHinge", fn.categorical_hinge)
KLDivergence = _loss("KLDivergence", fn.kl_divergence)
Poisson = _loss("Poisson", fn.poisson)
CosineSimilarity = _loss("CosineSimilarity", fn.cosine_similarity)
BinaryCrossentropy = _loss("BinaryCrossentropy", fn.binary_crossentropy)
BinaryFocalCrossentropy = _loss("BinaryFocalCrossentropy", fn.binary_focal_crossentropy)
CategoricalCrossentropy = _loss("CategoricalCrossentropy", fn.categorical_crossentropy)
CategoricalFocalCrossentropy = _loss("CategoricalFocalCrossentropy", fn.categorical_focal_crossentropy)
SparseCategoricalCrossentropy = _loss(
    "SparseCategoricalCrossentropy", fn.sparse_categorical_crossentropy, "from_logits", "ignore_class", "axis"
)



@export("keras.losses.CategoricalGeneralizedCrossEntropy")
class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """Generalized cross-entropy of integer labels, which bears wrong ones (Zhang and Sabuncu 2018).

    >>> round(float(CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]])), 4)
    1.0
    """

    def __init__(
        self, q: float = 0.5, reduction: Any = "sum_over_batch_size", name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ):  # fmt: skip
        if not 0 < q < 1:
            raise ValueError("q must be in the interval (0, 1)")
        super().__init__(fn.categorical_generalized_cross_entropy, reduction=reduction, name=name, dtype=dtype, q=q)
        self.q = q

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.fn(y_true, y_pred, **self._fn_kwargs)


@export("keras.losses.Circle")
class Circle(LossFunctionWrapper):
    """Circle loss of normalized embeddings with integer labels (Sun et al. 2020).

    >>> Circle(gamma=64).get_config()["gamma"]
    64
    """

    def __init__(
        self, gamma: float = 80.0, margin: float = 0.4, remove_diagonal: bool = True,
        reduction: Any = "sum_over_batch_size", name: str | None = "circle", dtype: Any = None,
    ):  # fmt: skip
        super().__init__(
            fn.circle, reduction=reduction, name=name, dtype=dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal
        )
        self.gamma, self.margin, self.remove_diagonal = gamma, margin, remove_diagonal

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.fn(y_true, y_pred, **self._fn_kwargs)


@export("keras.losses.CTC")
class CTC(LossFunctionWrapper):
    """Connectionist temporal classification (Graves et al. 2006).

    >>> CTC().get_config()["name"]
    'ctc'
    """

    def __init__(self, reduction: Any = "sum_over_batch_size", name: str | None = "ctc", dtype: Any = None):
        super().__init__(fn.ctc, reduction=reduction, name=name, dtype=dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.fn(y_true, y_pred)


@export("keras.losses.Dice")
class Dice(LossFunctionWrapper):
    """One less the Dice coefficient, over `axis` or everything.

    >>> round(float(Dice()([[1.0, 0.0]], [[1.0, 0.0]])), 4)
    0.0
    """

    def __init__(self, reduction: Any = "sum_over_batch_size", name: str | None = "dice", axis: Any = None, dtype: Any = None):
        super().__init__(fn.dice, reduction=reduction, name=name, dtype=dtype, axis=axis)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.fn(y_true, y_pred, **self._fn_kwargs)


@export("keras.losses.Tversky")
class Tversky(LossFunctionWrapper):
    """Dice with weights for false negatives (alpha) and false positives (beta) (Salehi et al. 2017).

    >>> round(float(Tversky()([[1.0, 0.0]], [[1.0, 0.0]])), 4)
    0.0
    """

    def __init__(
        self, alpha: float = 0.5, beta: float = 0.5, reduction: Any = "sum_over_batch_size", name: str | None = "tversky",
        axis: Any = None, dtype: Any = None,
    ):  # fmt: skip
        super().__init__(fn.tversky, reduction=reduction, name=name, dtype=dtype, alpha=alpha, beta=beta, axis=axis)
        self.alpha, self.beta, self.axis = alpha, beta, axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.fn(y_true, y_pred, **self._fn_kwargs)


__all__ = [
    "CTC",
    "CategoricalGeneralizedCrossEntropy",
    "Circle",
    "Dice",
    "Tversky",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
]
