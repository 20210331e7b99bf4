"""Numbers of mean zero and variance one."""

import math
from typing import Any

import numpy as np

from kerasish import ops
from kerasish.base.config import epsilon
from kerasish.base.registry import export
from kerasish.layers.layer import Layer
from kerasish.layers.preprocessing.adapting import pieces
from kerasish.layers.preprocessing.host import as_array


@export("keras.layers.Normalization")
class Normalization(Layer):
    """(inputs - mean) / sqrt(variance), by given moments or by those of the data that `adapt` sees.

    axis:     the axis or axes that have a mean for each of their places; None for one mean of all. Their sizes must be known.
    mean, variance: numbers, or arrays that broadcast to the kept axes.
    invert:   the other way: inputs * sqrt(variance) + mean.

    >>> layer = Normalization(axis=None)
    >>> layer.adapt([1.0, 2.0, 2.0, 3.0, 2.0, 2.0, 2.0, 2.0])
    >>> layer([2.0, 3.0]).tolist()
    [0.0, 2.0]
    """

    def __init__(self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        if (mean is None) != (variance is None):
            raise ValueError(
                "When setting values directly, both `mean` and `variance` must be set. Received: "
                f"mean={mean} and variance={variance}"
            )
        if mean is not None:
            mean, variance = np.asarray(as_array(mean)), np.asarray(as_array(variance))
            if mean.shape != variance.shape:
                raise ValueError(
                    "When setting values directly, `mean` and `variance` must have the same shape. Received: mean shape "
                    f"{mean.shape} and variance shape {variance.shape}"
                )
        self.invert = invert
        self.supports_masking = True
        self._moments = None if mean is None else (mean, variance)
        self._seen: tuple = (0, np.float64(0.0), np.float64(0.0))  # count, mean and sum of squares of the data so far

    def build(self, input_shape: Any) -> None:
        if input_shape is None:
            return
        rank = len(input_shape)
        if any(not -rank <= a < rank for a in self.axis):
            raise ValueError(
                "All `axis` values must be in the range [-ndim, ndim). Received inputs with "
                f"ndim={rank}, while axis={self.axis}"
            )
        self._keep = tuple(sorted(a % rank for a in self.axis))
        for a in self._keep:
            if input_shape[a] is None:
                raise ValueError(
                    "All `axis` values to be kept must have a known shape. Received "
                    f"axis={self.axis}, inputs.shape={input_shape}, with unknown axis at index {a}"
                )
        self._broadcast = tuple(d if i in self._keep else 1 for i, d in enumerate(input_shape))
        shape = tuple(input_shape[a] for a in self._keep)
        if self._moments is None:
            self.adapt_mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(shape=shape, initializer="ones", trainable=False, name="variance")
            self.count = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="count")
        else:
            self._given = tuple(np.broadcast_to(m, self._broadcast).astype(self.compute_dtype) for m in self._moments)
        self.built = True

    @property
    def mean(self) -> Any:
        """The mean in use, in a shape that meets the inputs; None before the layer is built."""
        return self._in_use(0)

    @property
    def variance(self) -> Any:
        """The variance in use, in a shape that meets the inputs; None before the layer is built."""
        return self._in_use(1)

    def _in_use(self, which: int) -> Any:
        if not self.built:
            return None
        if self._moments is not None:
            return ops.convert_to_tensor(self._given[which])
        variable = (self.adapt_mean, self.adapt_variance)[which]
        return ops.cast(ops.reshape(variable, self._broadcast), self.compute_dtype)

    # -- adapt --------------------------------------------------------------------------------------------------------

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Take the mean and the variance of an array, or of an iterable of batches, of which `steps` limits the number.

        Moments of batches are joined in float64 (Chan, Golub and LeVeque 1979), so that data need not fit into memory.
        """
        self.reset_state()
        for i, piece in enumerate(pieces(data)):
            if steps is not None and i >= steps:
                break
            self.update_state(piece)
        if not self._seen[0]:
            raise ValueError(f"`adapt` of layer '{self.name}' received no data: {data!r}")
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget the data."""
        if self._moments is not None:
            raise ValueError(
                f"Cannot adapt layer '{self.name}': its `mean` and `variance` were given. Construct it without them."
            )
        self._seen = (0, np.float64(0.0), np.float64(0.0))

    def update_state(self, data: Any) -> None:
        """Take a batch of data into the moments."""
        values = np.asarray(as_array(data))
        if values.dtype.kind not in "biuf":
            raise TypeError(f"`adapt` expects numbers. Received an array of {values.dtype}.")
        if not self.built:
            self.build((None, *values.shape[1:]) if 0 not in self.axis else values.shape)
        rest = tuple(a for a in range(values.ndim) if a not in self._keep)
        n = math.prod(values.shape[a] for a in rest)
        if not n:
            return
        values = values.astype(np.float64)
        count, mean, squares = self._seen
        apart = np.mean(values, axis=rest) - mean
        squares = squares + np.var(values, axis=rest) * n + np.square(apart) * (count * n / (count + n))
        self._seen = (count + n, mean + apart * (n / (count + n)), squares)

    def finalize_state(self) -> None:
        """Use the moments of the data."""
        count, mean, squares = self._seen
        if count:
            self.adapt_mean.assign(mean)
            self.adapt_variance.assign(squares / count)
            self.count.assign(min(count, np.iinfo("int32").max))

    # -- calling ------------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(as_array(inputs), *args, **kwargs)

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, self.compute_dtype)
        mean, deviation = self.mean, ops.sqrt(self.variance)
        if self.invert:
            return mean + x * ops.maximum(deviation, epsilon())
        return (x - mean) / ops.maximum(deviation, epsilon())

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict:
        mean, variance = (None, None) if self._moments is None else (m.tolist() for m in self._moments)
        config = super().get_config()
        return {**config, "axis": self.axis, "mean": mean, "variance": variance}

    def _config_value(self, name: str) -> Any:
        return None if name in ("mean", "variance") else super()._config_value(name)
