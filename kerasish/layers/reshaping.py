"""Layers that move elements: flattening, reshaping, permuting, repeating."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.input_spec import InputSpec
from kerasish.layers.layer import Layer


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
