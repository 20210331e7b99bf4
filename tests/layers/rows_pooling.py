"""The rows of the table of layers: pooling over windows, over everything, and into a size."""

from typing import Any

import numpy as np
from layer_row import Row

_rng = np.random.RandomState(0)
INPUTS = {
    1: _rng.normal(size=(2, 9, 3)).astype("float32"),
    2: _rng.normal(size=(2, 7, 6, 3)).astype("float32"),
    3: _rng.normal(size=(2, 5, 4, 6, 2)).astype("float32"),
}
FIRST = {rank: np.moveaxis(x, -1, 1).copy() for rank, x in INPUTS.items()}
MASK = np.array([[1] * 9, [1, 1, 0, 1, 0, 0, 0, 1, 0]], bool)


def _row(cls: str, rank: int, what: str, *args: Any, call: Any = None, **options: Any) -> Row:
    first = options.get("data_format") == "channels_first"
    return Row(
        f"{cls} {what}", lambda keras: getattr(keras.layers, cls)(*args, name="layer", **options),
        (FIRST if first else INPUTS)[rank], call or {},
    )  # fmt: skip


ROWS = [
    *[
        row
        for kind in ("Max", "Average")
        for row in (
            _row(f"{kind}Pooling1D", 1, "2", 2),
            _row(f"{kind}Pooling1D", 1, "overlapping", 3, strides=2),
            _row(f"{kind}Pooling1D", 1, "same", 4, strides=3, padding="same"),
            _row(f"{kind}Pooling1D", 1, "with gaps", 2, strides=3),
            _row(f"{kind}Pooling1D", 1, "channels first", 2, data_format="channels_first"),
            _row(f"{kind}Pooling2D", 2, "2", 2),
            _row(f"{kind}Pooling2D", 2, "overlapping", (3, 2), strides=(2, 1)),
            _row(f"{kind}Pooling2D", 2, "same", 3, strides=2, padding="same"),
            _row(f"{kind}Pooling2D", 2, "same, stride 1", 2, strides=1, padding="same"),
            _row(f"{kind}Pooling2D", 2, "channels first, same", 2, padding="same", data_format="channels_first"),
            _row(f"{kind}Pooling3D", 3, "2", 2),
            _row(f"{kind}Pooling3D", 3, "same", (2, 3, 2), strides=2, padding="same"),
            _row(f"{kind}Pooling3D", 3, "channels first", (2, 1, 3), data_format="channels_first"),
            *[
                row
                for rank in (1, 2, 3)
                for row in (
                    _row(f"Global{kind}Pooling{rank}D", rank, ""),
                    _row(f"Global{kind}Pooling{rank}D", rank, "kept dimensions", keepdims=True),
                    _row(f"Global{kind}Pooling{rank}D", rank, "channels first", data_format="channels_first"),
                )
            ],
            _row(f"Adaptive{kind}Pooling1D", 1, "3 of 9", 3),
            _row(f"Adaptive{kind}Pooling1D", 1, "4 of 9", 4),
            _row(f"Adaptive{kind}Pooling1D", 1, "1, channels first", 1, data_format="channels_first"),
            _row(f"Adaptive{kind}Pooling2D", 2, "3", 3),
            _row(f"Adaptive{kind}Pooling2D", 2, "(2, 5)", (2, 5)),
            _row(f"Adaptive{kind}Pooling2D", 2, "channels first", (5, 4), data_format="channels_first"),
            _row(f"Adaptive{kind}Pooling3D", 3, "2", 2),
            _row(f"Adaptive{kind}Pooling3D", 3, "channels first", (3, 4, 1), data_format="channels_first"),
        )
    ],
    _row("GlobalAveragePooling1D", 1, "mask", call={"mask": MASK}),
    _row("GlobalAveragePooling1D", 1, "mask, channels first", data_format="channels_first", keepdims=True, call={"mask": MASK}),
]  # fmt: skip
