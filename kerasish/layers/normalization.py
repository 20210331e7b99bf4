"""Normalization of each sample by itself: over axes, over groups of channels, to unit length."""

import warnings
from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.core import Weighted
from kerasish.layers.input_spec import InputSpec
from kerasish.ops.dtypes import result_type


class Normalizing(Weighted):
    """The base of layers that normalize along `axis`, then scale by gamma and shift by beta."""

    def _add_scale_and_shift(self, shape: tuple) -> None:
        self.gamma = self._along_axis("gamma", shape) if self.scale else None
        self.beta = self._along_axis("beta", shape) if self.center else None

    def _along_axis(self, name: str, shape: tuple) -> Any:
        return self.add_weight(
            name=name, shape=shape, initializer=getattr(self, f"{name}_initializer"),
            regularizer=getattr(self, f"{name}_regularizer"), constraint=getattr(self, f"{name}_constraint"),
            autocast=False,
        )  # fmt: skip

    def compute_output_shape(self, input_shape: Any) -> tuple:
        self._check_axes(input_shape)
        return tuple(input_shape)

    def _check_axes(self, shape: Any) -> None:
        for axis in self.axis if isinstance(self.axis, (list, tuple)) else [self.axis]:
            if not -len(shape) <= axis < len(shape):
                raise ValueError(
                    f"Axis {axis} is out of bounds for input shape {tuple(shape)}. Received: axis={self.axis}"
                )

    def _axes_in_order(self, shape: Any) -> tuple:
        """From now on `axis` is a list in ascending order, as in Keras's configs. Returns the sizes along it."""
        self._check_axes(shape)
        self.axis = sorted(self.axis) if isinstance(self.axis, (list, tuple)) else [self.axis]
        return tuple(shape[a] for a in self.axis)


def wide(x: Any) -> Any:
    """x in float32 at least: half precision overflows in squares, and loses small differences in means."""
    return ops.cast(x, result_type(x.dtype, "float32"))


def _axis_argument(axis: Any) -> Any:
    if isinstance(axis, (list, tuple)):
        return list(axis)
    if not isinstance(axis, int):
        raise TypeError(f"Expected an int or a list/tuple of ints for the argument `axis`. Received: axis={axis!r}")
    return axis


@export("keras.layers.LayerNormalization")
class LayerNormalization(Normalizing):
    """Zero mean and unit variance over the axis (or axes) of each sample (Ba et al. 2016).

    rms_scaling=True, which Keras keeps for old models, divides by the deviation only, and does not shift.

    >>> LayerNormalization(epsilon=0.0)(ops.array([[1.0, 3.0], [5.0, 9.0]])).numpy()
    array([[-1.,  1.],
           [-1.,  1.]], dtype=float32)
    """

    def __init__(
        self, axis: Any = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros", gamma_initializer: Any = "ones", beta_regularizer: Any = None,
        gamma_regularizer: Any = None, beta_constraint: Any = None, gamma_constraint: Any = None,
        rms_scaling: bool = False, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if rms_scaling:
            warnings.warn(
                "`rms_scaling=True` is deprecated: it scales by the standard deviation, not by the root mean square. "
                "Use `keras.layers.RMSNormalization` instead.",
                stacklevel=4,
            )
        self.axis = _axis_argument(axis)
        self.epsilon, self.center, self.scale, self.rms_scaling = epsilon, center, scale, rms_scaling
        self._take(
            beta_initializer=beta_initializer, gamma_initializer=gamma_initializer, beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer, beta_constraint=beta_constraint, gamma_constraint=gamma_constraint,
        )  # fmt: skip
        self.supports_masking = True
        self.autocast = False  # statistics in full precision; the outputs are cast

    def build(self, input_shape: Any) -> None:
        shape = self._axes_in_order(input_shape)
        self.gamma = self._along_axis("gamma", shape) if self.scale or self.rms_scaling else None
        self.beta = self._along_axis("beta", shape) if self.center and not self.rms_scaling else None

    def call(self, inputs: Any) -> Any:
        out = ops.layer_normalization(
            inputs, self.gamma, self.beta, axis=self.axis, epsilon=self.epsilon, rms_scaling=self.rms_scaling
        )
        return ops.cast(out, self.compute_dtype)


@export("keras.layers.RMSNormalization")
class RMSNormalization(Normalizing):
    """Each sample over its root mean square along the axis (or axes), times a scale (Zhang and Sennrich 2019).

    >>> RMSNormalization(epsilon=0.0)(ops.array([[3.0, -3.0]])).numpy()
    array([[ 1., -1.]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis, self.epsilon = axis, epsilon

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(name="scale", shape=self._axes_in_order(input_shape), initializer="ones")

    def call(self, x: Any) -> Any:
        return ops.rms_normalization(x, scale=self.scale, axis=self.axis, epsilon=self.epsilon)


@export("keras.layers.UnitNormalization")
class UnitNormalization(Normalizing):
    """Each sample with Euclidean norm 1 along the axis (or axes).

    >>> UnitNormalization()(ops.array([[3.0, 4.0]])).numpy()
    array([[0.6, 0.8]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = _axis_argument(axis)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        return ops.normalize(inputs, axis=self.axis, order=2, epsilon=1e-12)


@export("keras.layers.GroupNormalization")
class GroupNormalization(Normalizing):
    """Zero mean and unit variance over each group of a sample's channels (Wu and He 2018).

    groups: how many there are; -1: one for each channel (instance normalization).

    >>> GroupNormalization(groups=2)(ops.ones((2, 4, 4, 6))).shape
    (2, 4, 4, 6)
    """

    def __init__(
        self, groups: int = 32, axis: int = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros", gamma_initializer: Any = "ones", beta_regularizer: Any = None,
        gamma_regularizer: Any = None, beta_constraint: Any = None, gamma_constraint: Any = None, **kwargs: Any,
    ):  # fmt: skip
        if not isinstance(groups, int) or groups <= 0 and groups != -1:
            raise ValueError(
                "Received an invalid value for argument `groups`, expected a positive integer, or -1 for instance "
                f"normalization. Received: groups={groups}"
            )
        super().__init__(**kwargs)
        self.groups, self.axis, self.epsilon, self.center, self.scale = groups, axis, epsilon, center, scale
        self._take(
            beta_initializer=beta_initializer, gamma_initializer=gamma_initializer, beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer, beta_constraint=beta_constraint, gamma_constraint=gamma_constraint,
        )  # fmt: skip
        self.supports_masking = True
        self.autocast = False  # statistics in full precision; the outputs are cast

    def build(self, input_shape: Any) -> None:
        self._check_axes(input_shape)
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError(
                f"Axis {self.axis} of the inputs to GroupNormalization must be known. Received: input_shape={input_shape}"
            )
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            raise ValueError(
                f"The number of channels ({channels}) must be a multiple of the number of groups ({self.groups}). "
                f"Received: groups={self.groups}, input_shape={input_shape}"
            )
        self._add_scale_and_shift((channels,))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Any) -> Any:
        x = wide(inputs)
        at = self.axis % len(x.shape)
        sizes = (self.groups, x.shape[at] // self.groups)
        x = ops.reshape(x, (*x.shape[:at], *sizes, *x.shape[at + 1 :]))
        mean, variance = ops.moments(x, axes=[i for i in range(1, len(x.shape)) if i != at], keepdims=True)
        along = tuple(1 if i not in (at, at + 1) else d for i, d in enumerate(x.shape))
        factor = ops.rsqrt(variance + self.epsilon)
        if self.gamma is not None:
            factor = factor * ops.reshape(self.gamma, along)
        shift = -mean * factor
        if self.beta is not None:
            shift = shift + ops.reshape(self.beta, along)
        out = x * factor + shift
        return ops.cast(ops.reshape(out, inputs.shape), self.compute_dtype)
