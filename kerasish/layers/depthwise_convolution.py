"""Convolution of each channel by itself, alone and followed by a mixing of the channels."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.convolution import Convolution
from kerasish.layers.spatial import positive


class BaseDepthwiseConv(Convolution):
    """A convolution of each channel with kernels of its own: subclasses say of what rank.

    kernel_size:       the window's size: an int, or one for each axis; likewise `strides` and `dilation_rate`.
    depth_multiplier:  how many kernels each channel has, and how many channels it becomes.
    padding:           "valid" or "same".
    """

    def __init__(
        self, kernel_size: Any, strides: Any = 1, padding: str = "valid", depth_multiplier: int = 1,
        data_format: str | None = None, dilation_rate: Any = 1, activation: Any = None, use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        depthwise_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.depth_multiplier, self.use_bias = positive(depth_multiplier, "depth_multiplier"), use_bias
        self._take_window(kernel_size, strides, padding, data_format, dilation_rate)
        self._take(
            activation=activation, depthwise_initializer=depthwise_initializer, bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer, bias_regularizer=bias_regularizer,
            depthwise_constraint=depthwise_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self.compute_output_shape(input_shape)  # which checks that the kernel fits
        self.kernel = self._weight("kernel", (*self.kernel_size, channels, self.depth_multiplier), "depthwise")
        self.bias = self._weight("bias", (channels * self.depth_multiplier,)) if self.use_bias else None

    def call(self, inputs: Any) -> Any:
        x = ops.depthwise_conv(
            inputs, self.kernel, strides=self.strides, padding=self.padding, data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )  # fmt: skip
        return self._finished(x)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return self._convolved_shape(input_shape, self._split(input_shape)[1] * self.depth_multiplier)


@export("keras.layers.DepthwiseConv1D")
class DepthwiseConv1D(BaseDepthwiseConv):
    """Convolution of each channel of sequences (batch, steps, channels) by itself.

    >>> DepthwiseConv1D(3, depth_multiplier=2)(ops.ones((2, 8, 5))).shape
    (2, 6, 10)
    """

    rank = 1


@export("keras.layers.DepthwiseConv2D")
class DepthwiseConv2D(BaseDepthwiseConv):
    """Convolution of each channel of images (batch, height, width, channels) by itself.

    >>> DepthwiseConv2D(3, padding="same")(ops.ones((2, 8, 8, 5))).shape
    (2, 8, 8, 5)
    """

    rank = 2


class BaseSeparableConv(Convolution):
    """A convolution of each channel by itself, then a mixing of the channels: subclasses say of what rank.

    filters:           the number of channels of the outputs.
    kernel_size:       the window's size: an int, or one for each axis; likewise `strides` and `dilation_rate`.
    padding:           "valid" or "same".
    depth_multiplier:  how many channels each one becomes in between.
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
        dilation_rate: Any = 1, depth_multiplier: int = 1, activation: Any = None, use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform", pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros", depthwise_regularizer: Any = None, pointwise_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, depthwise_constraint: Any = None,
        pointwise_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters, self.use_bias = positive(filters, "filters"), use_bias
        self.depth_multiplier = positive(depth_multiplier, "depth_multiplier")
        self._take_window(kernel_size, strides, padding, data_format, dilation_rate)
        self._take(
            activation=activation, depthwise_initializer=depthwise_initializer,
            pointwise_initializer=pointwise_initializer, bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer, pointwise_regularizer=pointwise_regularizer,
            bias_regularizer=bias_regularizer, depthwise_constraint=depthwise_constraint,
            pointwise_constraint=pointwise_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self.compute_output_shape(input_shape)  # which checks that the kernel fits
        between = channels * self.depth_multiplier
        self.depthwise_kernel = self._weight(
            "depthwise_kernel", (*self.kernel_size, channels, self.depth_multiplier), "depthwise"
        )
        self.pointwise_kernel = self._weight(
            "pointwise_kernel", (*[1] * self.rank, between, self.filters), "pointwise"
        )
        self.bias = self._weight("bias", (self.filters,)) if self.use_bias else None

    def call(self, inputs: Any) -> Any:
        x = ops.separable_conv(
            inputs, self.depthwise_kernel, self.pointwise_kernel, strides=self.strides, padding=self.padding,
            data_format=self.data_format, dilation_rate=self.dilation_rate,
        )  # fmt: skip
        return self._finished(x)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return self._convolved_shape(input_shape, self.filters)


@export("keras.layers.SeparableConv1D", "keras.layers.SeparableConvolution1D")
class SeparableConv1D(BaseSeparableConv):
    """Separable convolution over sequences (batch, steps, channels).

    >>> SeparableConv1D(4, 3)(ops.ones((2, 8, 5))).shape
    (2, 6, 4)
    """

    rank = 1


@export("keras.layers.SeparableConv2D", "keras.layers.SeparableConvolution2D")
class SeparableConv2D(BaseSeparableConv):
    """Separable convolution over images (batch, height, width, channels).

    >>> SeparableConv2D(4, 3, padding="same")(ops.ones((2, 8, 8, 5))).shape
    (2, 8, 8, 4)
    """

    rank = 2
