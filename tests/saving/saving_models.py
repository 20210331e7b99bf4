"""Small models of every shape that files know, made of `keras` or of us: the tests and tests/golden/make_saving.py."""

import numpy as np

rng = np.random.default_rng(7)
VECTORS = rng.normal(size=(4, 3)).astype("float32")
TARGETS = rng.normal(size=(4, 2)).astype("float32")
IMAGES = rng.normal(size=(2, 6, 6, 2)).astype("float32")
WORDS = np.array([[1, 2, 3, 0], [4, 5, 0, 0]], "int32")


def sequential(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((3,)),
            layers.Dense(4, activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.0),  # no draw, so that training on gives the same numbers everywhere
            layers.Dense(2, use_bias=False),
        ],
        name="chain",
    )
    model.compile("adam", "mse", metrics=["mae"])
    return model


def functional(keras):
    layers, ops = keras.layers, keras.ops
    x = layers.Input((3,), name="x")
    inner = keras.Sequential([layers.Input((3,)), layers.Dense(3), layers.Dense(3, activation="tanh")], name="inner")
    shared = layers.Dense(3, name="shared")
    y = layers.Add()([shared(inner(shared(x))), x])
    y = ops.concatenate([y[:, :2], ops.exp(y) * 2.0 - 1.0], axis=-1)
    y = layers.Dense(2, name="y")(y)
    model = keras.Model(x, y, name="graph")
    model.compile(
        keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9), momentum=0.9),
        keras.losses.MeanSquaredError(reduction="sum"),
        metrics=[keras.metrics.MeanSquaredError()],
    )
    return model


def several(keras):
    layers = keras.layers
    a, b = layers.Input((3,), name="a"), layers.Input((3,), name="b")
    joined = layers.Concatenate()([a, b])
    model = keras.Model({"a": a, "b": b}, [layers.Dense(2, name="p")(joined), layers.Dense(1, name="q")(joined)])
    model.compile("rmsprop", ["mse", "mae"], loss_weights=[1.0, 0.5])
    return model


def blocks(keras):
    """A subclass with layers in lists and dicts, before and after `layers` in the alphabet, and private ones."""
    layers = keras.layers

    @keras.saving.register_keras_serializable("saving_models")
    class Blocks(keras.Model):
        def __init__(self, size=3, **kwargs):
            super().__init__(**kwargs)
            self.size = size
            self.blocks = [layers.Dense(size), layers.Dense(size)]
            self.by_key = {"z": layers.Dense(2), "a": [layers.Dense(2), layers.Dense(2)]}
            self._hidden = layers.Dense(2)
            self.tail = layers.Dense(2)
            self.first = self.blocks[0]
            self.scale = self.add_weight(shape=(2,), initializer="ones", name="scale")

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            y = self._hidden(x) + self.by_key["z"](x) + self.tail(x)
            return (y + self.by_key["a"][0](x) + self.by_key["a"][1](x)) * self.scale

        def get_config(self):
            return {**super().get_config(), "size": self.size}

    model = Blocks(name="blocks")
    model(VECTORS)
    model.compile("adam", "mse")
    return model


def recurrent(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((4,), dtype="int32"),
            layers.Embedding(6, 3, mask_zero=True),
            layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
            layers.TimeDistributed(layers.Dense(3)),
            layers.GRU(2),
        ],
        name="recurrent",
    )


def convolutional(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((6, 6, 2)),
            layers.Conv2D(3, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.SeparableConv2D(2, 2),
            layers.DepthwiseConv2D(2),
            layers.Flatten(),
            layers.LayerNormalization(),
            layers.Dense(2, activation="softmax"),
        ],
        name="convolutional",
    )


def normalized(keras):
    """Layers over space and of normalization, with statistics, a wrapper, and weights of several names."""
    layers = keras.layers
    x = layers.Input((6, 6, 2))
    y = layers.ZeroPadding2D(((1, 0), (0, 1)))(x)
    y = layers.BatchNormalization(renorm=True, renorm_clipping={"rmax": 2.0, "dmax": 1.0})(y)
    y = layers.Conv2DTranspose(4, 3, strides=2, padding="same", output_padding=1)(y)
    y = layers.GroupNormalization(2)(layers.Cropping2D(2)(y))
    y = layers.SpectralNormalization(layers.Conv2D(4, 2, groups=2), power_iterations=2)(y)
    y = layers.RMSNormalization()(layers.AveragePooling2D(2)(y))
    y = layers.UpSampling2D(2, interpolation="bilinear")(y)
    y = layers.UnitNormalization()(layers.AdaptiveMaxPooling2D(3)(y))
    y = layers.LayerNormalization()(layers.MaxPooling2D(2, strides=1, padding="same")(y))
    return keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y)), name="normalized")


def attention(keras):
    layers = keras.layers
    x = layers.Input((4,), dtype="int32")
    y = layers.Embedding(6, 4)(x)
    y = layers.LayerNormalization()(y + layers.MultiHeadAttention(2, 2)(y, y))
    y = layers.GlobalAveragePooling1D()(y)
    return keras.Model(x, layers.Dense(2)(y), name="attention")


# name: (function of keras, inputs, targets to train on or None, formats)
MODELS = {
    "sequential": (sequential, VECTORS, TARGETS, ("keras", "weights.h5", "h5")),
    "functional": (functional, VECTORS, TARGETS, ("keras", "h5")),
    "several": (several, {"a": VECTORS, "b": VECTORS[::-1]}, [TARGETS, TARGETS[:, :1]], ("keras", "h5")),
    "blocks": (blocks, VECTORS, TARGETS, ("keras", "weights.h5")),
    "recurrent": (recurrent, WORDS, None, ("keras", "h5")),
    "convolutional": (convolutional, IMAGES, None, ("weights.h5", "h5")),
    "normalized": (normalized, IMAGES, None, ("keras", "weights.h5", "h5")),
    "attention": (attention, WORDS, None, ("keras",)),
}


def fill(model, seed=3):
    """Give every weight a value of its own, so that no two can be taken for each other."""
    values = np.random.default_rng(seed)
    for v in model.weights:
        v.assign(values.uniform(0.1, 1.0, size=tuple(v.shape)).astype("float32"))


def outputs(model, x):
    y = model.predict(x, verbose=0)
    return [np.asarray(part) for part in (y if isinstance(y, list) else [y])]
