"""Batch and layer normalization."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.core import Weighted
from kerasish.layers.input_spec import InputSpec


@export("keras.layers.BatchNormalization")
class BatchNormalization(Weighted):
    """Zero mean and unit variance over the batch, by moving statistics in inference (Ioffe and Szegedy 2015)."""

    def __init__(
        self, axis: int = -1, momentum: float = 0.99, epsilon: float = 0.001, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros", gamma_initializer: Any = "ones", moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones", beta_regularizer: Any = None, gamma_regularizer: Any = None,
        beta_constraint: Any = None, gamma_constraint: Any = None, synchronized: bool = False,
        renorm: bool = False, renorm_clipping: Any = None, renorm_momentum: float = 0.99, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if renorm or renorm_clipping:
            raise ValueError(f"Batch renormalization is not supported yet. Received: renorm={renorm}")
        self.renorm, self.renorm_clipping, self.renorm_momentum = False, None, renorm_momentum
        self.axis, self.momentum, self.epsilon = int(axis), float(momentum), float(epsilon)
        self.center, self.scale, self.synchronized = center, scale, synchronized
        self._take(
            beta_initializer=beta_initializer, gamma_initializer=gamma_initializer,
            moving_mean_initializer=moving_mean_initializer, moving_variance_initializer=moving_variance_initializer,
            beta_regularizer=beta_regularizer, gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint, gamma_constraint=gamma_constraint,
        )  # fmt: skip
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        n = (input_shape[self.axis],)
        self.gamma = self._weight("gamma", n) if self.scale else None
        self.beta = self._weight("beta", n) if self.center else None
        for name in ("moving_mean", "moving_variance"):
            start = getattr(self, f"{name}_initializer")
            setattr(self, name, self.add_weight(name=name, shape=n, initializer=start, trainable=False, autocast=False))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: n[0]})
        self._axes = tuple(i for i in range(len(input_shape)) if i != self.axis % len(input_shape))

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        x = ops.cast(inputs, "float32") if str(inputs.dtype) in ("float16", "bfloat16") else inputs
        if training and self.trainable:
            if mask is None:
                mean, variance = ops.moments(x, axes=self._axes)
            else:
                m = ops.cast(mask, x.dtype)
                while len(m.shape) < len(x.shape):
                    m = ops.expand_dims(m, -1)
                m = ops.broadcast_to(m, x.shape)
                total = ops.sum(m, axis=self._axes, keepdims=True) + 1e-7
                kept = ops.sum(x * m, axis=self._axes, keepdims=True) / total
                mean = ops.reshape(kept, (x.shape[self.axis],))
                variance = ops.sum(ops.square(x - kept) * m, axis=self._axes) / ops.reshape(total, (x.shape[self.axis],))
            for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(moving * self.momentum + ops.stop_gradient(now) * (1.0 - self.momentum))
        else:
            mean, variance = (ops.cast(v, x.dtype) for v in (self.moving_mean, self.moving_variance))
        out = ops.batch_normalization(x, mean, variance, self.axis, offset=self.beta, scale=self.gamma, epsilon=self.epsilon)
        return ops.cast(out, self.compute_dtype)


@export("keras.layers.LayerNormalization")
class LayerNormalization(Weighted):
    """Zero mean and unit variance over the axes of each sample (Ba et al. 2016)."""

    def __init__(
        self, axis: Any = -1, epsilon: float = 0.001, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros", gamma_initializer: Any = "ones", beta_regularizer: Any = None,
        gamma_regularizer: Any = None, beta_constraint: Any = None, gamma_constraint: Any = None, rms_scaling: bool = False,
        **kwargs: Any,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if rms_scaling:
            raise ValueError("rms_scaling=True is not supported yet. Use ops.rms_normalization in a layer of your own.")
        self.rms_scaling = False
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis
        self.epsilon, self.center, self.scale = epsilon, center, scale
        self._take(
            beta_initializer=beta_initializer, gamma_initializer=gamma_initializer, beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer, beta_constraint=beta_constraint, gamma_constraint=gamma_constraint,
        )  # fmt: skip
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        shape = tuple(input_shape[a] for a in axes)
        self.gamma = self._weight("gamma", shape) if self.scale else None
        self.beta = self._weight("beta", shape) if self.center else None

    def call(self, inputs: Any) -> Any:
        out = ops.layer_normalization(inputs, self.gamma, self.beta, axis=self.axis, epsilon=self.epsilon)
        return ops.cast(out, self.compute_dtype)
