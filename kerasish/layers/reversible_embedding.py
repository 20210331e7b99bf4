"""ReversibleEmbedding: an embedding that can turn vectors into scores of tokens."""

from typing import Any

from kerasish import dtype_policies, ops
from kerasish.base.registry import export
from kerasish.layers.core import Embedding


@export("keras.layers.ReversibleEmbedding")
class ReversibleEmbedding(Embedding):
    """An embedding whose `reverse=True` gives logits over the vocabulary for vectors (..., output_dim).

    >>> layer = ReversibleEmbedding(5, 3)
    >>> layer(layer(ops.array([[1, 2]])), reverse=True).shape
    (1, 2, 5)
    """

    def __init__(
        self, input_dim: int, output_dim: int, tie_weights: bool = True, embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None, embeddings_constraint: Any = None, mask_zero: bool = False,
        reverse_dtype: Any = None, logit_soft_cap: float | None = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(
            input_dim, output_dim, embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer, embeddings_constraint=embeddings_constraint, mask_zero=mask_zero,
            **kwargs,
        )  # fmt: skip
        self.tie_weights, self.reverse_dtype, self.logit_soft_cap = tie_weights, reverse_dtype, logit_soft_cap

    def get_config(self) -> dict:
        return {**super().get_config(), "quantization_config": None}

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                name="reverse_embeddings", shape=(self.output_dim, self.input_dim), initializer=self.embeddings_initializer
            )

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        if not reverse:
            return super().call(inputs)
        kernel = ops.transpose(ops.convert_to_tensor(self.embeddings)) if self.tie_weights else self.reverse_embeddings
        if self.reverse_dtype is not None:
            dtype = dtype_policies.get(self.reverse_dtype).compute_dtype
            inputs, kernel = ops.cast(inputs, dtype), ops.cast(kernel, dtype)
        logits = ops.matmul(inputs, kernel)
        if self.logit_soft_cap is not None:
            cap = self.logit_soft_cap
            logits = ops.multiply(ops.tanh(ops.divide(logits, cap)), cap)
        return logits

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return super().compute_mask(inputs, mask) if not str(inputs.dtype).startswith("float") else mask

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        return self._inferred(args, kwargs)

    def compute_output_shape(self, input_shape: Any, reverse: bool = False) -> tuple:
        return (*input_shape[:-1], self.input_dim) if reverse else (*input_shape, self.output_dim)
