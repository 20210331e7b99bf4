"""Losses made of a function: a user's, and the library's own."""

from collections.abc import Callable
from typing import Any

from kerasish.losses.loss import Loss, squeeze_or_expand_to_same_rank
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


class LossFunctionWrapper(Loss):
    """A loss from a function of `y_true` and `y_pred`; further arguments are passed to it.

    >>> from kerasish.losses.losses import huber
    >>> float(LossFunctionWrapper(huber, delta=0.5)([3.0], [1.0]))
    0.875
    """

    # whether targets and predictions are brought to one rank first, where one has an axis of size 1 more
    same_rank = True

    def __init__(
        self, fn: Callable, reduction: Any = "sum_over_batch_size", name: str | None = None, dtype: Any = None, **kwargs: Any
    ):
        super().__init__(name=name or getattr(fn, "__name__", None), reduction=reduction, dtype=dtype)
        self.fn, self._fn_kwargs = fn, kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if self.same_rank and hasattr(y_true, "shape") and hasattr(y_pred, "shape"):
            y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict:
        return {**super().get_config(), "fn": serialize_keras_object(self.fn), **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict) -> Any:
        if "fn" in config:
            config = {**config, "fn": deserialize_keras_object(config["fn"])}
        return cls(**config)

    def __repr__(self) -> str:
        return f"<LossFunctionWrapper({self.fn}, kwargs={self._fn_kwargs})>"


class LossOf(LossFunctionWrapper):
    """What the library's own losses share: the class stands for the function, the config for its options.

    Every option is an attribute, too.
    """

    def __init__(self, fn: Callable, reduction: Any, name: str | None, dtype: Any, **options: Any):
        super().__init__(fn, reduction, name, dtype, **options)
        for option, value in options.items():
            setattr(self, option, value)

    def get_config(self) -> dict:
        return {**Loss.get_config(self), **self._fn_kwargs}
