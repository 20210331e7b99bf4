"""Convolution layers, and what all kinds of convolution share."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.lora import LowRankKernel
from kerasish.layers.spatial import Spatial, padding_name, per_axis, positive


class Convolution(Spatial):
    """The base of all convolutions: a window that moves, then a bias and an activation."""

    def _take_window(
        self, kernel_size: Any, strides: Any, padding: str, data_format: str | None, dilation_rate: Any, *more: str
    ) -> None:
        self.kernel_size = per_axis(kernel_size, self.rank, "kernel_size")
        self.strides = per_axis(strides, self.rank, "strides")
        self.dilation_rate = per_axis(dilation_rate, self.rank, "dilation_rate")
        self.padding = padding_name(padding, *more)
        self._take_format(data_format, min_ndim=self.rank + 2)

    def _not_both_apart(self) -> None:
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: strides={self.strides} "
                f"and dilation_rate={self.dilation_rate}"
            )

    def _channels(self, input_shape: Any) -> int:
        """The number of channels of the inputs, which from now on all inputs must have."""
        _, channels = self._split(input_shape)
        if channels is None:
            raise ValueError(
                f"The channel axis of the inputs to {type(self).__name__} must be known. Received: input_shape={input_shape}"
            )
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={self._channel_axis: channels})
        return channels

    def _finished(self, outputs: Any) -> Any:
        """With bias and activation."""
        if self.bias is not None:
            bias = self.bias
            if self.data_format == "channels_first":
                bias = ops.reshape(bias, (1, bias.shape[0], *[1] * self.rank))
            outputs = ops.add(outputs, bias)
        return self.activation(outputs)

    def _convolved_shape(self, input_shape: Any, filters: int) -> tuple:
        reach = tuple((k - 1) * e + 1 for k, e in zip(self.kernel_size, self.dilation_rate, strict=True))
        return self._joined(input_shape[0], self._windows(input_shape, reach, self.strides, self.padding), filters)


class BaseConv(LowRankKernel, Convolution):
    """A convolution: subclasses say of what rank.

    filters:       the number of channels of the outputs.
    kernel_size:   the window's size: an int, or one for each axis; likewise `strides` and `dilation_rate`.
    padding:       "valid" (none), "same" (as many windows as there are strides in the input), and in one dimension
                   "causal" (a step sees no later one).
    groups:        in so many groups the channels are convolved separately.
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
        dilation_rate: Any = 1, groups: int = 1, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, lora_rank: int | None = None, lora_alpha: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters, self.groups, self.use_bias = positive(filters, "filters"), positive(groups, "groups"), use_bias
        if self.filters % self.groups:
            raise ValueError(
                "The number of filters must be evenly divisible by the number of groups. "
                f"Received: groups={groups}, filters={filters}."
            )
        self._take_window(
            kernel_size, strides, padding, data_format, dilation_rate, *(["causal"] if self.rank == 1 else [])
        )
        self._not_both_apart()
        self._take(
            activation=activation, kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip
        self._take_lora(lora_rank, lora_alpha)

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                "The number of input channels must be evenly divisible by the number of groups. "
                f"Received groups={self.groups}, but the input has {channels} channels (full input shape is {input_shape})."
            )
        self.compute_output_shape(input_shape)  # which checks that the kernel fits
        self._kernel = self._weight("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self.bias = self._weight("bias", (self.filters,)) if self.use_bias else None
        self._enable_lora_if_asked()

    def call(self, inputs: Any) -> Any:
        return self._finished(self.convolution_op(inputs, self.kernel))

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The convolution alone: subclasses may convolve differently, or with another kernel."""
        padding = self.padding
        if padding == "causal":
            reach = (self.kernel_size[0] - 1) * self.dilation_rate[0]
            inputs, padding = ops.pad(inputs, self._joined((0, 0), [(reach, 0)], (0, 0))), "valid"
        return ops.conv(
            inputs, kernel, strides=self.strides, padding=padding, data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )  # fmt: skip

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return self._convolved_shape(input_shape, self.filters)


@export("keras.layers.Conv1D", "keras.layers.Convolution1D")
class Conv1D(BaseConv):
    """Convolution over sequences (batch, steps, channels).

    >>> Conv1D(4, 3, padding="causal")(ops.ones((2, 8, 5))).shape
    (2, 8, 4)
    """

    rank = 1


@export("keras.layers.Conv2D", "keras.layers.Convolution2D")
class Conv2D(BaseConv):
    """Convolution over images (batch, height, width, channels).

    >>> Conv2D(4, 3, strides=2, padding="same", activation="relu")(ops.ones((2, 8, 8, 3))).shape
    (2, 4, 4, 4)
    """

    rank = 2


@export("keras.layers.Conv3D", "keras.layers.Convolution3D")
class Conv3D(BaseConv):
    """Convolution over volumes (batch, depth, height, width, channels).

    >>> Conv3D(4, 2)(ops.ones((1, 4, 4, 4, 2))).shape
    (1, 3, 3, 3, 4)
    """

    rank = 3
