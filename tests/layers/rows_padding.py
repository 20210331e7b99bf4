"""The rows of the table of layers: padding, cropping, and repetition in space."""

from typing import Any

import numpy as np
from layer_row import Row

_rng = np.random.RandomState(0)
INPUTS = {
    1: _rng.normal(size=(2, 7, 3)).astype("float32"),
    2: _rng.normal(size=(2, 5, 6, 3)).astype("float32"),
    3: _rng.normal(size=(1, 5, 4, 6, 2)).astype("float32"),
}
FIRST = {rank: np.moveaxis(x, -1, 1).copy() for rank, x in INPUTS.items()}


def _row(cls: str, rank: int, what: str, *args: Any, **options: Any) -> Row:
    first = options.get("data_format") == "channels_first"
    return Row(
        f"{cls} {what}", lambda keras: getattr(keras.layers, cls)(*args, name="layer", **options),
        (FIRST if first else INPUTS)[rank],
    )  # fmt: skip


ROWS = [
    _row("ZeroPadding1D", 1, "default"),
    _row("ZeroPadding1D", 1, "a pair", (2, 0)),
    _row("ZeroPadding1D", 1, "channels first", 2, data_format="channels_first"),
    _row("ZeroPadding2D", 2, "default"),
    _row("ZeroPadding2D", 2, "for each axis", (1, 3)),
    _row("ZeroPadding2D", 2, "pairs", ((1, 0), (2, 3))),
    _row("ZeroPadding2D", 2, "channels first", ((0, 1), (2, 0)), data_format="channels_first"),
    _row("ZeroPadding3D", 3, "default"),
    _row("ZeroPadding3D", 3, "pairs", ((1, 0), (2, 3), (0, 0))),
    _row("ZeroPadding3D", 3, "channels first", (0, 1, 2), data_format="channels_first"),
    _row("Cropping1D", 1, "default"),
    _row("Cropping1D", 1, "a pair", (2, 0)),
    _row("Cropping2D", 2, "nothing"),
    _row("Cropping2D", 2, "for each axis", (1, 2)),
    _row("Cropping2D", 2, "pairs", ((1, 0), (0, 3))),
    _row("Cropping2D", 2, "channels first", ((0, 1), (2, 1)), data_format="channels_first"),
    _row("Cropping3D", 3, "default"),
    _row("Cropping3D", 3, "pairs", ((1, 0), (0, 3), (2, 2))),
    _row("Cropping3D", 3, "channels first", 1, data_format="channels_first"),
    _row("UpSampling1D", 1, "default"),
    _row("UpSampling1D", 1, "3", 3),
    _row("UpSampling2D", 2, "default"),
    _row("UpSampling2D", 2, "bilinear", (2, 3), interpolation="bilinear"),
    _row("UpSampling2D", 2, "bicubic, channels first", 2, interpolation="bicubic", data_format="channels_first"),
    _row("UpSampling2D", 2, "lanczos3", 2, interpolation="lanczos3"),
    _row("UpSampling2D", 2, "channels first", (3, 2), data_format="channels_first"),
    _row("UpSampling3D", 3, "default"),
    _row("UpSampling3D", 3, "channels first", (1, 3, 2), data_format="channels_first"),
]  # fmt: skip
