"""The rows of the table of layers: convolutions."""

from typing import Any

import numpy as np
from layer_row import Row

_rng = np.random.RandomState(0)
INPUTS = {
    1: _rng.normal(size=(2, 9, 4)).astype("float32"),
    2: _rng.normal(size=(2, 7, 6, 4)).astype("float32"),
    3: _rng.normal(size=(1, 4, 5, 4, 2)).astype("float32"),
}
FIRST = {rank: np.moveaxis(x, -1, 1).copy() for rank, x in INPUTS.items()}


def _row(cls: str, rank: int, what: str, *args: Any, **options: Any) -> Row:
    """A layer of a class, with a bias that shows, on channels-last or channels-first inputs."""
    first = options.get("data_format") == "channels_first"
    options.setdefault("bias_initializer", "ones")

    def make(keras: Any) -> Any:
        given = dict(options)
        seeded = {k: keras.initializers.GlorotUniform(seed=i + 1) for i, k in enumerate(_drawn(cls)) if k not in given}
        return getattr(keras.layers, cls)(*args, name="layer", **seeded, **given)

    return Row(f"{cls} {what}", make, (FIRST if first else INPUTS)[rank])


def _drawn(cls: str) -> list:
    if cls.startswith("Separable"):
        return ["depthwise_initializer", "pointwise_initializer"]
    return ["depthwise_initializer" if cls.startswith("Depthwise") else "kernel_initializer"]


ROWS = [
    _row("Conv1D", 1, "valid", 3, 3),
    _row("Conv1D", 1, "same strided", 3, 4, strides=2, padding="same"),
    _row("Conv1D", 1, "causal", 3, 3, padding="causal"),
    _row("Conv1D", 1, "causal dilated", 3, 2, padding="causal", dilation_rate=3, activation="tanh"),
    _row("Conv1D", 1, "causal strided, channels first", 3, 3, padding="causal", strides=2, data_format="channels_first"),
    _row("Conv1D", 1, "groups without bias", 6, 3, groups=2, use_bias=False),
    _row("Conv2D", 2, "valid", 5, 3),
    _row("Conv2D", 2, "same relu", 5, (3, 2), padding="same", activation="relu"),
    _row("Conv2D", 2, "strided", 5, 3, strides=(2, 1)),
    _row("Conv2D", 2, "same strided", 5, 3, strides=2, padding="same"),
    _row("Conv2D", 2, "same wide strides", 5, 2, strides=3, padding="same"),
    _row("Conv2D", 2, "dilated", 5, 2, dilation_rate=(2, 3)),
    _row("Conv2D", 2, "same dilated", 5, 3, dilation_rate=2, padding="same"),
    _row("Conv2D", 2, "groups", 6, 3, groups=2, padding="same"),
    _row("Conv2D", 2, "a group for each channel", 4, 3, groups=4),
    _row("Conv2D", 2, "channels first", 5, 3, data_format="channels_first"),
    _row("Conv2D", 2, "channels first, groups, same, strided", 4, 3, groups=2, strides=2, padding="same", data_format="channels_first"),
    _row("Conv2D", 2, "one by one", 3, 1),
    _row("Conv2D", 2, "regularized and constrained", 3, 2, kernel_regularizer="l2", bias_regularizer="l2", kernel_constraint="max_norm"),
    _row("Conv3D", 3, "valid", 3, 2),
    _row("Conv3D", 3, "same strided", 3, (2, 3, 2), strides=(1, 2, 2), padding="same"),
    _row("Conv3D", 3, "channels first, dilated", 3, 2, dilation_rate=(1, 2, 1), data_format="channels_first"),
    _row("Conv3D", 3, "groups", 4, 2, groups=2),
    _row("Conv1DTranspose", 1, "valid", 3, 3),
    _row("Conv1DTranspose", 1, "same strided", 3, 3, strides=2, padding="same"),
    _row("Conv1DTranspose", 1, "strides wider than the kernel", 3, 2, strides=4),
    _row("Conv1DTranspose", 1, "same, strides wider than the kernel", 3, 2, strides=4, padding="same"),
    _row("Conv1DTranspose", 1, "output padding", 3, 4, strides=3, output_padding=2),
    _row("Conv1DTranspose", 1, "same, output padding", 3, 4, strides=3, padding="same", output_padding=0),
    _row("Conv1DTranspose", 1, "dilated, channels first", 3, 3, dilation_rate=2, data_format="channels_first"),
    _row("Conv2DTranspose", 2, "valid strided", 3, 3, strides=2),
    _row("Conv2DTranspose", 2, "same strided relu", 3, (3, 4), strides=(2, 3), padding="same", activation="relu"),
    _row("Conv2DTranspose", 2, "same", 3, 4, padding="same"),
    _row("Conv2DTranspose", 2, "same dilated", 3, (3, 2), padding="same", dilation_rate=2),
    _row("Conv2DTranspose", 2, "same, output padding", 3, (3, 4), strides=(2, 3), padding="same", output_padding=(1, 2)),
    _row("Conv2DTranspose", 2, "channels first, no bias", 3, 3, strides=2, padding="same", data_format="channels_first", use_bias=False),
    _row("Conv3DTranspose", 3, "strided", 2, 2, strides=2),
    _row("Conv3DTranspose", 3, "same, output padding", 2, 3, strides=2, padding="same", output_padding=1),
    _row("Conv3DTranspose", 3, "channels first", 2, (1, 2, 3), padding="same", data_format="channels_first"),
    _row("DepthwiseConv1D", 1, "valid", 3),
    _row("DepthwiseConv1D", 1, "multiplier, same, strided", 3, strides=2, padding="same", depth_multiplier=2),
    _row("DepthwiseConv1D", 1, "channels first, dilated", 2, dilation_rate=2, data_format="channels_first"),
    _row("DepthwiseConv2D", 2, "valid", 3),
    _row("DepthwiseConv2D", 2, "multiplier, same, strided", (3, 2), strides=2, padding="same", depth_multiplier=3),
    _row("DepthwiseConv2D", 2, "same dilated", 3, dilation_rate=2, padding="same", activation="relu"),
    _row("DepthwiseConv2D", 2, "channels first", 3, depth_multiplier=2, data_format="channels_first", use_bias=False),
    _row("SeparableConv1D", 1, "valid", 3, 3),
    _row("SeparableConv1D", 1, "multiplier, same, strided", 3, 3, strides=2, padding="same", depth_multiplier=2),
    _row("SeparableConv1D", 1, "channels first", 3, 2, data_format="channels_first"),
    _row("SeparableConv2D", 2, "valid", 3, 3),
    _row("SeparableConv2D", 2, "multiplier, same, strided", 3, (3, 2), strides=2, padding="same", depth_multiplier=2),
    _row("SeparableConv2D", 2, "dilated", 3, 2, dilation_rate=2, activation="tanh"),
    _row("SeparableConv2D", 2, "channels first, no bias", 3, 3, depth_multiplier=2, data_format="channels_first", use_bias=False),
]  # fmt: skip
