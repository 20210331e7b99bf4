"""Core layers: dense, embedding, activation, reshaping, merging, functions."""

import inspect
from typing import Any, Callable

from kerasish import activations, constraints, dtype_policies, initializers, ops, random, regularizers
from kerasish.base.registry import export
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer
from kerasish.layers.lora import LowRankAdapted, LowRankKernel
from kerasish.saving.lambdas import serialize_lambda, without_lambdas
from kerasish.saving.serialization import deserialize_keras_object, serialize_keras_object


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


@export("keras.layers.Flatten")
class Flatten(Layer):
    """All axes but the first as one."""

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = data_format or "channels_last"
        self.input_spec = InputSpec(min_ndim=1)

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        if self.data_format == "channels_first" and len(inputs.shape) > 2:
            inputs = ops.moveaxis(inputs, 1, -1)
        n: Any = 1
        for d in inputs.shape[1:]:
            n = n * d
        return ops.reshape(inputs, (inputs.shape[0], n))


@export("keras.layers.Reshape")
class Reshape(Layer):
    """Another shape for each sample; one size may be -1."""

    def __init__(self, target_shape: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        known, n = 1, 1
        for d in self.target_shape:
            known = known * (d if d != -1 else 1)
        for d in inputs.shape[1:]:
            n = n * d
        target = tuple(n // known if d == -1 else d for d in self.target_shape)
        return ops.reshape(inputs, (inputs.shape[0], *target))


@export("keras.layers.Permute")
class Permute(Layer):
    """The axes of each sample in another order, counted from 1."""

    def __init__(self, dims: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(dims) != list(range(1, len(dims) + 1)):
            raise ValueError(f"Invalid permutation argument `dims` for Permute Layer. The set of indices in `dims` must be consecutive and start from 1. Received dims={dims}")

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        return ops.transpose(inputs, (0, *self.dims))


@export("keras.layers.RepeatVector")
class RepeatVector(Layer):
    """Each sample n times along a new axis."""

    def __init__(self, n: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any) -> Any:
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)


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


@export("keras.layers.Lambda")
class Lambda(Layer):
    """A function as a layer. To load a saved one, its function must be registered, or passed under the layer's name:
    `load_model(path, custom_objects={"my_lambda": function})`."""

    def __init__(self, function: Callable, output_shape: Any = None, mask: Any = None, arguments: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.function, self.mask, self.arguments = function, mask, arguments or {}
        self._output_shape = output_shape
        if mask is not None:
            self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        pass

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        extra = dict(self.arguments)
        code = getattr(self.function, "__code__", None)
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()
        if "mask" in names:
            extra["mask"] = mask
        if "training" in names:
            extra["training"] = training
        return self.function(inputs, **extra)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict:
        parts = {"function": self.function, "output_shape": self._output_shape, "mask": self.mask}
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": dtype_policies.serialize(self.dtype_policy),
            **{k: _part_of_lambda(v) for k, v in parts.items() if v is not None},
            "arguments": serialize_keras_object(dict(self.arguments)),
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None, safe_mode: Any = None) -> Any:
        # a lambda in a file is bytecode, and refused; unless the user passes the function, under the layer's name
        config = without_lambdas({"class_name": "Lambda", "config": config}, custom_objects)["config"]
        for key in ("function", "output_shape", "mask", "arguments"):
            if key in config:
                config[key] = deserialize_keras_object(config[key], custom_objects=custom_objects)
        if isinstance(config.get("output_shape"), list):
            config["output_shape"] = tuple(config["output_shape"])
        return super().from_config(config)


def _part_of_lambda(value: Any) -> Any:
    is_lambda = inspect.isfunction(value) and value.__name__ == "<lambda>"
    return serialize_lambda(value) if is_lambda else serialize_keras_object(value)


class Merge(Layer):
    """The base of layers that join several inputs element by element."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if not isinstance(input_shape, (list, tuple)) or not input_shape or not isinstance(input_shape[0], (list, tuple)):
            raise ValueError(
                f"A merge layer should be called on a list of inputs. Received: input_shape={input_shape} (not a list of shapes)"
            )
        if len(input_shape) < 1:
            raise ValueError("A merge layer should be called on a list of at least 1 input.")

    def call(self, inputs: Any) -> Any:
        out = inputs[0]
        for x in inputs[1:]:
            out = self._merge(out, x)
        return out

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        masks = [m for m in mask or () if m is not None]
        if not masks:
            return None
        out = masks[0]
        for m in masks[1:]:
            out = ops.logical_and(out, m)
        return out


def _merging(name: str, merge: Callable, doc: str) -> type:
    cls = type(name, (Merge,), {"_merge": staticmethod(merge), "__doc__": doc, "__module__": __name__})
    return export(f"keras.layers.{name}")(cls)


Add = _merging("Add", ops.add, "The sum of the inputs.")
Multiply = _merging("Multiply", ops.multiply, "The product of the inputs.")
Maximum = _merging("Maximum", ops.maximum, "The largest of the inputs.")
Minimum = _merging("Minimum", ops.minimum, "The smallest of the inputs.")
Subtract = _merging("Subtract", ops.subtract, "The first input less the second.")


@export("keras.layers.Average")
class Average(Merge):
    """The mean of the inputs."""

    _merge = staticmethod(ops.add)

    def call(self, inputs: Any) -> Any:
        return super().call(inputs) / len(inputs)


@export("keras.layers.Concatenate")
class Concatenate(Merge):
    """The inputs one after the other along an axis."""

    def __init__(self, axis: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        return ops.concatenate(inputs, axis=self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None or all(m is None for m in mask):
            return None
        masks = []
        for x, m in zip(inputs, mask, strict=True):
            if m is None:
                masks.append(ops.ones_like(x, dtype="bool"))
                continue
            while len(m.shape) < len(x.shape):
                m = ops.expand_dims(m, -1)
            masks.append(ops.logical_and(m, ops.ones_like(x, dtype="bool")))
        return ops.any(ops.concatenate(masks, axis=self.axis), axis=-1)


def _function(layer: type, name: str) -> Callable:
    def merge(inputs: Any, **kwargs: Any) -> Any:
        return layer(**kwargs)(inputs)

    merge.__name__, merge.__doc__ = name, layer.__doc__
    return export(f"keras.layers.{name}")(merge)


add, multiply, maximum = _function(Add, "add"), _function(Multiply, "multiply"), _function(Maximum, "maximum")
minimum, subtract = _function(Minimum, "minimum"), _function(Subtract, "subtract")
average, concatenate = _function(Average, "average"), _function(Concatenate, "concatenate")
