"""Dot: products of two inputs along axes."""

from typing import Any

from kerasish import ops
from kerasish.base.registry import export
from kerasish.layers.merging import Merge


@export("keras.layers.Dot")
class Dot(Merge):
    """The products of two inputs, summed along an axis of each; cosines with `normalize`.

    >>> Dot(axes=1)([ops.array([[1.0, 2.0]]), ops.array([[3.0, 4.0]])]).numpy().tolist()
    [[11.0]]
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(axes, int):
            if not isinstance(axes, (list, tuple)):
                raise TypeError(f"Invalid type for argument `axes`: it should be a list or an int. Received: axes={axes}")
            if len(axes) != 2:
                raise ValueError(f"Invalid format for argument `axes`: it should contain two elements. Received: axes={axes}")
            if not all(isinstance(a, int) for a in axes):
                raise ValueError(f"Invalid format for argument `axes`: list elements should be integers. Received: axes={axes}")
        self.axes, self.normalize = axes, normalize
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if not isinstance(input_shape, (list, tuple)) or not isinstance(input_shape[0], (list, tuple)) or len(input_shape) != 2:
            raise ValueError(f"A `Dot` layer should be called on a list of 2 inputs. Received: input_shape={input_shape}")
        a, b = input_shape
        i, j = self._pair(len(a), len(b))
        if a[i] != b[j]:
            raise ValueError(f"Incompatible input shapes: axis values {a[i]} (at axis {i}) != {b[j]} (at axis {j}). Full input shapes: {a}, {b}")

    def _pair(self, rank1: int, rank2: int) -> tuple[int, int]:
        i, j = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        return i % rank1, j % rank2

    def call(self, inputs: Any) -> Any:
        x, y = inputs
        i, j = self._pair(len(x.shape), len(y.shape))
        if self.normalize:
            x, y = ops.normalize(x, axis=i), ops.normalize(y, axis=j)
        flat = len(x.shape) == 2 and len(y.shape) == 2
        # the summed axis last in the one and next to the batch in the other; what is left follows in order
        x = ops.moveaxis(x, i, -1)
        y = ops.moveaxis(y, j, 1)
        a, b = tuple(x.shape), tuple(y.shape)
        z = ops.matmul(ops.reshape(x, (a[0], -1, a[-1])), ops.reshape(y, (b[0], b[1], -1)))
        z = ops.reshape(z, (a[0], *a[1:-1], *b[2:]))
        return ops.reshape(z, (a[0], 1)) if flat else z

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        return None


@export("keras.layers.dot")
def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """The layer Dot, applied to `inputs`."""
    return Dot(axes=axes, **kwargs)(inputs)
