"""LSTM, as a scan over time with the input's projection taken out of the loop."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.engine.control import scan
from kerasish.layers.core import Weighted
from kerasish.layers.input_spec import InputSpec


class LSTMWeights(Weighted):
    """The weights of an LSTM, in the place where files have those of its cell."""

    def __init__(self, layer: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.units, self.use_bias, self.unit_forget_bias = layer.units, layer.use_bias, layer.unit_forget_bias
        for kind in ("kernel", "recurrent", "bias"):
            for role in ("initializer", "regularizer", "constraint"):
                setattr(self, f"{kind}_{role}", getattr(layer, f"{kind}_{role}"))

    def build(self, input_shape: Any) -> None:
        u = self.units
        self.kernel = self._weight("kernel", (input_shape[-1], 4 * u))
        self.recurrent_kernel = self._weight("recurrent_kernel", (u, 4 * u), "recurrent")
        self.bias = None
        if self.use_bias:
            self.bias = self._weight("bias", (4 * u,))
            if self.unit_forget_bias:  # gates stand in the order input, forget, cell, output
                start = self.bias.numpy()
                start[u : 2 * u] = 1.0
                self.bias.assign(start)


@export("keras.layers.LSTM")
class LSTM(Weighted):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), over inputs (batch, time, features)."""

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, kernel_constraint: Any = None,
        recurrent_constraint: Any = None, bias_constraint: Any = None, return_sequences: bool = False,
        return_state: bool = False, go_backwards: bool = False, dropout: float = 0.0, recurrent_dropout: float = 0.0,
        seed: Any = None, stateful: bool = False, unroll: bool = False, use_cudnn: str = "auto",
        zero_output_for_mask: bool = False, activity_regularizer: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if dropout or recurrent_dropout or stateful or zero_output_for_mask:
            raise ValueError(
                "LSTM does not support dropout, recurrent_dropout, stateful and zero_output_for_mask yet. Received: "
                f"dropout={dropout}, recurrent_dropout={recurrent_dropout}, stateful={stateful}, "
                f"zero_output_for_mask={zero_output_for_mask}"
            )
        self.dropout, self.recurrent_dropout, self.seed = dropout, recurrent_dropout, seed
        self.stateful, self.unroll, self.zero_output_for_mask = stateful, unroll, zero_output_for_mask
        if units <= 0:
            raise ValueError(f"Received an invalid value for argument `units`, expected a positive integer, got {units}.")
        self.units, self.use_bias, self.unit_forget_bias = units, use_bias, unit_forget_bias
        self.return_sequences, self.return_state, self.go_backwards = return_sequences, return_state, go_backwards
        self._take(
            activation=activation, recurrent_activation=recurrent_activation, kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer, kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip
        self.cell = LSTMWeights(self, name="lstm_cell")
        self.supports_masking = True
        self.input_spec = InputSpec(ndim=3)

    _not_in_config = ("use_cudnn",)

    def build(self, input_shape: Any) -> None:
        self.cell.build((input_shape[0], input_shape[-1]))

    @property
    def kernel(self) -> Any:
        return self.cell.kernel

    @property
    def recurrent_kernel(self) -> Any:
        return self.cell.recurrent_kernel

    @property
    def bias(self) -> Any:
        return self.cell.bias

    def call(self, inputs: Any, initial_state: Any = None, mask: Any = None, training: Any = None) -> Any:
        u, batch = self.units, inputs.shape[0]
        x = ops.matmul(inputs, self.kernel)
        if self.bias is not None:
            x = ops.add(x, self.bias)
        x = ops.transpose(x, (1, 0, 2))
        if initial_state is None:
            h = c = ops.zeros((batch, u), dtype=x.dtype)
        else:
            h, c = (ops.cast(s, x.dtype) for s in initial_state)
        steps: Any = x
        if mask is not None:
            keep = ops.cast(ops.expand_dims(ops.transpose(ops.cast(mask, "bool")), -1), x.dtype)
            steps = (x, keep)

        def step(carry: tuple, row: Any) -> tuple:
            h, c = carry
            z = (row[0] if mask is not None else row) + ops.matmul(h, self.recurrent_kernel)
            i, f, g, o = (z[:, k * u : (k + 1) * u] for k in range(4))
            gate = self.recurrent_activation
            c_new = gate(f) * c + gate(i) * self.activation(g)
            h_new = gate(o) * self.activation(c_new)
            if mask is not None:  # a masked step leaves the state as it was
                m = row[1]
                c_new, h_new = m * c_new + (1 - m) * c, m * h_new + (1 - m) * h
            return (h_new, c_new), h_new

        (h, c), hs = scan(step, (h, c), steps, reverse=self.go_backwards)
        if self.return_sequences:
            if self.go_backwards:
                hs = ops.flip(hs, axis=0)
            out = ops.transpose(hs, (1, 0, 2))
        else:
            out = h
        return (out, h, c) if self.return_state else out

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        return mask if self.return_sequences else None
