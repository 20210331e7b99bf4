"""Transposed convolution: from the shape of a convolution's outputs to that of its inputs."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.convolution import Convolution
from kerasish.layers.spatial import per_axis, positive


class BaseConvTranspose(Convolution):
    """A transposed convolution: subclasses say of what rank.

    filters:         the number of channels of the outputs.
    kernel_size:     the window's size: an int, or one for each axis; likewise `strides` and `dilation_rate`.
    padding:         that of the convolution that is transposed: "valid" or "same".
    output_padding:  what is added to the outputs' size, less than the strides. None: such that the strides divide it.
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", output_padding: Any = None,
        data_format: str | None = None, dilation_rate: Any = 1, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters, self.use_bias = positive(filters, "filters"), use_bias
        self._take_window(kernel_size, strides, padding, data_format, dilation_rate)
        self._not_both_apart()
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = per_axis(output_padding, self.rank, "output_padding", allow_zero=True)
            if any(extra >= s for extra, s in zip(self.output_padding, self.strides, strict=True)):
                raise ValueError(
                    "`output_padding` must be strictly less than `strides` for all dimensions. "
                    f"Received: output_padding={self.output_padding}, strides={self.strides}"
                )
        self._take(
            activation=activation, kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self.kernel = self._weight("kernel", (*self.kernel_size, self.filters, channels))
        self.bias = self._weight("bias", (self.filters,)) if self.use_bias else None

    def call(self, inputs: Any) -> Any:
        x = ops.conv_transpose(
            inputs, self.kernel, strides=self.strides, padding=self.padding, output_padding=self.output_padding,
            data_format=self.data_format, dilation_rate=self.dilation_rate,
        )  # fmt: skip
        return self._finished(x)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        spatial, _ = self._split(input_shape)
        return self._joined(input_shape[0], map(self._size, range(self.rank), spatial), self.filters)

    def _size(self, i: int, size: Any) -> Any:
        """The outputs' size along spatial axis i."""
        if size is None:
            return None
        stride, extra = self.strides[i], self.output_padding and self.output_padding[i]
        reach = (self.kernel_size[i] - 1) * self.dilation_rate[i] + 1
        if self.padding == "valid":
            return (size - 1) * stride + (max(reach, stride) if extra is None else reach + extra)
        return size * stride if extra is None else (size - 1) * stride + reach % 2 + extra


@export("keras.layers.Conv1DTranspose", "keras.layers.Convolution1DTranspose")
class Conv1DTranspose(BaseConvTranspose):
    """Transposed convolution over sequences (batch, steps, channels).

    >>> Conv1DTranspose(4, 3, strides=2, padding="same")(ops.ones((2, 8, 5))).shape
    (2, 16, 4)
    """

    rank = 1


@export("keras.layers.Conv2DTranspose", "keras.layers.Convolution2DTranspose")
class Conv2DTranspose(BaseConvTranspose):
    """Transposed convolution over images (batch, height, width, channels).

    >>> Conv2DTranspose(4, 3, strides=2)(ops.ones((2, 8, 8, 3))).shape
    (2, 17, 17, 4)
    """

    rank = 2


@export("keras.layers.Conv3DTranspose", "keras.layers.Convolution3DTranspose")
class Conv3DTranspose(BaseConvTranspose):
    """Transposed convolution over volumes (batch, depth, height, width, channels).

    >>> Conv3DTranspose(4, 2)(ops.ones((1, 3, 3, 3, 2))).shape
    (1, 4, 4, 4, 4)
    """

    rank = 3

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
        output_padding: Any = None, dilation_rate: Any = 1, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, **kwargs: Any,
    ):  # fmt: skip
        # in three dimensions Keras has the data format before the output padding
        super().__init__(
            filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
