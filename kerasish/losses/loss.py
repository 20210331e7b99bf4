"""Loss, and the reduction of a loss's values to what is minimised."""

import math
from typing import Any

from kerasish import dtype_policies, ops
from kerasish.base import config, naming, tree
from kerasish.base.registry import export

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


def checked_reduction(reduction: Any) -> Any:
    """The reduction, or ValueError if there is none of this name."""
    if reduction not in REDUCTIONS:
        raise ValueError(
            f"Invalid value for argument `reduction`. Expected one of {', '.join(map(repr, REDUCTIONS))}. "
            f"Received: reduction={reduction!r}"
        )
    return reduction


# -- shapes -----------------------------------------------------------------------------------------------------------


def squeeze_or_expand_to_same_rank(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[Any, Any]:
    """Make two tensors whose ranks differ by one agree, if the longer one's last axis is of size 1.

    That axis is dropped; or, where the other tensor is a vector and `expand_rank_1` is set, the vector gets one too.

    >>> a, b = squeeze_or_expand_to_same_rank(ops.ones((4,)), ops.ones((4, 1)))
    >>> a.shape, b.shape
    ((4, 1), (4, 1))
    """
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if abs(rank1 - rank2) != 1:
        return x1, x2
    short, long = (x1, x2) if rank1 < rank2 else (x2, x1)
    if ends_in_one(long.shape):
        if expand_rank_1 and len(short.shape) == 1:
            short = ops.expand_dims(short, axis=-1)
        else:
            long = ops.squeeze(long, axis=-1)
    return (short, long) if rank1 < rank2 else (long, short)


def ends_in_one(shape: Any) -> bool:
    """Whether the last axis is known to be of size 1; a size that is not known yet is not."""
    return len(shape) > 0 and isinstance(shape[-1], int) and shape[-1] == 1


def count(shape: Any, dtype: Any) -> Any:
    """How many elements a shape has, as a tensor if sizes are symbolic."""
    number = math.prod(shape)
    return float(number) if isinstance(number, int) else ops.cast(number, dtype)


# -- masks and reductions ---------------------------------------------------------------------------------------------


def apply_mask(sample_weight: Any, mask: Any, dtype: Any, reduction: Any) -> Any:
    """The sample weights with zeros where the mask is False; None if there is neither.

    For a mean, they are scaled so that dividing by the number of all elements averages over the unmasked ones.
    """
    if mask is None:
        return sample_weight
    mask = ops.cast(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        mask = mask * (count(mask.shape, mask.dtype) / ops.maximum(ops.sum(mask), 1.0))
    if sample_weight is None:
        return mask
    mask, sample_weight = squeeze_or_expand_to_same_rank(mask, ops.cast(sample_weight, dtype))
    return sample_weight * mask


def reduce_values(values: Any, sample_weight: Any = None, reduction: Any = "sum_over_batch_size") -> Any:
    """The values as one number; unchanged if they are one already, or for the reductions None and "none"."""
    if reduction in (None, "none") or not values.shape:
        return values
    total = ops.sum(values)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        return ops.divide_no_nan(total, ops.sum(ops.cast(sample_weight, total.dtype)))
    n = count(values.shape, total.dtype)
    return total / (max(n, 1.0) if isinstance(n, float) else ops.maximum(n, 1.0))


def reduce_weighted_values(
    values: Any, sample_weight: Any = None, mask: Any = None, reduction: Any = "sum_over_batch_size", dtype: Any = None
) -> Any:
    """The values times their weights, without those that are masked, reduced.

    sample_weight, mask: broadcast against the values, from the last axis, after `squeeze_or_expand_to_same_rank`.
    """
    checked_reduction(reduction)
    values = ops.convert_to_tensor(values, dtype=dtype)
    if sample_weight is not None:
        sample_weight = ops.convert_to_tensor(sample_weight, dtype=values.dtype)
    if mask is not None:
        mask = ops.convert_to_tensor(mask, dtype="bool")
        while sample_weight is not None and 0 < len(sample_weight.shape) < len(mask.shape) - ends_in_one(mask.shape):
            sample_weight = ops.expand_dims(sample_weight, -1)  # a weight a row goes for all of its steps
    sample_weight = apply_mask(sample_weight, mask, values.dtype, reduction)
    if sample_weight is not None:
        values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
        values = values * sample_weight
    return reduce_values(values, sample_weight, reduction)


# -- the base class ---------------------------------------------------------------------------------------------------


@export("keras.Loss", "keras.losses.Loss")
class Loss:
    """The base of losses: override `call(y_true, y_pred)`, which returns a value for each sample.

    reduction: how values become one number: "sum_over_batch_size" or "mean" (the mean over all of them), "sum",
               "mean_with_sample_weight" (the sum over that of the weights), or None or "none" to keep them.
    dtype:     what `y_true` and `y_pred` are cast to: a dtype or a DTypePolicy; by default `keras.config.floatx()`.

    Calling it takes `sample_weight` too, and the mask that `y_pred` carries.

    >>> class Worst(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return ops.max(ops.abs(y_true - y_pred), axis=-1)
    >>> float(Worst()(ops.array([[1.0, 2.0], [3.0, 4.0]]), ops.array([[1.0, 0.0], [3.0, 4.0]])))
    1.0
    """

    def __init__(self, name: str | None = None, reduction: Any = "sum_over_batch_size", dtype: Any = None):
        self.name = name or naming.auto_name(type(self).__name__)
        self.reduction = checked_reduction(reduction)
        self._given_dtype = dtype
        self._dtype_policy = dtype_policies.get(dtype or config.floatx())

    @property
    def dtype(self) -> str:
        """The dtype that the loss computes in."""
        return self._dtype_policy.compute_dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        def converted(x: Any) -> Any:
            return ops.convert_to_tensor(x, dtype=self.dtype)

        mask = getattr(y_pred, "_keras_mask", None)
        with naming.name_scope(self.name):
            values = self.call(tree.map_structure(converted, y_true), tree.map_structure(converted, y_pred))
            # what `call` itself found not to count
            own_mask = getattr(values, "_keras_mask", None)
            if own_mask is not None:
                mask = own_mask if mask is None else ops.logical_and(mask, own_mask)
            return reduce_weighted_values(values, sample_weight, mask, self.reduction, self.dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each sample. Subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} must implement `call(y_true, y_pred)`.")

    def get_config(self) -> dict:
        """The arguments of the constructor."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict) -> Any:
        """The loss with this config."""
        return cls(**config)
