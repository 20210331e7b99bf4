"""Attention by several heads, over learnt projections of query, key and value."""

import string
from typing import Any

from kerasish import initializers, ops
from kerasish.base.registry import export
from kerasish.layers.attention import HIDDEN, both, causal_mask, masked_softmax
from kerasish.layers.core import Dropout, Softmax, Weighted
from kerasish.layers.einsum_dense import EinsumDense
from kerasish.ops.nn.attention import attention_at_once


class ProjectedAttention(Weighted):
    """What attention with learnt projections shares: its arguments, masks and the mean itself."""

    def _start(self, **given: Any) -> None:
        self._take(**given)
        self._softmax = Softmax(axis=-1, dtype=self.dtype_policy)
        self._dropout_layer = Dropout(rate=self.dropout, dtype=self.dtype_policy, seed=self.seed)
        self.supports_masking = True

    def _projection(self, equation: str, output_shape: tuple, bias_axes: str, name: str) -> EinsumDense:
        """A dense layer that draws its own start, as its initializer says."""
        parts = {
            k: getattr(self, k) for k in ("kernel_regularizer", "bias_regularizer", "kernel_constraint", "bias_constraint")
        }
        return EinsumDense(
            equation, output_shape, bias_axes=bias_axes if self.use_bias else None, name=name, dtype=self.dtype_policy,
            kernel_initializer=_copied(self.kernel_initializer), bias_initializer=_copied(self.bias_initializer),
            activity_regularizer=self.activity_regularizer, **parts,
        )  # fmt: skip

    def _mask(
        self, query: Any, value: Any, value_mask: Any, key_mask: Any, attention_mask: Any, causal: bool
    ) -> Any:
        """What may be looked at, but for what `causal` alone hides, or None."""
        mask = both(
            attention_mask,  # what masked queries look at does not matter: the output carries their mask
            ops.expand_dims(value_mask, -2) if value_mask is not None else None,
            ops.expand_dims(key_mask, -2) if key_mask is not None else None,
        )
        if self.sliding_window is not None:
            mask = both(mask, causal_mask(query.shape[1], value.shape[1], self.sliding_window, causal))
        return mask

    def _mean(
        self, q: Any, k: Any, v: Any, axes: tuple, mask: Any, causal: bool, training: Any, scores: bool
    ) -> tuple[Any, Any]:
        """The weighted means of v, in the axes of q, and the weights if `scores` are wanted: as `_weighted` has them."""
        if axes == (1,) and len(q.shape) == 4 and not scores and not (training and self.dropout > 0):
            seen = mask if mask is None or len(mask.shape) != 3 else ops.expand_dims(mask, 1)
            scale = 1.0 / q.shape[-1] ** 0.5
            mean = attention_at_once(q, k, v, seen, scale, causal and self.sliding_window is None, HIDDEN)
            if mean is not None:
                return mean, None
        if causal and self.sliding_window is None:
            mask = both(mask, causal_mask(q.shape[1], k.shape[1]))
        return self._weighted(q, k, v, axes, mask, training)

    def _weighted(self, q: Any, k: Any, v: Any, axes: tuple, mask: Any, training: Any) -> tuple[Any, Any]:
        """The weighted means of v, in the axes of q, and the weights (*batch, heads, *targets, *sources).

        q, k, v: (*axes of the input but the last, heads, size); attention is over `axes`.
        """
        rank = len(q.shape)
        batch = [a for a in range(rank - 2) if a not in axes]
        order = (*batch, rank - 2, *axes, rank - 1)
        flat, shapes = [], []
        for t in (q, k, v):
            t = ops.transpose(t, order)
            lead = t.shape[: len(batch) + 1]
            shapes.append(tuple(t.shape[len(batch) + 1 : -1]))
            flat.append(ops.reshape(t, (*lead, -1, t.shape[-1])) if len(axes) > 1 else t)
        last = len(flat[1].shape) - 1
        swapped = (*range(last - 1), last, last - 1)
        scale = ops.cast(1.0 / q.shape[-1] ** 0.5, q.dtype)
        scores = ops.matmul(ops.multiply(flat[0], scale), ops.transpose(flat[1], swapped))
        if len(axes) > 1:
            scores = ops.reshape(scores, (*scores.shape[:-2], *shapes[0], *shapes[1]))
        if mask is not None:
            while len(mask.shape) < len(scores.shape):
                mask = ops.expand_dims(mask, -2 * len(axes) - 1)
        if len(axes) > 1:
            whole = tuple(scores.shape)
            inside = len(whole) - len(axes)
            scores = ops.reshape(scores, (*whole[:inside], -1))
            if mask is not None:
                mask = ops.reshape(ops.broadcast_to(mask, whole), tuple(scores.shape))
            weights = ops.reshape(masked_softmax(scores, mask), whole)
        else:
            weights = masked_softmax(scores, mask)
        kept = self._dropout_layer(weights, training=training)
        if len(axes) > 1:
            kept = ops.reshape(kept, (*flat[0].shape[:-1], -1))
        mean = ops.matmul(kept, flat[2])
        if len(axes) > 1:
            mean = ops.reshape(mean, (*mean.shape[:-2], *shapes[0], mean.shape[-1]))
        back = tuple(order.index(a) for a in range(rank))
        return ops.transpose(mean, back), weights

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return mask

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        return self._inferred(args, kwargs)

    def _saveable_children(self) -> list[tuple[str, Any]]:
        public = ("_query_dense", "_key_dense", "_value_dense", "_output_dense")  # files have them without the underscore
        children = [(n.removeprefix("_") if n in public else n, child) for n, child in super()._saveable_children()]
        return sorted(children, key=lambda item: f"~{item[0]}" if item[0].startswith("_") else item[0])


def _copied(initializer: Any) -> Any:
    """An initializer of the same kind; seedless ones draw anew."""
    return initializers.deserialize(initializers.serialize(initializer))


def _letters(count: int, start: int) -> str:
    return string.ascii_lowercase[start : start + count]


@export("keras.layers.MultiHeadAttention")
class MultiHeadAttention(ProjectedAttention):
    """Attention by several heads, each over its own projections of query, key and value (Vaswani et al. 2017).

    Called as layer(query, value, key=value): each (batch, time, size), or with several axes of time (`attention_axes`).
    Masks are True where there is something to look at: query_mask, value_mask and key_mask (batch, time), attention_mask
    (batch, targets, sources).

    >>> MultiHeadAttention(num_heads=2, key_dim=3)(ops.ones((2, 4, 8)), ops.ones((2, 6, 8))).shape
    (2, 4, 8)
    """

    def __init__(
        self, num_heads: int, key_dim: int, value_dim: int | None = None, dropout: float = 0.0, use_bias: bool = True,
        output_shape: Any = None, attention_axes: Any = None, sliding_window: int | None = None,
        flash_attention: bool | None = None, kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None, use_gate: bool = False, seed: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.num_heads, self.key_dim, self.value_dim = num_heads, key_dim, value_dim or key_dim
        self.dropout, self.use_bias, self.use_gate, self.seed = dropout, use_bias, use_gate, seed
        if output_shape is not None and not isinstance(output_shape, (int, tuple, list)):
            raise ValueError(
                f"Invalid `output_shape`: {output_shape}. When specified, the `output_shape` should be of type tuple, list, or int."
            )
        self.output_shape_given = (output_shape,) if isinstance(output_shape, int) else output_shape and tuple(output_shape)
        axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
        self.attention_axes = None if axes is None else tuple(axes)
        if sliding_window is not None and (not isinstance(sliding_window, int) or sliding_window <= 0):
            raise ValueError(f"`sliding_window` must be a positive integer. Received: sliding_window={sliding_window}")
        self.sliding_window = sliding_window
        if flash_attention:
            raise ValueError("Flash attention is not available here. Leave `flash_attention` out.")
        self._start(
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip

    _not_in_config = ("flash_attention", "output_shape")

    def get_config(self) -> dict:
        config = super().get_config()
        return {"activity_regularizer": None, **config, "output_shape": self.output_shape_given}

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        key_shape = key_shape or value_shape
        rank = len(query_shape)
        if value_shape[1:-1] != key_shape[1:-1]:
            raise ValueError(
                "All dimensions of `value` and `key`, except the last one, must be equal. Received: "
                f"value_shape={value_shape} and key_shape={key_shape}"
            )
        axes = self.attention_axes
        self.attention_axes = tuple(range(1, rank - 1)) if axes is None else tuple(a % rank for a in axes)
        free, bound, heads = _letters(rank - 1, 0), _letters(1, rank - 1), _letters(2, rank)
        equation = f"{free}{bound},{bound}{heads}->{free}{heads}"

        def project(size: int, name: str) -> EinsumDense:
            return self._projection(equation, (*[None] * (rank - 2), self.num_heads, size), heads, name)

        self._query_dense = project(self.key_dim, "query")
        self._query_dense.build(query_shape)
        self._key_dense = project(self.key_dim, "key")
        self._key_dense.build(key_shape)
        if self.use_gate:
            self._gate_dense = project(self.value_dim, "gate")
            self._gate_dense.build(query_shape)
        self._value_dense = project(self.value_dim, "value")
        self._value_dense.build(value_shape)
        out = self.output_shape_given or (query_shape[-1],)
        free, bound, new = _letters(rank - 1, 0), _letters(2, rank - 1), _letters(len(out), rank + 1)
        equation = f"{free}{bound},{bound}{new}->{free}{new}"
        self._output_dense = self._projection(equation, (*[None] * (rank - 2), *out), new, "attention_output")
        self._output_dense.build((*query_shape[:-1], self.num_heads, self.value_dim))

    def call(
        self, query: Any, value: Any, key: Any = None, query_mask: Any = None, value_mask: Any = None, key_mask: Any = None,
        attention_mask: Any = None, return_attention_scores: bool = False, training: Any = None, use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        key = value if key is None else key
        mask = self._mask(query, value, value_mask, key_mask, attention_mask, use_causal_mask)
        q, k, v = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        mean, weights = self._mean(
            q, k, v, self.attention_axes, mask, use_causal_mask, training, return_attention_scores
        )
        if self.use_gate:
            mean = ops.multiply(mean, ops.sigmoid(self._gate_dense(query)))
        result = self._output_dense(mean)
        return (result, weights) if return_attention_scores else result

    @property
    def query_dense(self) -> EinsumDense:
        return self._query_dense

    @property
    def key_dense(self) -> EinsumDense:
        return self._key_dense

    @property
    def value_dense(self) -> EinsumDense:
        return self._value_dense

    @property
    def output_dense(self) -> EinsumDense:
        return self._output_dense


@export("keras.layers.GroupQueryAttention")
class GroupedQueryAttention(ProjectedAttention):
    """Attention in which several heads of the query share a head of key and value (Ainslie et al. 2023).

    >>> GroupedQueryAttention(head_dim=3, num_query_heads=4, num_key_value_heads=2)(ops.ones((2, 5, 8)), ops.ones((2, 6, 8))).shape
    (2, 5, 8)
    """

    def __init__(
        self, head_dim: int, num_query_heads: int, num_key_value_heads: int, dropout: float = 0.0, use_bias: bool = True,
        sliding_window: int | None = None, flash_attention: bool | None = None, kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None,
        use_gate: bool = False, seed: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if num_query_heads % num_key_value_heads:
            raise ValueError(
                "`num_query_heads` must be divisible by `num_key_value_heads`. Received: "
                f"num_query_heads={num_query_heads}, num_key_value_heads={num_key_value_heads}"
            )
        self.head_dim, self.num_query_heads, self.num_key_value_heads = head_dim, num_query_heads, num_key_value_heads
        self.dropout, self.use_bias, self.use_gate, self.seed = dropout, use_bias, use_gate, seed
        self.sliding_window = sliding_window
        if flash_attention:
            raise ValueError("Flash attention is not available here. Leave `flash_attention` out.")
        self._start(
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer, kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip

    _not_in_config = ("flash_attention",)

    def get_config(self) -> dict:
        return {"activity_regularizer": None, **super().get_config()}

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        key_shape = key_shape or value_shape

        def project(heads: int, name: str, shape: Any) -> EinsumDense:
            dense = self._projection("abc,cde->abde", (None, heads, self.head_dim), "de", name)
            dense.build(shape)
            return dense

        self._query_dense = project(self.num_query_heads, "query", query_shape)
        self._key_dense = project(self.num_key_value_heads, "key", key_shape)
        if self.use_gate:
            self._gate_dense = project(self.num_query_heads, "gate", query_shape)
        self._value_dense = project(self.num_key_value_heads, "value", value_shape)
        self._output_dense = self._projection("abde,dec->abc", (None, query_shape[-1]), "c", "attention_output")
        self._output_dense.build((*query_shape[:2], self.num_query_heads, self.head_dim))

    def call(
        self, query: Any, value: Any, key: Any = None, query_mask: Any = None, value_mask: Any = None, key_mask: Any = None,
        attention_mask: Any = None, return_attention_scores: bool = False, training: Any = None, use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        key = value if key is None else key
        mask = self._mask(query, value, value_mask, key_mask, attention_mask, use_causal_mask)
        share = self.num_query_heads // self.num_key_value_heads
        q = self._query_dense(query)
        k, v = (ops.repeat(t, share, axis=2) for t in (self._key_dense(key), self._value_dense(value)))
        mean, weights = self._mean(q, k, v, (1,), mask, use_causal_mask, training, return_attention_scores)
        if self.use_gate:
            mean = ops.multiply(mean, ops.sigmoid(self._gate_dense(query)))
        result = self._output_dense(mean)
        return (result, weights) if return_attention_scores else result
