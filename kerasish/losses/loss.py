"""Loss, and the reduction of a loss's values to what is minimised."""

from typing import Any

from kerasish import dtype_policies, ops
from kerasish.base import naming, tree
from kerasish.base.registry import export

REDUCTIONS = ("sum_over_batch_size", "sum", None, "none", "mean", "mean_with_sample_weight")


def squeeze_or_expand_to_same_rank(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[Any, Any]:
    """Drop a last axis of size 1 from the one with one axis more, or add it to the other."""
    r1, r2 = len(x1.shape), len(x2.shape)
    if r1 == r2 or abs(r1 - r2) != 1:
        return x1, x2

    def is_one(d: Any) -> bool:
        return isinstance(d, int) and d == 1

    if r1 < r2:
        if is_one(x2.shape[-1]):
            return (ops.expand_dims(x1, -1), x2) if r1 == 1 and expand_rank_1 else (x1, ops.squeeze(x2, -1))
    elif is_one(x1.shape[-1]):
        return (x1, ops.expand_dims(x2, -1)) if r2 == 1 and expand_rank_1 else (ops.squeeze(x1, -1), x2)
    return x1, x2


def apply_mask(sample_weight: Any, mask: Any, dtype: Any, reduction: Any) -> Any:
    """The sample weights with zeros where the mask is False; rescaled, so that a mean is one over the valid places."""
    if mask is None:
        return sample_weight
    mask = ops.cast(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        total = ops.cast(ops.prod(ops.convert_to_tensor(ops.shape(mask), dtype="int32")), dtype)
        mask = mask * (total / ops.maximum(ops.sum(mask), ops.cast(1e-7, dtype)))
    if sample_weight is None:
        return mask
    sample_weight = ops.cast(sample_weight, dtype)
    mask, sample_weight = squeeze_or_expand_to_same_rank(mask, sample_weight)
    return sample_weight * mask


def reduce_values(values: Any, sample_weight: Any = None, reduction: Any = "sum_over_batch_size") -> Any:
    """The values as one number, or unchanged."""
    if reduction in (None, "none") or not values.shape:
        return values
    total = ops.sum(values)
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        return ops.divide_no_nan(total, ops.sum(ops.cast(sample_weight, total.dtype)))
    if reduction != "sum":
        n: Any = 1
        for d in values.shape:
            n = n * d
        total = total / ops.cast(n, total.dtype)
    return total


def reduce_weighted_values(
    values: Any, sample_weight: Any = None, mask: Any = None, reduction: Any = "sum_over_batch_size", dtype: Any = None
) -> Any:
    """The values times their weights, masked, then reduced."""
    dtype = dtype or values.dtype
    values = ops.cast(values, dtype)
    if sample_weight is not None:
        sample_weight = ops.cast(sample_weight, dtype)
    if mask is not None:
        sample_weight = apply_mask(sample_weight, ops.cast(mask, dtype), dtype, reduction)
    if sample_weight is not None:
        values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
        while len(sample_weight.shape) < len(values.shape):
            sample_weight = ops.expand_dims(sample_weight, -1)
        values = values * sample_weight
    return reduce_values(values, sample_weight, reduction)


@export("keras.Loss", "keras.losses.Loss")
class Loss:
    """The base: override `call(y_true, y_pred)`, which returns a value per sample.

    reduction: "sum_over_batch_size" (the mean over all values), "sum", "mean", "mean_with_sample_weight" or None.
    """

    def __init__(self, name: str | None = None, reduction: Any = "sum_over_batch_size", dtype: Any = None):
        self.name = name or naming.auto_name(type(self).__name__)
        if reduction not in REDUCTIONS:
            raise ValueError(
                f"Invalid value for argument `reduction`. Expected one of {set(REDUCTIONS)}. Received: reduction={reduction}"
            )
        self.reduction = reduction
        self._dtype_policy = dtype_policies.get(dtype if dtype is not None else "float32") if dtype else None

    @property
    def dtype(self) -> str:
        return (self._dtype_policy or dtype_policies.DTypePolicy()).compute_dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        in_mask = tree.map_structure(lambda x: getattr(x, "_keras_mask", None), y_pred)
        y_pred = tree.map_structure(lambda x: ops.convert_to_tensor(x, dtype=self.dtype), y_pred)
        y_true = tree.map_structure(lambda x: ops.convert_to_tensor(x, dtype=self.dtype), y_true)
        values = self.call(y_true, y_pred)
        mask = in_mask if not isinstance(in_mask, (list, tuple, dict)) else None
        out_mask = getattr(values, "_keras_mask", None)
        if out_mask is not None:
            mask = out_mask if mask is None else mask & out_mask
        return reduce_weighted_values(values, sample_weight, mask, self.reduction, self.dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must implement `call(y_true, y_pred)`.")

    def get_config(self) -> dict:
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict) -> Any:
        return cls(**config)
