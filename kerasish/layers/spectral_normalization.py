"""Spectral normalization of a layer's kernel."""

from typing import Any

from kerasish import initializers, ops
from kerasish.base.registry import export
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.wrapper import Wrapper


@export("keras.layers.SpectralNormalization")
class SpectralNormalization(Wrapper):
    """A layer whose kernel (or embeddings) is divided by its largest singular value in each training call (Miyato et
    al. 2018). The singular vector is found by `power_iterations` steps a call, from where the last call left off.
    The layer's kernel itself is assigned: gradients are those at the divided kernel.

    >>> from kerasish.layers import Dense
    >>> SpectralNormalization(Dense(4))(ops.ones((2, 3)), training=True).shape
    (2, 4)
    """

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any):
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ValueError(
                f"`power_iterations` should be greater than zero. Received: power_iterations={power_iterations}"
            )
        self.power_iterations = power_iterations

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        kernel = getattr(self.layer, "kernel", None)
        kernel = getattr(self.layer, "embeddings", None) if kernel is None else kernel
        if kernel is None:
            raise ValueError(
                f"SpectralNormalization needs a layer with a `kernel` or `embeddings`. Received: layer={self.layer}"
            )
        self.kernel = kernel
        self.vector_u = self.add_weight(
            name="vector_u", shape=(1, kernel.shape[-1]), initializer=initializers.TruncatedNormal(stddev=0.02),
            trainable=False, dtype=kernel.dtype,
        )  # fmt: skip

    def call(self, inputs: Any, training: Any = False) -> Any:
        if training:
            u, kernel = self.normalized_weights()
            self.vector_u.assign(u)
            self.kernel.assign(kernel)
        return ops.cast(self.layer(inputs), inputs.dtype)

    def normalized_weights(self) -> tuple:
        """The next singular vector, and the kernel over its largest singular value; a kernel of zeros stays as it is."""
        # what a variable is assigned has no gradient, so nothing here needs one
        kernel = ops.stop_gradient(self.kernel)
        weights = ops.reshape(kernel, (-1, self.kernel.shape[-1]))
        u = before = ops.stop_gradient(self.vector_u)
        for _ in range(self.power_iterations):
            v = ops.normalize(ops.matmul(u, ops.transpose(weights)), axis=None)
            u = ops.normalize(ops.matmul(v, weights), axis=None)
        sigma = ops.matmul(ops.matmul(v, weights), ops.transpose(u))
        empty = ops.all(ops.equal(weights, 0.0))
        return ops.where(empty, before, u), ops.where(empty, kernel, kernel / ops.reshape(sigma, ()))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.layer.compute_output_shape(input_shape)
