"""InputSpec: what a layer demands of its inputs, and the check."""

from typing import Any

from kerasish.base import tree
from kerasish.base.registry import export
from kerasish.engine.dims import Dim


@export("keras.InputSpec", "keras.layers.InputSpec")
class InputSpec:
    """Demands on one input: dtype, shape (None: any size), ndim, max_ndim, min_ndim, axes ({axis: size}).

    >>> InputSpec(min_ndim=2, axes={-1: 3})
    InputSpec(min_ndim=2, axes={-1: 3})
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ):
        self.dtype = dtype
        self.shape = tuple(shape) if shape is not None else None
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        try:
            self.axes = {int(k): v for k, v in (axes or {}).items()}
        except (ValueError, AttributeError, TypeError):
            raise TypeError(f"Argument `axes` must be a dict with integer keys. Received: axes={axes}") from None
        most = self.ndim if self.ndim is not None else max_ndim
        if self.axes and most is not None and max(self.axes) >= most:
            raise ValueError(f"Axis {max(self.axes)} is greater than the maximum allowed value: {most - 1}")
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name, self.optional = name, optional

    def get_config(self) -> dict:
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: dict) -> "InputSpec":
        known = {k: v for k, v in config.items() if k != "ndim" or config.get("shape") is None}
        return cls(**known)

    def __repr__(self) -> str:
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        given = [f"{name}={getattr(self, name)}" for name in names if getattr(self, name)]
        return f"InputSpec({', '.join(given)})"


def check(spec: Any, inputs: Any, layer_name: str) -> None:
    """Raise Keras's ValueError unless the inputs fit."""
    if not spec:
        return
    specs = tree.flatten(spec)
    if isinstance(inputs, dict):
        names = [s.name for s in specs]
        if all(n is not None for n in names):
            inputs = [inputs.get(n) for n in names]
    flat = tree.flatten(inputs)
    if len(flat) != len(specs):
        raise ValueError(
            f'Layer "{layer_name}" expects {len(specs)} input(s), but it received {len(flat)} input tensors. '
            f"Inputs received: {inputs}"
        )
    for i, (x, s) in enumerate(zip(flat, specs, strict=True)):
        if s is None or (x is None and s.optional):
            continue
        if x is None or not hasattr(x, "shape"):
            raise ValueError(f"Inputs to a layer should be tensors. Got '{x}' (of type {type(x)}) as input for layer '{layer_name}'.")
        shape, start = tuple(x.shape), f'Input {i} of layer "{layer_name}" is incompatible with the layer: '
        rank = len(shape)
        if s.ndim is not None and rank != s.ndim and not (s.allow_last_axis_squeeze and abs(rank - s.ndim) == 1):
            raise ValueError(f"{start}expected ndim={s.ndim}, found ndim={rank}. Full shape received: {shape}")
        if s.max_ndim is not None and rank > s.max_ndim:
            raise ValueError(f"{start}expected max_ndim={s.max_ndim}, found ndim={rank}")
        if s.min_ndim is not None and rank < s.min_ndim:
            raise ValueError(f"{start}expected min_ndim={s.min_ndim}, found ndim={rank}. Full shape received: {shape}")
        if s.dtype is not None and str(x.dtype) != str(s.dtype):
            raise ValueError(f"{start}expected dtype={s.dtype}, found dtype={x.dtype}")
        for axis, size in s.axes.items():
            if size is not None and _differs(shape[axis], size):
                raise ValueError(f"{start}expected axis {axis} of input shape to have value {size}, but received input with shape {shape}")
        if s.shape is not None and rank == len(s.shape):
            for d, want in zip(shape, s.shape, strict=True):
                if want is not None and _differs(d, want):
                    raise ValueError(f"{start}expected shape={s.shape}, found shape={shape}")


def _differs(d: Any, want: Any) -> bool:
    return d is not None and not isinstance(d, Dim) and d != want
