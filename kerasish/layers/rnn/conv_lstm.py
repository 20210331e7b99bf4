"""Convolutional LSTMs: gates are convolutions (Shi et al. 2015)."""

from typing import Any

from kerasish import activations, constraints, initializers, ops, regularizers
from kerasish.base import config
from kerasish.base.registry import export
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.rnn.cells import DropoutCell
from kerasish.layers.rnn.rnn import RNN
from kerasish.layers.spatial import padding_name, per_axis, positive, windows_along


class ConvLSTMCell(DropoutCell):
    """A step of a convolutional LSTM of any rank."""

    gates = 4
    implementation = 1

    def __init__(self, rank: int, layer: "ConvLSTM", units: int, dropout: float, recurrent_dropout: float, seed: Any, **kwargs: Any):
        super().__init__(name="conv_lstm_cell", **kwargs)
        self.rank = rank
        for name in (
            "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "use_bias", "unit_forget_bias",
        ):  # fmt: skip
            setattr(self, name, getattr(layer, name))
        taken = {
            f"{kind}_{role}": getattr(layer, f"{kind}_{role}")
            for kind in ("kernel", "recurrent", "bias")
            for role in ("initializer", "regularizer", "constraint")
        }
        self._begin(
            units, dropout, recurrent_dropout, seed, activation=layer.activation,
            recurrent_activation=layer.recurrent_activation, **taken,
        )  # fmt: skip
        self.state_size = [units, units]

    def build(self, input_shape: Any) -> None:
        first = self.data_format == "channels_first"
        channels = input_shape[1] if first else input_shape[-1]
        self.kernel = self._weight("kernel", (*self.kernel_size, channels, 4 * self.filters))
        self.recurrent_kernel = self._weight("recurrent_kernel", (*self.kernel_size, self.filters, 4 * self.filters), "recurrent")
        self.bias = self._weight("bias", (4 * self.filters,)) if self.use_bias else None
        if self.use_bias and self.unit_forget_bias:
            start = self.bias.numpy()
            start[self.filters : 2 * self.filters] = 1.0
            self.bias.assign(start)
        spatial = tuple(input_shape[2:] if first else input_shape[1:-1])
        if None in spatial:
            raise ValueError(
                "ConvLSTM layers only support static input shapes for the spatial dimensions. Received: "
                f"input_shape={tuple(input_shape)}"
            )
        reach = [(k - 1) * e + 1 for k, e in zip(self.kernel_size, self.dilation_rate, strict=True)]
        sizes = [windows_along(*along, self.padding) for along in zip(spatial, reach, self.strides, strict=True)]
        self.state_shape = (self.filters, *sizes) if first else (*sizes, self.filters)

    def get_initial_state(self, batch_size: Any = None) -> list:
        return [ops.zeros((batch_size, *self.state_shape), dtype=self.compute_dtype) for _ in range(2)]

    def _convolved(self, x: Any, kernel: Any, mask: Any, **options: Any) -> Any:
        """The convolution of x (..., *one step), dropped out, for each gate apart since each has a mask of its own."""
        if mask is not None:
            kernel = ops.convert_to_tensor(kernel)
            parts = [
                self._convolved(ops.multiply(x, mask[k]), kernel[..., k * self.filters : (k + 1) * self.filters], None, **options)
                for k in range(self.gates)
            ]
            return ops.concatenate(parts, axis=self._channels(len(x.shape)))
        lead = x.shape[: len(x.shape) - self.rank - 1]
        y = ops.conv(ops.reshape(x, (-1, *x.shape[len(lead) :])), kernel, data_format=self.data_format, **options)
        return ops.reshape(y, (-1, *lead[1:], *y.shape[1:]))

    def _channels(self, axes: int) -> int:
        """The axis of the channels, of so many."""
        return axes - self.rank - 1 if self.data_format == "channels_first" else axes - 1

    def project(self, inputs: Any, training: Any) -> Any:
        """Convolve all steps at once: inputs (batch, time, ...), or one step."""
        mask = self._drawn("inputs", self.dropout, training)
        x = self._convolved(
            inputs, self.kernel, mask, strides=self.strides, padding=self.padding, dilation_rate=self.dilation_rate
        )
        if self.bias is None:
            return x
        return ops.add(x, ops.reshape(self.bias, (-1, *[1] * (len(x.shape) - 1 - self._channels(len(x.shape))))))

    def step(self, x: Any, states: list, training: Any) -> list:
        h, c = states
        mask = self._drawn("state", self.recurrent_dropout, training)
        z = ops.add(x, self._convolved(h, self.recurrent_kernel, mask, strides=1, padding="same"))
        i, f, g, o = ops.split(z, 4, axis=self._channels(len(z.shape)))
        gate = self.recurrent_activation
        c = ops.add(ops.multiply(gate(f), c), ops.multiply(gate(i), self.activation(g)))
        return [ops.multiply(gate(o), self.activation(c)), c]


class ConvLSTM(RNN):
    """A convolutional LSTM of any rank: subclasses say which."""

    rank = 2

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
        dilation_rate: Any = 1, activation: Any = "tanh", recurrent_activation: Any = "sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None, bias_constraint: Any = None,
        dropout: float = 0.0, recurrent_dropout: float = 0.0, seed: Any = None, return_sequences: bool = False,
        return_state: bool = False, go_backwards: bool = False, stateful: bool = False, **kwargs: Any,
    ):  # fmt: skip
        self.filters = positive(filters, "filters")
        self.kernel_size = per_axis(kernel_size, self.rank, "kernel_size")
        self.strides = per_axis(strides, self.rank, "strides")
        self.dilation_rate = per_axis(dilation_rate, self.rank, "dilation_rate")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "Specifying `strides > 1` is not compatible with `dilation_rate > 1`. Received: "
                f"strides={self.strides} and dilation_rate={self.dilation_rate}"
            )
        self.padding, self.data_format = padding_name(padding), config.standardize_data_format(data_format)
        self.use_bias, self.unit_forget_bias = use_bias, unit_forget_bias
        self.activation, self.recurrent_activation = activations.get(activation), activations.get(recurrent_activation)
        for kind, found in (
            ("kernel", (kernel_initializer, kernel_regularizer, kernel_constraint)),
            ("recurrent", (recurrent_initializer, recurrent_regularizer, recurrent_constraint)),
            ("bias", (bias_initializer, bias_regularizer, bias_constraint)),
        ):
            setattr(self, f"{kind}_initializer", initializers.get(found[0]))
            setattr(self, f"{kind}_regularizer", regularizers.get(found[1]))
            setattr(self, f"{kind}_constraint", constraints.get(found[2]))
        self.dropout, self.recurrent_dropout, self.seed = dropout, recurrent_dropout, seed
        cell = ConvLSTMCell(
            self.rank, self, filters, dropout, recurrent_dropout, seed, dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
        )  # fmt: skip
        super().__init__(
            cell, return_sequences=return_sequences, return_state=return_state, go_backwards=go_backwards,
            stateful=stateful, activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.input_spec = [InputSpec(ndim=self.rank + 3)]

    _not_in_config = ("cell",)

    def get_config(self) -> dict:
        return {"activity_regularizer": None, **super().get_config(), "unroll": self.unroll}


@export("keras.layers.ConvLSTM1D")
class ConvLSTM1D(ConvLSTM):
    """A convolutional LSTM over sequences of lines (batch, time, steps, channels).

    >>> ConvLSTM1D(4, 3)(ops.ones((2, 3, 6, 1))).shape
    (2, 4, 4)
    """

    rank = 1


@export("keras.layers.ConvLSTM2D")
class ConvLSTM2D(ConvLSTM):
    """A convolutional LSTM over sequences of images (batch, time, rows, columns, channels).

    >>> ConvLSTM2D(4, 3)(ops.ones((2, 3, 6, 6, 1))).shape
    (2, 4, 4, 4)
    """

    rank = 2


@export("keras.layers.ConvLSTM3D")
class ConvLSTM3D(ConvLSTM):
    """A convolutional LSTM over sequences of volumes.

    >>> ConvLSTM3D(2, 2)(ops.ones((1, 2, 3, 3, 3, 1))).shape
    (1, 2, 2, 2, 2)
    """

    rank = 3
