"""Recurrent layers in every combination of their options that means something, and what one of them computes."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from layer_row import draw, fill

X = draw(3, 4, 2)
MASK = np.array([[1, 1, 1, 0], [0, 1, 0, 1], [0, 0, 0, 0]], bool)
SWITCHES = ("go_backwards", "stateful", "return_sequences", "return_state", "unroll")
KINDS = ("SimpleRNN", "LSTM", "GRU")


class Case(NamedTuple):
    """A kind of layer, its options, and whether it is called with a mask."""

    kind: str
    options: dict
    masked: bool

    def __str__(self) -> str:
        return " ".join([self.kind, *(name for name, on in self.options.items() if on), *["masked"][: self.masked]])

    def make(self, keras: Any, **more: Any) -> Any:
        """The layer with weights that are the same in every library."""
        layer = getattr(keras.layers, self.kind)(2, name="r", **self.options, **more)
        layer.build(X.shape)
        fill(layer)
        return layer

    @property
    def call(self) -> dict:
        return {"mask": MASK} if self.masked else {}


CASES = [
    Case(kind, dict(zip(SWITCHES, switches, strict=True)), masked)
    for kind in KINDS
    for switches in product((False, True), repeat=len(SWITCHES))
    for masked in (False, True)
]
