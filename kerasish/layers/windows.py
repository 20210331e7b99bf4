"""Convolution and pooling, by rank."""

from typing import Any

from kerasish import activations, ops
from kerasish.base import config
from kerasish.base.registry import export
from kerasish.layers.core import Weighted
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer


def _per_axis(value: Any, rank: int, name: str, allow_zero: bool = False) -> tuple:
    """An int for every spatial axis, or a tuple of them; checked."""
    values = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(values) != rank or not all(isinstance(v, int) and v > (-1 if allow_zero else 0) for v in values):
        raise ValueError(f"The `{name}` argument must be a positive int or a tuple of {rank} of them. Received: {name}={value}")
    return values


class BaseConv(Weighted):
    """A convolution of any rank: subclasses say which."""

    rank = 2

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
        dilation_rate: Any = 1, groups: int = 1, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if not isinstance(filters, int) or filters <= 0:
            raise ValueError(f"Invalid value for argument `filters`. Expected a strictly positive value. Received filters={filters}.")
        if groups <= 0 or filters % groups:
            raise ValueError(
                f"The number of filters must be evenly divisible by the number of groups. Received: groups={groups}, filters={filters}."
            )
        self.filters, self.groups, self.use_bias = filters, groups, use_bias
        self.kernel_size = _per_axis(kernel_size, self.rank, "kernel_size")
        self.strides = _per_axis(strides, self.rank, "strides")
        self.dilation_rate = _per_axis(dilation_rate, self.rank, "dilation_rate")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: strides={self.strides} and "
                f"dilation_rate={self.dilation_rate}"
            )
        self.padding = padding.lower()
        if self.padding not in (("valid", "same", "causal") if self.rank == 1 else ("valid", "same")):
            raise ValueError(f"Invalid padding for {type(self).__name__}: {padding!r}. Use 'valid' or 'same'.")
        self.data_format = config.standardize_data_format(data_format)
        self._take(
            activation=activation, kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip
        self.input_spec = InputSpec(min_ndim=self.rank + 2)

    def build(self, input_shape: Any) -> None:
        axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(f"The channel axis of the inputs must be known. Received: input_shape={input_shape}")
        if channels % self.groups:
            raise ValueError(
                "The number of input channels must be evenly divisible by the number of groups. "
                f"Received groups={self.groups}, but the input has {channels} channels (full input shape is {input_shape})."
            )
        self.kernel = self._weight("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self.bias = self._weight("bias", (self.filters,)) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={axis: channels})
        if self.padding == "valid":
            spatial = input_shape[1:-1] if axis == -1 else input_shape[2:]
            for d, k, e in zip(spatial, self.kernel_size, self.dilation_rate, strict=False):
                if d is not None and d < (k - 1) * e + 1:
                    raise ValueError(
                        "Computed output size would be negative: the input is smaller than the kernel. Received: "
                        f"input_shape={input_shape}, kernel_size={self.kernel_size}, dilation_rate={self.dilation_rate}"
                    )

    def call(self, inputs: Any) -> Any:
        x, padding = inputs, self.padding
        if padding == "causal":
            reach = (self.kernel_size[0] - 1) * self.dilation_rate[0]
            x = ops.pad(x, [(0, 0), (reach, 0), (0, 0)] if self.data_format == "channels_last" else [(0, 0), (0, 0), (reach, 0)])
            padding = "valid"
        x = ops.conv(
            x, self.kernel, strides=self.strides, padding=padding, data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )  # fmt: skip
        if self.bias is not None:
            bias = self.bias
            if self.data_format == "channels_first":
                bias = ops.reshape(bias, (1, self.filters, *[1] * self.rank))
            x = ops.add(x, bias)
        return self.activation(x)


def _ranked(base: type, name: str, rank: int, *aliases: str) -> type:
    doc = (base.__doc__ or "").replace("any rank: subclasses say which", f"rank {rank}")
    cls = type(name, (base,), {"rank": rank, "__doc__": doc, "__module__": __name__})
    return export(*[f"keras.layers.{n}" for n in (name, *aliases)])(cls)


Conv1D = _ranked(BaseConv, "Conv1D", 1, "Convolution1D")
Conv2D = _ranked(BaseConv, "Conv2D", 2, "Convolution2D")
Conv3D = _ranked(BaseConv, "Conv3D", 3, "Convolution3D")


class BasePooling(Layer):
    """Pooling of any rank: subclasses say which."""

    rank, kind = 2, "max"

    def __init__(
        self, pool_size: Any = 2, strides: Any = None, padding: str = "valid", data_format: str | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.pool_size = _per_axis(pool_size, self.rank, "pool_size")
        self.strides = _per_axis(pool_size if strides is None else strides, self.rank, "strides")
        self.padding, self.data_format = padding.lower(), config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        pool = ops.max_pool if self.kind == "max" else ops.average_pool
        return pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class MaxPooling(BasePooling):
    """Maximum pooling of any rank: subclasses say which."""


class AveragePooling(BasePooling):
    """Average pooling of any rank: subclasses say which."""

    kind = "average"


MaxPooling1D = _ranked(MaxPooling, "MaxPooling1D", 1, "MaxPool1D")
MaxPooling2D = _ranked(MaxPooling, "MaxPooling2D", 2, "MaxPool2D")
MaxPooling3D = _ranked(MaxPooling, "MaxPooling3D", 3, "MaxPool3D")
AveragePooling1D = _ranked(AveragePooling, "AveragePooling1D", 1, "AvgPool1D")
AveragePooling2D = _ranked(AveragePooling, "AveragePooling2D", 2, "AvgPool2D")
AveragePooling3D = _ranked(AveragePooling, "AveragePooling3D", 3, "AvgPool3D")


class GlobalPooling(Layer):
    """Global pooling of any rank: subclasses say which."""

    rank, kind = 2, "max"

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format, self.keepdims = config.standardize_data_format(data_format), keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        first = 1 if self.data_format == "channels_last" else 2
        axes = tuple(range(first, first + self.rank))
        return (ops.max if self.kind == "max" else ops.mean)(inputs, axis=axes, keepdims=self.keepdims)


class GlobalAverage(GlobalPooling):
    """Global average pooling of any rank: subclasses say which."""

    kind = "average"


GlobalMaxPooling1D = _ranked(GlobalPooling, "GlobalMaxPooling1D", 1, "GlobalMaxPool1D")
GlobalMaxPooling2D = _ranked(GlobalPooling, "GlobalMaxPooling2D", 2, "GlobalMaxPool2D")
GlobalMaxPooling3D = _ranked(GlobalPooling, "GlobalMaxPooling3D", 3, "GlobalMaxPool3D")
GlobalAveragePooling1D = _ranked(GlobalAverage, "GlobalAveragePooling1D", 1, "GlobalAvgPool1D")
GlobalAveragePooling2D = _ranked(GlobalAverage, "GlobalAveragePooling2D", 2, "GlobalAvgPool2D")
GlobalAveragePooling3D = _ranked(GlobalAverage, "GlobalAveragePooling3D", 3, "GlobalAvgPool3D")

__all__ = [name for name in dir() if name[0].isupper()] + ["activations"]  # noqa: PLE0605
