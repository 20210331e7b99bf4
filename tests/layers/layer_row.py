"""What a row of the table of layers says, and what is done with a layer in every library alike."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Row:
    """A layer in one of the ways in which it can be used.

    id:             unique over all rows
    make:           takes `keras` or us and gives a fresh layer, always with a name, and with a seed where it draws
    inputs:         an array, or a list or dict of arrays; axis 0 is the batch
    call:           further arguments of the call
    star:           the inputs are a list of several positional arguments
    differentiable: gradients in inputs and weights are compared with Keras's and with finite differences
    random:         what it computes is drawn: compared with itself only
    symbolic:       can be part of a functional model and of a program
    mixed:          runs under mixed_float16
    smooth:         finite differences give its gradient, too (not where a layer stops gradients)
    tolerance:      of outputs and gradients against Keras's
    """

    id: str
    make: Callable[[Any], Any]
    inputs: Any
    call: dict = field(default_factory=dict)
    differentiable: bool = True
    random: bool = False
    symbolic: bool = True
    mixed: bool = True
    smooth: bool = True
    tolerance: float = 1e-5
    star: bool = False

    def apply(self, layer: Any, inputs: Any, call: dict | None = None) -> Any:
        """Call a layer as the row says."""
        call = self.call if call is None else call
        return layer(*inputs, **call) if self.star else layer(inputs, **call)

    def __str__(self) -> str:
        return self.id


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    """The same floats everywhere, none of them near a kink at zero."""
    x = np.random.RandomState(seed + sum(shape)).uniform(-1, 1, shape)
    return (x + np.copysign(0.05, x)).astype("float32")


def flat(structure: Any) -> list:
    """The leaves of lists, tuples and dicts, dicts by sorted keys."""
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in flat(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for part in structure for leaf in flat(part)]
    return [] if structure is None else [structure]


def fill(layer: Any) -> None:
    """Give every weight a value of its own that is the same in every library."""
    rng = np.random.RandomState(5)
    for w in layer.weights:
        if np.issubdtype(np.dtype(str(w.dtype)), np.floating):
            value = rng.uniform(-0.5, 0.5, tuple(w.shape))
            w.assign((np.abs(value) + 0.5 if "variance" in w.path or "stddev" in w.path else value).astype(str(w.dtype)))


def cotangents(outputs: list) -> list[np.ndarray]:
    """Factors for outputs, so that their weighted sum has a gradient of its own everywhere."""
    rng = np.random.RandomState(9)
    return [rng.uniform(0.5, 1.5, tuple(np.shape(y))) for y in outputs]


def is_float(x: Any) -> bool:
    return str(np.asarray(x).dtype).startswith("float")
