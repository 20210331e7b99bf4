"""Convolutions."""

from layer_row import Row, draw

LINE, IMAGE, VOLUME = draw(2, 7, 4), draw(2, 6, 5, 4), draw(1, 4, 4, 4, 2)


def row(name, make, inputs=IMAGE, **more):
    return Row(name, make, inputs, **more)


ROWS = [
    row("Conv1D", lambda k: k.layers.Conv1D(3, 3, name="c"), LINE),
    row("Conv1D causal dilated", lambda k: k.layers.Conv1D(3, 2, padding="causal", dilation_rate=2, name="c"), LINE),
    row("Conv2D", lambda k: k.layers.Conv2D(3, 3, name="c")),
    row("Conv2D same strided relu", lambda k: k.layers.Conv2D(3, (3, 2), strides=2, padding="same", activation="relu", name="c")),
    row("Conv2D dilated", lambda k: k.layers.Conv2D(3, 2, dilation_rate=(2, 1), use_bias=False, name="c")),
    row("Conv2D in groups", lambda k: k.layers.Conv2D(4, 3, groups=2, padding="same", name="c")),
    row("Conv3D", lambda k: k.layers.Conv3D(3, 2, padding="same", name="c"), VOLUME),
]
