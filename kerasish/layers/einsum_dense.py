"""EinsumDense: a dense layer over any axes."""

import re
from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.core import Weighted, unquantized
from kerasish.layers.lora import LowRankKernel


@export("keras.layers.EinsumDense")
class EinsumDense(LowRankKernel, Weighted):
    """activation(einsum(equation, inputs, kernel) + bias).

    equation:     such as "abc,cd->abd"; an ellipsis before or after the letters stands for any axes.
    output_shape: the shape of the output without the batch axis; None for sizes that the input decides.
    bias_axes:    the letters of the output that the bias has; None for no bias.

    >>> EinsumDense("abc,cd->abd", output_shape=(None, 4), bias_axes="d")(ops.ones((2, 3, 5))).shape
    (2, 3, 4)
    """

    def __init__(
        self, equation: str, output_shape: Any, activation: Any = None, bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        bias_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None,
        lora_rank: int | None = None, lora_alpha: int | None = None, gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.quantization_config = unquantized(quantization_config)
        self._take_lora(lora_rank, lora_alpha)
        self.equation, self.bias_axes = equation, bias_axes
        self.output_shape_given = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self._take(
            activation=activation, kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip

    _not_in_config = ("lora_rank", "lora_alpha", "gptq_unpacked_column_size", "output_shape")

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "output_shape": self.output_shape_given,
            "activity_regularizer": super().get_config().get("activity_regularizer"),
        }

    def build(self, input_shape: Any) -> None:
        kernel, bias = einsum_shapes(self.equation, self.bias_axes, tuple(input_shape), self.output_shape_given)
        self._kernel = self._weight("kernel", kernel)
        self.bias = self._weight("bias", bias) if bias is not None else None
        self._enable_lora_if_asked()

    def call(self, inputs: Any, training: Any = None) -> Any:
        y = ops.einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            y = ops.add(y, self.bias)
        return self.activation(y)


def einsum_shapes(equation: str, bias_axes: str | None, input_shape: tuple, output_shape: tuple) -> tuple[tuple, Any]:
    """The shapes of the kernel and of the bias (or None)."""
    text = equation.replace(" ", "")
    match = re.fullmatch(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?", text)
    if match is None:
        raise ValueError(
            f"Invalid einsum equation '{equation}'. Equations must be in the form [X],[Y]->[Z], ...[X],[Y]->...[Z], or "
            "[X]...,[Y]->[Z]...."
        )
    before, inner, after, kernel, _, outer, _ = match.groups()
    free = len(input_shape) - len(inner)
    if free < 0 or (free and not (before or after)):
        raise ValueError(f"Input shape {input_shape} does not have the axes of equation '{equation}'.")
    sizes = dict(zip(inner, input_shape[free:] if before else input_shape, strict=False))
    # the output's own letters stand at its end with a leading ellipsis, else from the start; the batch is left out
    given = output_shape if before else ((input_shape[0], *output_shape) if len(outer) > len(output_shape) else output_shape)
    wanted = dict(zip(outer[::-1], given[::-1], strict=False)) if before else dict(zip(outer, given, strict=False))
    for letter in outer:
        size = wanted.get(letter)
        if letter in sizes and size is not None and sizes[letter] not in (None, size):
            raise ValueError(
                f"Input shape and output shape do not match at shared dimension '{letter}'. Input shape is "
                f"{sizes[letter]}, and output shape is {size}."
            )
    for letter in kernel:
        if letter not in sizes and letter not in wanted:
            raise ValueError(
                f"Weight dimension '{letter}' did not have a match in either the input spec '{inner}' or the output spec "
                f"'{outer}'. For this layer, the weight must be fully specified."
            )
    shape = tuple(sizes[c] if sizes.get(c) is not None else wanted.get(c) for c in kernel)
    if any(d is None for d in shape):
        raise ValueError(f"The kernel of '{equation}' has axes of unknown size: {shape}. Give them in `output_shape`.")
    if not bias_axes:
        return shape, None
    for letter in bias_axes:
        if letter not in outer:
            raise ValueError(f"Bias dimension '{letter}' was requested, but is not part of the output spec '{outer}'")
    first = min(outer.index(c) for c in bias_axes)
    bias = tuple((wanted.get(c) or sizes.get(c)) if c in bias_axes else 1 for c in outer[first:])
    return shape, bias
