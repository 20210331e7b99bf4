"""Sums and means, and metrics that are the mean of a function."""

from typing import Any, Callable

from kerasish import ops
from kerasish.base.registry import export, exported
from kerasish.losses.loss import apply_mask, squeeze_or_expand_to_same_rank
from kerasish.metrics.metric import Metric
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


def reduce_to_samplewise_values(values: Any, sample_weight: Any, reduce_fn: Callable, dtype: Any) -> tuple:
    """`values`, weighted, as one number a sample, and the samples' weights (None where none were given).

    Axes after the first are reduced by `reduce_fn` (ops.sum or ops.mean), those the weights do not have before they are
    multiplied by them. A mask on `values` counts as a factor of the weights.
    """
    mask = getattr(values, "_keras_mask", None)
    values = ops.cast(values, dtype)
    if sample_weight is not None:
        sample_weight = ops.convert_to_tensor(sample_weight, dtype=dtype)
        if mask is not None:
            sample_weight = apply_mask(sample_weight, mask, dtype=dtype, reduction="sum")
        values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
        values = _reduce_from(len(sample_weight.shape), values, reduce_fn)
        sample_weight = ops.broadcast_to(sample_weight, values.shape)
        values = values * sample_weight
        sample_weight = _reduce_from(1, sample_weight, reduce_fn)
    return _reduce_from(1, values, reduce_fn), sample_weight


def _reduce_from(axis: int, x: Any, reduce_fn: Callable) -> Any:
    """`x` without the axes from `axis` on."""
    return reduce_fn(x, axis=tuple(range(axis, len(x.shape)))) if len(x.shape) > axis else x


@export("keras.metrics.Sum")
class Sum(Metric):
    """The sum of the values.

    >>> m = Sum()
    >>> float(m([2.0, 5.0])), float(m([1.0], sample_weight=[4.0]))
    (7.0, 11.0)
    """

    def __init__(self, name: str = "sum", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", dtype=self.dtype, name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values, _ = reduce_to_samplewise_values(values, sample_weight, ops.sum, self.dtype)
        self.total.assign_add(ops.sum(values))

    def result(self) -> Any:
        return ops.cast(self.total, self.dtype)


@export("keras.metrics.Mean")
class Mean(Metric):
    """The mean of the values, weighted by `sample_weight`.

    >>> m = Mean()
    >>> float(m([2.0, 4.0])), float(m([7.0], sample_weight=[2.0]))
    (3.0, 5.0)
    """

    def __init__(self, name: str = "mean", dtype: Any = None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", dtype=self.dtype, name="total")
        self.count = self.add_variable((), "zeros", dtype=self.dtype, name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values, sample_weight = reduce_to_samplewise_values(values, sample_weight, ops.mean, self.dtype)
        if sample_weight is not None:
            count = ops.sum(sample_weight)
        else:
            count = values.shape[0] if values.shape else 1
        self.total.assign_add(ops.sum(values))
        self.count.assign_add(ops.cast(count, self.dtype))

    def result(self) -> Any:
        return ops.divide_no_nan(self.total, ops.cast(self.count, self.dtype))


@export("keras.metrics.MeanMetricWrapper")
class MeanMetricWrapper(Mean):
    """The mean of `fn(y_true, y_pred, **kwargs)`.

    >>> worst = MeanMetricWrapper(lambda y_true, y_pred: ops.max(ops.abs(y_true - y_pred), axis=-1))
    >>> float(worst(ops.zeros((2, 3)), ops.array([[0.0, -3.0, 1.0], [1.0, 0.0, 0.0]])))
    2.0
    """

    def __init__(self, fn: Callable, name: str | None = None, dtype: Any = None, **kwargs: Any):
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs
        if any(fn is loss for loss in exported("keras.losses").values()):
            self._direction = "down"  # which way is better, for callbacks with mode="auto"

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        mask = getattr(y_pred, "_keras_mask", None)
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        if mask is not None:
            sample_weight = apply_mask(sample_weight, mask, dtype=self.dtype, reduction="sum")
        super().update_state(values, sample_weight=sample_weight)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "fn": serialize_keras_object(self._fn),
            **serialize_keras_object(self._fn_kwargs),
        }

    @classmethod
    def from_config(cls, config: dict) -> "MeanMetricWrapper":
        config = dict(config)
        if "fn" in config:
            config["fn"] = deserialize_keras_object(config["fn"])
        return cls(**config)


class MeanOf(MeanMetricWrapper):
    """What the library's own means of a function share: the class stands for the function, the config for its options.

    Every option is an attribute too.
    """

    # options that Keras does not save: they go into the config only where they are not these defaults
    _left_out: dict[str, Any] = {}

    def __init__(self, fn: Callable, name: str | None, dtype: Any, **options: Any):
        super().__init__(fn, name=name, dtype=dtype, **options)
        for option, value in options.items():
            setattr(self, option, value)

    def get_config(self) -> dict:
        options = {k: v for k, v in self._fn_kwargs.items() if k not in self._left_out or v != self._left_out[k]}
        return {**Metric.get_config(self), **options}
