"""Attention: means of values, weighted by how well queries and keys go together."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.layer import Layer
from kerasish.ops.nn.attention import attention_at_once
from kerasish.random import SeedGenerator, dropout

HIDDEN = -1e9  # the score of what a mask hides


def masked_softmax(scores: Any, mask: Any) -> Any:
    """The softmax over the last axis with nothing where the mask is False; in float32 at least."""
    dtype = str(scores.dtype)
    if dtype in ("float16", "bfloat16"):
        scores = ops.cast(scores, "float32")
    if mask is not None:
        scores = ops.where(mask, scores, ops.cast(HIDDEN, scores.dtype))
    return ops.cast(ops.softmax(scores, axis=-1), dtype)


def causal_mask(targets: Any, sources: Any, window: int | None = None, causal: bool = True) -> Any:
    """(1, targets, sources): True where a source is not after the target, and less than `window` places away."""
    row = ops.expand_dims(ops.arange(targets), 1)
    column = ops.expand_dims(ops.arange(sources), 0)
    mask = ops.greater_equal(row, column) if causal else None
    if window is not None:
        near = ops.less(ops.abs(ops.subtract(row, column)), window)
        mask = near if mask is None else ops.logical_and(mask, near)
    return ops.expand_dims(mask, 0)


def both(*masks: Any) -> Any:
    """All that all masks have, of those that are not None."""
    found = None
    for mask in masks:
        if mask is not None:
            mask = ops.cast(mask, "bool")
            found = mask if found is None else ops.logical_and(found, mask)
    return found


@export("keras.layers.Attention")
class Attention(Layer):
    """Dot-product attention (Luong et al. 2015), called on [query, value] or [query, value, key], each (batch, time, size).

    score_mode: "dot" for products of query and key, "concat" for a weighted tanh of their sum.

    >>> Attention()([ops.ones((2, 3, 4)), ops.ones((2, 5, 4))]).shape
    (2, 3, 4)
    """

    def __init__(
        self, use_scale: bool = False, score_mode: str = "dot", dropout: float = 0.0, seed: Any = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                f"Invalid value for argument score_mode. Expected one of {{'dot', 'concat'}}. Received: score_mode={score_mode}"
            )
        self.use_scale, self.score_mode, self.dropout, self.seed = use_scale, score_mode, dropout, seed
        if dropout > 0:
            self.seed_generator = SeedGenerator(seed=seed)
        self.scale = self.concat_score_weight = None
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        _checked_inputs(input_shape, None, type(self).__name__)
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones", dtype=self.dtype)
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(name="concat_score_weight", shape=(), initializer="ones", dtype=self.dtype)

    def _scores(self, query: Any, key: Any) -> Any:
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
            return ops.multiply(scores, self.scale) if self.scale is not None else scores
        total = ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3))
        if self.scale is not None:
            total = ops.multiply(self.scale, total)
        return ops.multiply(self.concat_score_weight, ops.sum(ops.tanh(total), axis=-1))

    def _at_once(self, query: Any, key: Any, value: Any, seen: Any, causal: bool) -> Any:
        """The means without the weights; None if scores are no products."""
        if self.score_mode != "dot" or len(query.shape) != 3:
            return None
        one_head = [ops.expand_dims(t, 2) for t in (query, key, value)]
        seen = None if seen is None else ops.expand_dims(seen, 1)
        scale = 1.0 if self.scale is None else ops.convert_to_tensor(self.scale)
        mean = attention_at_once(*one_head, seen, scale, causal, HIDDEN)
        return None if mean is None else ops.squeeze(mean, 2)

    def call(
        self, inputs: Any, mask: Any = None, training: Any = False, return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        _checked_inputs(inputs, mask, type(self).__name__)
        query, value = inputs[0], inputs[1]
        key = inputs[2] if len(inputs) > 2 else value
        query_mask = mask[0] if mask else None
        value_mask = mask[1] if mask else None
        seen = both(ops.expand_dims(value_mask, -2) if value_mask is not None else None)
        dropped = training and self.dropout > 0
        result = weights = None
        if not (dropped or return_attention_scores):
            result = self._at_once(query, key, value, seen, use_causal_mask)
        if result is None:
            scores = self._scores(query, key)
            if use_causal_mask:
                seen = both(seen, causal_mask(scores.shape[-2], scores.shape[-1]))
            weights = masked_softmax(scores, seen)
            if dropped:
                weights = dropout(weights, self.dropout, seed=self.seed_generator)
            result = ops.matmul(weights, value)
        if query_mask is not None:
            result = ops.multiply(result, ops.expand_dims(ops.cast(query_mask, result.dtype), -1))
        return (result, weights) if return_attention_scores else result

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        _checked_inputs(inputs, mask, type(self).__name__)
        return mask[0] if mask and mask[0] is not None else None

    def compute_output_spec(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("mask", None)
        return self._inferred((inputs, *args), kwargs)


def _checked_inputs(inputs: Any, mask: Any, name: str) -> None:
    if not isinstance(inputs, list):
        raise ValueError(
            f"{name} layer must be called on a list of inputs, namely [query, value] or [query, value, key]. Received: "
            f"inputs={inputs}."
        )
    if len(inputs) not in (2, 3):
        raise ValueError(
            f"{name} layer accepts inputs list of length 2 or 3, namely [query, value] or [query, value, key]. Received "
            f"length: {len(inputs)}."
        )
    if mask is not None and (not isinstance(mask, list) or not 2 <= len(mask) <= 3):
        raise ValueError(f"{name} layer mask must be a list of length 2 or 3, namely [query_mask, value_mask]. Received: mask={mask}.")


@export("keras.layers.AdditiveAttention")
class AdditiveAttention(Attention):
    """Additive attention (Bahdanau et al. 2015): scores are weighted sums of tanh(query + key).

    >>> AdditiveAttention()([ops.ones((2, 3, 4)), ops.ones((2, 5, 4))]).shape
    (2, 3, 4)
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any):
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    _not_in_config = ("score_mode",)

    def get_config(self) -> dict:
        return {**super().get_config(), "seed": self.seed}

    def build(self, input_shape: Any) -> None:
        _checked_inputs(input_shape, None, type(self).__name__)
        if self.use_scale:
            size = input_shape[0][-1]
            self.scale = self.add_weight(name="scale", shape=(size,), initializer="glorot_uniform", dtype=self.dtype)

    def _at_once(self, *args: Any) -> None:
        return None

    def _scores(self, query: Any, key: Any) -> Any:
        total = ops.tanh(ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3)))
        return ops.sum(ops.multiply(self.scale, total) if self.scale is not None else total, axis=-1)
