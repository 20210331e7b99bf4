"""Normalisation."""

from layer_row import Row, draw

X, IMAGE = draw(6, 4), draw(3, 4, 4, 2)
# float32 loses some of its digits in variances
NEAR = {"tolerance": 1e-4}

ROWS = [
    Row("BatchNormalization at rest", lambda k: k.layers.BatchNormalization(name="b"), X, {"training": False}, **NEAR),
    Row("BatchNormalization", lambda k: k.layers.BatchNormalization(name="b"), X, {"training": True}, **NEAR),
    Row("BatchNormalization of images", lambda k: k.layers.BatchNormalization(scale=False, name="b"), IMAGE, {"training": True}, **NEAR),
    Row("BatchNormalization channels first", lambda k: k.layers.BatchNormalization(axis=1, center=False, name="b"), IMAGE,
        {"training": True}, **NEAR),
    Row("LayerNormalization", lambda k: k.layers.LayerNormalization(name="l"), X, **NEAR),
    Row("LayerNormalization over axes", lambda k: k.layers.LayerNormalization(axis=(1, 2), epsilon=1e-2, name="l"), IMAGE, **NEAR),
]
