"""Core layers: dense, embedding, reshaping, merging, activations, dropout."""

import numpy as np
from layer_row import Row, draw

X = draw(4, 3)
SEQUENCE = draw(2, 5, 3)
WORDS = np.array([[1, 2, 0], [3, 0, 0]], "int32")
PAIR = [draw(2, 3), draw(2, 3, seed=1)]


def row(name, make, inputs=X, **more):
    return Row(name, make, inputs, **more)


ROWS = [
    row("Dense", lambda k: k.layers.Dense(4, name="d")),
    row("Dense of sequences, tanh, no bias", lambda k: k.layers.Dense(2, "tanh", use_bias=False, name="d"), SEQUENCE),
    row("Dense regularized", lambda k: k.layers.Dense(
        2, "relu", kernel_regularizer="l2", bias_constraint="non_neg", kernel_initializer=k.initializers.HeNormal(seed=1),
        name="d")),
    row("Embedding", lambda k: k.layers.Embedding(5, 3, name="e"), WORDS),
    row("Embedding with mask", lambda k: k.layers.Embedding(5, 3, mask_zero=True, embeddings_regularizer="l1", name="e"), WORDS),
    row("Activation", lambda k: k.layers.Activation("gelu", name="a")),
    row("Identity", lambda k: k.layers.Identity(name="i")),
    row("ReLU", lambda k: k.layers.ReLU(name="r")),
    row("ReLU bounded", lambda k: k.layers.ReLU(max_value=0.6, negative_slope=0.1, threshold=0.2, name="r")),
    row("Softmax", lambda k: k.layers.Softmax(name="s"), SEQUENCE),
    row("Softmax over an axis", lambda k: k.layers.Softmax(axis=1, name="s"), SEQUENCE),
    row("Flatten", lambda k: k.layers.Flatten(name="f"), SEQUENCE),
    row("Flatten channels first", lambda k: k.layers.Flatten("channels_first", name="f"), SEQUENCE),
    row("Reshape", lambda k: k.layers.Reshape((3, 5), name="r"), SEQUENCE),
    row("Reshape to what is left", lambda k: k.layers.Reshape((-1, 5), name="r"), SEQUENCE),
    row("Permute", lambda k: k.layers.Permute((2, 1), name="p"), SEQUENCE),
    row("RepeatVector", lambda k: k.layers.RepeatVector(3, name="r")),
    row("Rescaling", lambda k: k.layers.Rescaling(2.0, offset=-1.0, name="r")),
    row("Add", lambda k: k.layers.Add(name="m"), PAIR),
    row("Add of three", lambda k: k.layers.Add(name="m"), [*PAIR, draw(2, 3, seed=2)]),
    row("Add broadcast", lambda k: k.layers.Add(name="m"), [draw(2, 4, 3), draw(2, 1, 3)]),
    row("Subtract", lambda k: k.layers.Subtract(name="m"), PAIR),
    row("Multiply", lambda k: k.layers.Multiply(name="m"), PAIR),
    row("Average", lambda k: k.layers.Average(name="m"), PAIR),
    row("Maximum", lambda k: k.layers.Maximum(name="m"), PAIR),
    row("Minimum", lambda k: k.layers.Minimum(name="m"), PAIR),
    row("Concatenate", lambda k: k.layers.Concatenate(name="m"), PAIR),
    row("Concatenate over time", lambda k: k.layers.Concatenate(axis=1, name="m"), [draw(2, 4, 3), draw(2, 2, 3)]),
    row("Dropout at rest", lambda k: k.layers.Dropout(0.5, seed=1, name="d"), call={"training": False}),
    row("Dropout", lambda k: k.layers.Dropout(0.5, seed=1, name="d"), call={"training": True}, random=True),
    row("Dropout by channel", lambda k: k.layers.Dropout(0.5, noise_shape=(None, 1, None), seed=1, name="d"), SEQUENCE,
        call={"training": True}, random=True),
]
