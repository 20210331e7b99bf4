"""The rows of the table of layers: normalization."""

from typing import Any

import numpy as np
from layer_row import Row

_rng = np.random.RandomState(0)
VECTORS = (_rng.normal(size=(6, 4)) * 2 + 1).astype("float32")
SEQUENCES = (_rng.normal(size=(3, 5, 4)) * 2 + 1).astype("float32")
IMAGES = (_rng.normal(size=(2, 3, 4, 6)) * 2 + 1).astype("float32")
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 1, 0, 1, 1]], bool)
TRAINING = {"training": True}


def _row(cls: str, what: str, inputs: Any, *args: Any, call: Any = None, scaled: bool = True, **options: Any) -> Row:
    """A layer whose scale and shift, if it has them, are not those it would be without."""

    def make(keras: Any) -> Any:
        given = dict(options)
        if scaled:
            draw = keras.initializers.RandomUniform
            given |= {"gamma_initializer": draw(0.5, 1.5, seed=1), "beta_initializer": draw(-1.0, 1.0, seed=2)}
        return getattr(keras.layers, cls)(*args, name="layer", **given)

    return Row(f"{cls} {what}", make, inputs, call or {})


def _batch(what: str, inputs: Any, call: Any = None, **options: Any) -> Row:
    def make(keras: Any) -> Any:
        draw = keras.initializers.RandomUniform
        return keras.layers.BatchNormalization(
            name="layer", gamma_initializer=draw(0.5, 1.5, seed=1), beta_initializer=draw(-1.0, 1.0, seed=2),
            moving_mean_initializer=draw(-1.0, 1.0, seed=3), moving_variance_initializer=draw(0.5, 2.0, seed=4), **options,
        )  # fmt: skip

    return Row(f"BatchNormalization {what}", make, inputs, call or {}, smooth=not options.get("renorm"))


ROWS = [
    _batch("inference", VECTORS),
    _batch("training", VECTORS, TRAINING),
    _batch("training on images", IMAGES, TRAINING),
    _batch("training along axis 1", IMAGES, TRAINING, axis=1),
    _batch("inference along axis 1", IMAGES, axis=1),
    _batch("without scale", VECTORS, TRAINING, scale=False, epsilon=0.1),
    _batch("without shift", VECTORS, TRAINING, center=False),
    _batch("masked training", SEQUENCES, {"mask": MASK, **TRAINING}),
    _batch("masked inference", SEQUENCES, {"mask": MASK}),
    _batch("frozen", VECTORS, TRAINING, trainable=False),
    _batch("renorm", VECTORS, TRAINING, renorm=True),
    _batch("renorm inference", VECTORS, renorm=True),
    _batch("renorm with bounds", IMAGES, TRAINING, renorm=True, renorm_clipping={"rmin": 0.9, "rmax": 1.1, "dmax": 0.2}),
    _batch("renorm without scale and shift", VECTORS, TRAINING, renorm=True, scale=False, center=False),
    _row("LayerNormalization", "default", VECTORS),
    _row("LayerNormalization", "of images", IMAGES),
    _row("LayerNormalization", "along axis 1", IMAGES, axis=1),
    _row("LayerNormalization", "along several axes", IMAGES, axis=[3, 1]),
    _row("LayerNormalization", "along the last axes", IMAGES, axis=(-2, -1)),
    _row("LayerNormalization", "without scale and shift", VECTORS, center=False, scale=False, epsilon=1e-5),
    _row("GroupNormalization", "two groups", IMAGES, 2),
    _row("GroupNormalization", "one group", SEQUENCES, 1),
    _row("GroupNormalization", "a group for each channel", IMAGES, -1),
    _row("GroupNormalization", "along axis 1", IMAGES, 3, axis=1),
    _row("GroupNormalization", "without scale", VECTORS, 2, scale=False),
    _row("GroupNormalization", "without shift", VECTORS, 2, center=False),
    _row("RMSNormalization", "default", SEQUENCES, scaled=False),
    _row("RMSNormalization", "along the last axes", IMAGES, axis=[-2, -1], scaled=False),
    _row("UnitNormalization", "default", SEQUENCES, scaled=False),
    _row("UnitNormalization", "along several axes", IMAGES, axis=[1, 2], scaled=False),
]


def _spectral(what: str, inputs: Any, make: Any, **options: Any) -> Row:
    """Outside training only: the first singular vector is drawn. What training does is tested by its own."""

    def wrapped(keras: Any) -> Any:
        inner = make(keras.layers, keras.initializers.GlorotUniform(seed=1))
        return keras.layers.SpectralNormalization(inner, name="layer", **options)

    return Row(f"SpectralNormalization {what}", wrapped, inputs)


ROWS += [
    _spectral("of Dense", VECTORS, lambda layers, draw: layers.Dense(3, kernel_initializer=draw, name="dense")),
    _spectral(
        "of Conv2D", IMAGES, lambda layers, draw: layers.Conv2D(2, 2, kernel_initializer=draw, name="conv"),
        power_iterations=3,
    ),
]  # fmt: skip
