"""Integers as one-hot, multi-hot or count vectors."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.layer import Layer
from kerasish.layers.preprocessing.encoding import check_no_sparse, encode, encoded_shape


@export("keras.layers.CategoryEncoding")
class CategoryEncoding(Layer):
    """Category numbers 0 … num_tokens - 1 as vectors of that length.

    output_mode: "one_hot": a vector for each number; "multi_hot": one for each row, with ones at its numbers; "count": one
                 for each row, with how often each number is in it, or with the sums of `count_weights` of the call.

    Numbers out of range count nowhere.

    >>> CategoryEncoding(num_tokens=4, output_mode="count")([[0, 1], [3, 3]]).tolist()
    [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 2.0]]
    """

    _not_in_config = ("sparse",)

    def __init__(self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        if output_mode == "binary":  # as it was once called
            output_mode = "multi_hot"
        if output_mode not in ("count", "one_hot", "multi_hot"):
            raise ValueError(f"Unknown arg for output_mode: {output_mode}. Use 'one_hot', 'multi_hot' or 'count'.")
        if num_tokens is None:
            raise ValueError(
                "num_tokens must be set to use this layer. If the number of tokens is not known beforehand, use the "
                "IntegerLookup layer instead."
            )
        if num_tokens < 1:
            raise ValueError(f"`num_tokens` must be >= 1. Received: num_tokens={num_tokens}.")
        self.num_tokens, self.output_mode, self.sparse = num_tokens, output_mode, check_no_sparse(sparse)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(inputs, (list, tuple)) or hasattr(inputs, "to_numpy"):
            inputs = ops.convert_to_tensor(inputs.to_numpy() if hasattr(inputs, "to_numpy") else inputs)
        return super().__call__(inputs, *args, **kwargs)

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        if count_weights is not None:
            if self.output_mode != "count":
                raise ValueError(
                    "`count_weights` is not used when `output_mode` is not `'count'`. Received "
                    f"`count_weights={count_weights}`."
                )
            count_weights = ops.cast(count_weights, self.compute_dtype)
        indices = ops.cast(inputs, "int32")
        return encode(indices, self.output_mode, self.num_tokens, self.compute_dtype, count_weights)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape, self.output_mode, self.num_tokens)
