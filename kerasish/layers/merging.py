"""Layers that join several inputs into one."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.layer import Layer


def _with_rank(x: Any, rank: int) -> Any:
    missing = rank - len(x.shape)
    return ops.expand_dims(x, tuple(range(1, 1 + missing))) if missing else x


class Merge(Layer):
    """The base of layers that join several inputs element by element.

    Inputs of fewer axes get new ones of length 1 after that of the batch.
    """

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
        first = tuple(input_shape[0])
        for other in map(tuple, input_shape[1:]):
            if not self._fit(first, other):
                raise ValueError(
                    f"{type(self).__name__}: inputs have incompatible shapes. Received shapes {first[1:]} and {other[1:]}, "
                    "without the batch"
                )

    def _fit(self, a: tuple, b: tuple) -> bool:
        """Whether inputs of two shapes can be joined, as far as it is known."""
        pairs = list(zip(a[:0:-1], b[:0:-1], strict=False))
        return all(d == e or None in (d, e) or 1 in (d, e) for d, e in pairs)

    def call(self, inputs: Any) -> Any:
        most = max(len(x.shape) for x in inputs)
        first, *rest = (_with_rank(x, most) for x in inputs)
        out = first
        for x in rest:
            out = self._merge(out, x)
        return out

    def _merge(self, x: Any, y: Any) -> Any:
        raise NotImplementedError

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        masks = [m for m in mask or () if m is not None]
        if not masks:
            return None
        out = masks[0]
        for m in masks[1:]:
            out = ops.logical_and(out, m)
        return out


@export("keras.layers.Add")
class Add(Merge):
    """The sum of the inputs.

    >>> Add()([ops.array([1.0, 5.0]), ops.array([3.0, 2.0])]).numpy().tolist()
    [4.0, 7.0]
    """

    def _merge(self, x: Any, y: Any) -> Any:
        return ops.add(x, y)


@export("keras.layers.Multiply")
class Multiply(Merge):
    """The product of the inputs.

    >>> Multiply()([ops.array([1.0, 5.0]), ops.array([3.0, 2.0])]).numpy().tolist()
    [3.0, 10.0]
    """

    def _merge(self, x: Any, y: Any) -> Any:
        return ops.multiply(x, y)


@export("keras.layers.Maximum")
class Maximum(Merge):
    """The largest of the inputs.

    >>> Maximum()([ops.array([1.0, 5.0]), ops.array([3.0, 2.0])]).numpy().tolist()
    [3.0, 5.0]
    """

    def _merge(self, x: Any, y: Any) -> Any:
        return ops.maximum(x, y)


@export("keras.layers.Minimum")
class Minimum(Merge):
    """The smallest of the inputs.

    >>> Minimum()([ops.array([1.0, 5.0]), ops.array([3.0, 2.0])]).numpy().tolist()
    [1.0, 2.0]
    """

    def _merge(self, x: Any, y: Any) -> Any:
        return ops.minimum(x, y)


@export("keras.layers.Subtract")
class Subtract(Merge):
    """The first input less the second.

    >>> Subtract()([ops.array([1.0, 5.0]), ops.array([3.0, 2.0])]).numpy().tolist()
    [-2.0, 3.0]
    """

    def _merge(self, x: Any, y: Any) -> Any:
        return ops.subtract(x, y)


@export("keras.layers.Average")
class Average(Merge):
    """The mean of the inputs."""

    def _merge(self, x: Any, y: Any) -> Any:
        return ops.add(x, y)

    def call(self, inputs: Any) -> Any:
        return super().call(inputs) / len(inputs)


@export("keras.layers.Concatenate")
class Concatenate(Merge):
    """The inputs one after the other along an axis."""

    def __init__(self, axis: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def _fit(self, a: tuple, b: tuple) -> bool:
        if len(a) != len(b):
            return False
        along = self.axis % len(a) if -len(a) <= self.axis < len(a) else None
        return all(i in (0, along) or d == e or None in (d, e) for i, (d, e) in enumerate(zip(a, b, strict=True)))

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


@export("keras.layers.add")
def add(inputs: Any, **kwargs: Any) -> Any:
    """The layer Add, applied to `inputs`."""
    return Add(**kwargs)(inputs)


@export("keras.layers.multiply")
def multiply(inputs: Any, **kwargs: Any) -> Any:
    """The layer Multiply, applied to `inputs`."""
    return Multiply(**kwargs)(inputs)


@export("keras.layers.maximum")
def maximum(inputs: Any, **kwargs: Any) -> Any:
    """The layer Maximum, applied to `inputs`."""
    return Maximum(**kwargs)(inputs)


@export("keras.layers.minimum")
def minimum(inputs: Any, **kwargs: Any) -> Any:
    """The layer Minimum, applied to `inputs`."""
    return Minimum(**kwargs)(inputs)


@export("keras.layers.subtract")
def subtract(inputs: Any, **kwargs: Any) -> Any:
    """The layer Subtract, applied to `inputs`."""
    return Subtract(**kwargs)(inputs)


@export("keras.layers.average")
def average(inputs: Any, **kwargs: Any) -> Any:
    """The layer Average, applied to `inputs`."""
    return Average(**kwargs)(inputs)


@export("keras.layers.concatenate")
def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """The layer Concatenate, applied to `inputs`."""
    return Concatenate(axis=axis, **kwargs)(inputs)
