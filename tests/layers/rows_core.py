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
    row("Softmax masked", lambda k: k.layers.Softmax(name="s"), SEQUENCE, call={"mask": np.array([[[1, 0, 1]] * 5, [[0, 0, 0]] * 5], bool)}),
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

ROWS += [
    row("LeakyReLU", lambda k: k.layers.LeakyReLU(0.1, name="l")),
    row("ELU", lambda k: k.layers.ELU(0.7, name="l")),
    row("PReLU", lambda k: k.layers.PReLU(name="l")),
    row("PReLU shared", lambda k: k.layers.PReLU(shared_axes=[1], name="l"), SEQUENCE),
    row("SpatialDropout1D", lambda k: k.layers.SpatialDropout1D(0.5, seed=1, name="d"), SEQUENCE, call={"training": True}, random=True),
    row("SpatialDropout2D", lambda k: k.layers.SpatialDropout2D(0.5, "channels_first", seed=1, name="d"), draw(2, 3, 4, 4),
        call={"training": True}, random=True),
    row("SpatialDropout3D", lambda k: k.layers.SpatialDropout3D(0.5, seed=1, name="d"), draw(1, 2, 2, 2, 4), call={"training": True}, random=True),
    row("AlphaDropout", lambda k: k.layers.AlphaDropout(0.4, seed=1, name="d"), call={"training": True}, random=True),
    row("GaussianDropout", lambda k: k.layers.GaussianDropout(0.4, seed=1, name="d"), call={"training": True}, random=True),
    row("GaussianNoise", lambda k: k.layers.GaussianNoise(0.4, seed=1, name="d"), call={"training": True}, random=True),
    row("GaussianNoise at rest", lambda k: k.layers.GaussianNoise(0.4, seed=1, name="d"), call={"training": False}),
    row("ActivityRegularization", lambda k: k.layers.ActivityRegularization(0.1, 0.2, name="d")),
    row("Masking", lambda k: k.layers.Masking(name="m"), np.concatenate([SEQUENCE, np.zeros((2, 2, 3), "float32")], 1),
        differentiable=False),
    row("Dot", lambda k: k.layers.Dot(axes=1, name="d"), PAIR),
    row("Dot of sequences", lambda k: k.layers.Dot(axes=(2, 1), name="d"), [draw(2, 4, 3), draw(2, 3, 5)]),
    row("Dot normalized", lambda k: k.layers.Dot(axes=2, normalize=True, name="d"), [draw(2, 4, 3), draw(2, 5, 3)]),
    row("ReversibleEmbedding", lambda k: k.layers.ReversibleEmbedding(5, 3, name="e"), WORDS),
    row("ReversibleEmbedding reversed", lambda k: k.layers.ReversibleEmbedding(5, 3, tie_weights=False, logit_soft_cap=2.0, name="e"),
        SEQUENCE, call={"reverse": True}, mixed=False),
    row("Pipeline", lambda k: k.layers.Pipeline([k.layers.Rescaling(2.0, name="a"), k.layers.Rescaling(1.0, offset=3.0, name="b")], name="p")),
]
