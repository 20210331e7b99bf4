"""Core layers: dense, embedding, activation, dropout."""

from typing import Any

from kerasish import activations, constraints, initializers, ops, random, regularizers
from kerasish.base.registry import export
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.layers.lora import LowRankAdapted, LowRankKernel


class Weighted(Layer):
    """What layers with a kernel and a bias share: their initializers, regularizers and constraints by name."""

    def _take(self, **given: Any) -> None:
        for name, value in given.items():
            if name.endswith("_initializer"):
                value = initializers.get(value)
            elif name.endswith("_regularizer"):
                value = regularizers.get(value)
            elif name.endswith("_constraint"):
                value = constraints.get(value)
            elif name.endswith("activation"):
                value = activations.get(value)
            setattr(self, name, value)

    def _weight(self, name: str, shape: tuple, kind: str | None = None) -> Any:
        kind = kind or name
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=getattr(self, f"{kind}_initializer"),
            regularizer=getattr(self, f"{kind}_regularizer", None),
            constraint=getattr(self, f"{kind}_constraint", None),
        )


def unquantized(config: Any) -> None:
    """Layers are not quantized yet: only None is taken."""
    if config is not None:
        raise ValueError(f"Quantization is not supported yet. Received: quantization_config={config}")


@export("keras.layers.Dense")
class Dense(LowRankKernel, Weighted):
    """activation(inputs @ kernel + bias), over the last axis.

    >>> Dense(4)(ops.ones((2, 3))).shape
    (2, 4)
    """

    def __init__(
        self, units: int, activation: Any = None, use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None,
        lora_rank: int | None = None, lora_alpha: int | None = None, quantization_config: Any = None, **kwargs: Any,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.quantization_config = unquantized(quantization_config)
        if not isinstance(units, int) or units <= 0:
            raise ValueError(f"Received an invalid value for `units`, expected a positive integer. Received: units={units}")
        self.units, self.use_bias = units, use_bias
        self._take_lora(lora_rank, lora_alpha)
        self._take(
            activation=activation, kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, bias_constraint=bias_constraint,
        )  # fmt: skip
        self.supports_masking = True
        self.input_spec = InputSpec(min_ndim=2)

    _not_in_config = ("lora_rank", "lora_alpha", "activity_regularizer")

    def build(self, input_shape: Any) -> None:
        n = input_shape[-1]
        if n is None:
            raise ValueError(f"The last axis of the inputs to a Dense layer must be known. Received: input_shape={input_shape}")
        self._kernel = self._weight("kernel", (n, self.units))
        self.bias = self._weight("bias", (self.units,)) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: n})
        self._enable_lora_if_asked()

    def call(self, inputs: Any, training: Any = None) -> Any:
        x = ops.matmul(inputs, self.kernel)
        if self.bias is not None:
            x = ops.add(x, self.bias)
        return self.activation(x)


@export("keras.layers.Embedding")
class Embedding(LowRankAdapted, Weighted):
    """A vector for each integer. With mask_zero, 0 is padding."""

    def __init__(
        self, input_dim: int, output_dim: int, embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None, embeddings_constraint: Any = None, mask_zero: bool = False,
        weights: Any = None, lora_rank: int | None = None, lora_alpha: int | None = None,
        quantization_config: Any = None, **kwargs: Any,
    ):  # fmt: skip
        kwargs.pop("input_length", None)
        super().__init__(**kwargs)
        self.quantization_config = unquantized(quantization_config)
        self.input_dim, self.output_dim, self.mask_zero = input_dim, output_dim, mask_zero
        if embeddings_initializer == "uniform":
            embeddings_initializer = "random_uniform"
        self._take(
            embeddings_initializer=embeddings_initializer, embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
        )  # fmt: skip
        self._take_lora(lora_rank, lora_alpha)
        self.supports_masking = mask_zero
        self.autocast = False
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) else [weights])

    _not_in_config = ("lora_rank", "lora_alpha", "weights")

    def get_config(self) -> dict:
        return {"activity_regularizer": None, **super().get_config()}

    def build(self, input_shape: Any = None) -> None:
        self._embeddings = self._weight("embeddings", (self.input_dim, self.output_dim))
        self._enable_lora_if_asked()

    adapted = "embeddings"

    @property
    def embeddings(self) -> Any:
        """The vectors, with their adaptation where there is one."""
        return self._adapted()

    def call(self, inputs: Any) -> Any:
        if str(inputs.dtype) not in ("int32", "int64", "uint8", "int16", "int8"):
            inputs = ops.cast(inputs, "int32")
        found = ops.take(self._embeddings, inputs, axis=0)
        if self.lora_enabled:  # only of the vectors that are looked up
            change = ops.matmul(ops.take(self._own("a"), inputs, axis=0), self._own("b"))
            found = ops.add(found, ops.multiply(self.lora_alpha / self.lora_rank, change))
        return ops.cast(found, self.compute_dtype)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def _makes_mask(self) -> bool:
        return self.mask_zero

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (*input_shape, self.output_dim)


@export("keras.layers.Activation")
class Activation(Layer):
    """An activation function."""

    def __init__(self, activation: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)


@export("keras.layers.ReLU")
class ReLU(Layer):
    """max(x, 0), with a ceiling, a slope below and a threshold if given."""

    def __init__(self, max_value: Any = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope or 0.0, threshold or 0.0
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


@export("keras.layers.Softmax")
class Softmax(Layer):
    """softmax along an axis; masked places get nothing."""

    def __init__(self, axis: Any = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return activations.softmax(inputs, axis=self.axis)
        lowest = -3e4 if str(inputs.dtype) == "float16" else -1e9
        y = activations.softmax(ops.where(mask, inputs, ops.cast(lowest, inputs.dtype)), axis=self.axis)
        return ops.multiply(y, ops.cast(mask, y.dtype))  # where all is masked, there is nothing


@export("keras.layers.Identity")
class Identity(Layer):
    """The inputs as they are."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        return inputs


@export("keras.layers.Dropout")
class Dropout(Layer):
    """Zeros at random at `rate` while training; what stays is scaled up (Srivastava et al. 2014)."""

    def __init__(self, rate: float, noise_shape: Any = None, seed: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        if not 0 <= rate <= 1:
            raise ValueError(f"Invalid value received for argument `rate`. Expected a float value between 0 and 1. Received: rate={rate}")
        self.rate, self.seed, self.noise_shape = rate, seed, noise_shape
        if rate > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any, training: Any = False) -> Any:
        if training and self.rate > 0:
            return random.dropout(inputs, self.rate, noise_shape=self.noise_shape, seed=self.seed_generator)
        return inputs
