"""Batch normalization, and batch renormalization."""

from typing import Any

from kerasish import ops
from kerasish.base import config
from kerasish.base.registry import export
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.normalization import Normalizing, wide


@export("keras.layers.BatchNormalization")
class BatchNormalization(Normalizing):
    """Zero mean and unit variance over the batch; in inference by moving statistics (Ioffe and Szegedy 2015).

    axis:             the axis that keeps its own statistics: that of the channels.
    momentum:         of the moving statistics.
    renorm:           while training, too, let the moving statistics decide (batch renormalization, Ioffe 2017):
                      `renorm_clipping` may bound by how much, by "rmin", "rmax" and "dmax".
    synchronized:     taken for Keras's sake: there is one machine, over which the statistics always are.

    A mask has the shape of the inputs without their last axis; what it drops is not counted. A layer that is not
    trainable normalizes by its moving statistics, and leaves them as they are.

    >>> BatchNormalization(epsilon=0.0)(ops.array([[1.0], [3.0]]), training=True).numpy()
    array([[-1.],
           [ 1.]], dtype=float32)
    """

    def __init__(
        self, axis: int = -1, momentum: float = 0.99, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros", gamma_initializer: Any = "ones", moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones", beta_regularizer: Any = None, gamma_regularizer: Any = None,
        beta_constraint: Any = None, gamma_constraint: Any = None, renorm: bool = False, renorm_clipping: Any = None,
        renorm_momentum: float = 0.99, synchronized: bool = False, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.axis, self.momentum, self.epsilon = int(axis), float(momentum), float(epsilon)
        self.center, self.scale, self.synchronized = center, scale, synchronized
        self._take(
            beta_initializer=beta_initializer, gamma_initializer=gamma_initializer,
            moving_mean_initializer=moving_mean_initializer, moving_variance_initializer=moving_variance_initializer,
            beta_regularizer=beta_regularizer, gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint, gamma_constraint=gamma_constraint,
        )  # fmt: skip
        self.renorm, self.renorm_momentum = renorm, renorm_momentum
        self.renorm_clipping = _clipping(renorm_clipping or {}) if renorm else renorm_clipping
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self._check_axes(input_shape)
        channels = input_shape[self.axis]
        self._add_scale_and_shift((channels,))
        mean, variance = self.moving_mean_initializer, self.moving_variance_initializer
        self.moving_mean = self._statistic("moving_mean", channels, mean)
        self.moving_variance = self._statistic("moving_variance", channels, variance)
        if self.renorm:

            def deviation(shape: Any, dtype: Any = None) -> Any:
                return ops.sqrt(variance(shape, dtype=dtype))

            self.moving_stddev = self._statistic("moving_stddev", channels, deviation)
            self.renorm_mean = self._statistic("renorm_mean", channels, mean)
            self.renorm_stddev = self._statistic("renorm_stddev", channels, deviation)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def _statistic(self, name: str, channels: int, initializer: Any) -> Any:
        return self.add_weight(name=name, shape=(channels,), initializer=initializer, trainable=False, autocast=False)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        if mask is not None and len(mask.shape) != len(inputs.shape) - 1:
            raise ValueError(
                "The mask provided should be one dimension less than the inputs. "
                f"Received: mask.shape={mask.shape}, inputs.shape={inputs.shape}"
            )
        x = wide(inputs)
        scale, shift = self.gamma, self.beta
        if training and self.trainable:
            mean, variance = self._moments(x, mask)
            if self.renorm:
                scale, shift = self._renormalized(mean, variance)
                self._update_renorm(mean, variance)
            else:
                _move(self.moving_mean, mean, self.momentum)
                _move(self.moving_variance, variance, self.momentum)
        else:
            mean, variance = (ops.cast(v, x.dtype) for v in (self.moving_mean, self.moving_variance))
        out = ops.batch_normalization(x, mean, variance, self.axis, offset=shift, scale=scale, epsilon=self.epsilon)
        return ops.cast(out, self.compute_dtype)

    def _moments(self, x: Any, mask: Any) -> tuple:
        """The mean and the variance of each channel over what the mask keeps."""
        at = self.axis % len(x.shape)
        axes = tuple(i for i in range(len(x.shape)) if i != at)
        if mask is None:
            return ops.moments(x, axes=axes)
        kept = ops.broadcast_to(ops.expand_dims(ops.cast(mask, "bool"), -1), x.shape)
        nothing = ops.zeros_like(x)
        count = ops.sum(ops.cast(kept, x.dtype), axes, keepdims=True) + config.epsilon()
        mean = ops.sum(ops.where(kept, x, nothing), axes, keepdims=True) / count
        variance = ops.sum(ops.square(ops.where(kept, x - mean, nothing)), axes, keepdims=True) / count
        return ops.squeeze(mean, axes), ops.squeeze(variance, axes)

    def _renormalized(self, mean: Any, variance: Any) -> tuple:
        """The scale and shift after which this batch comes out as if the renorm statistics had normalized it."""
        # the deviation of a fresh layer may be zero
        deviation = ops.maximum(ops.cast(self.renorm_stddev, mean.dtype), self.epsilon**0.5)
        r = ops.sqrt(variance + self.epsilon) / deviation
        d = (mean - ops.cast(self.renorm_mean, mean.dtype)) / deviation
        bounds = self.renorm_clipping
        if bounds.get("rmin") is not None:
            r = ops.maximum(r, bounds["rmin"])
        if bounds.get("rmax") is not None:
            r = ops.minimum(r, bounds["rmax"])
        if bounds.get("dmax") is not None:
            d = ops.clip(d, -bounds["dmax"], bounds["dmax"])
        r, d = ops.stop_gradient(r), ops.stop_gradient(d)
        scale, shift = (r, d) if self.gamma is None else (r * self.gamma, d * self.gamma)
        return scale, shift if self.beta is None else shift + self.beta

    def _update_renorm(self, mean: Any, variance: Any) -> None:
        deviation = ops.sqrt(variance + self.epsilon)
        _move(self.renorm_mean, mean, self.renorm_momentum)
        _move(self.renorm_stddev, deviation, self.renorm_momentum)
        _move(self.moving_mean, mean, self.momentum)
        moved = _move(self.moving_stddev, deviation, self.momentum)
        self.moving_variance.assign(ops.relu(moved * moved - self.epsilon))


def _move(statistic: Any, now: Any, momentum: float) -> Any:
    """Let a moving statistic follow; returns its new value."""
    now = ops.cast(ops.stop_gradient(now), statistic.dtype)
    moved = statistic * momentum + now * (1.0 - momentum)
    statistic.assign(moved)
    return moved


def _clipping(bounds: dict) -> dict:
    known = {"rmin", "rmax", "dmax"}
    if set(bounds) - known:
        raise ValueError(
            f"Received invalid keys for `renorm_clipping` argument: {bounds}. Supported keys: {sorted(known)}."
        )
    low, high, shift = (bounds.get(k) for k in ("rmin", "rmax", "dmax"))
    if low is not None and high is not None and high < low:
        raise ValueError(
            f"rmax should be greater than rmin in the `renorm_clipping` argument. Received: rmax={high}, rmin={low}."
        )
    if shift is not None and shift < 0:
        raise ValueError(
            f"dmax should be non-negative in the `renorm_clipping` argument. Received: dmax={shift}."
        )
    return bounds
