"""The workloads, as ordinary Keras scripts: every function takes a Keras module and gives (compiled model, x, y, batch size).

They use what `keras` and `kerasish` both have; nothing in the library knows of them.
"""

from typing import Any

import numpy as np

STEPS = 16  # batches of data a workload brings along


def _images(rows: int, size: int, channels: int, classes: int) -> tuple:
    rng = np.random.default_rng(0)
    return rng.random((rows, size, size, channels), "float32"), rng.integers(0, classes, rows).astype("int32")


def _tokens(rows: int, length: int, vocabulary: int, classes: int, labels: tuple = ()) -> tuple:
    rng = np.random.default_rng(0)
    x = rng.integers(0, vocabulary, (rows, length)).astype("int32")
    return x, rng.integers(0, classes, (rows, *labels)).astype("int32")


def mlp(keras: Any, batch: int = 128) -> tuple:
    """784-512-512-10 with dropout, as for MNIST."""
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((784,)), layers.Dense(512, activation="relu"), layers.Dropout(0.2),
         layers.Dense(512, activation="relu"), layers.Dropout(0.2), layers.Dense(10)]
    )  # fmt: skip
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
    x, y = _images(batch * STEPS, 28, 1, 10)
    return model, x.reshape(-1, 784), y, batch


def mlp_small_batch(keras: Any) -> tuple:
    """The same with batches of 32."""
    return mlp(keras, 32)


def convnet(keras: Any) -> tuple:
    """The small convolutional network of Keras's MNIST example."""
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((28, 28, 1)), layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
         layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2), layers.Flatten(), layers.Dropout(0.5),
         layers.Dense(10, activation="softmax")]
    )  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, *_images(128 * STEPS, 28, 1, 10), 128


def convnet_bn(keras: Any) -> tuple:
    """Three stages of two convolutions with batch normalization, 32, 64 and 128 channels, as for CIFAR."""
    layers = keras.layers
    model = keras.Sequential([layers.Input((32, 32, 3))])
    for stage, filters in enumerate((32, 64, 128)):
        for k in range(2):
            strides = 2 if stage and not k else 1
            model.add(layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False))
            model.add(layers.BatchNormalization())
            model.add(layers.Activation("relu"))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(10))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), loss, metrics=["accuracy"])
    return model, *_images(64 * 6, 32, 3, 10), 64


def lstm(keras: Any) -> tuple:
    """Embedding(20000, 128) and LSTM(128) over 80 tokens, as for IMDB."""
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((80,), dtype="int32"), layers.Embedding(20000, 128), layers.LSTM(128),
         layers.Dense(1, activation="sigmoid")]
    )  # fmt: skip
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model, *_tokens(32 * STEPS, 80, 20000, 2), 32


def _embedded(keras: Any, x: Any, length: int, vocabulary: int, width: int) -> Any:
    class Positions(keras.layers.Layer):
        """Learnt positions added to the tokens' vectors."""

        def build(self, shape: Any) -> None:
            self.table = self.add_weight(shape=shape[1:], initializer="uniform")

        def call(self, x: Any) -> Any:
            return x + self.table

    return Positions()(keras.layers.Embedding(vocabulary, width)(x))


def _transformer_block(keras: Any, x: Any, width: int, heads: int, key: int, hidden: int, causal: bool = False) -> Any:
    layers = keras.layers
    a = layers.MultiHeadAttention(heads, key)(x, x, use_causal_mask=causal)
    x = layers.LayerNormalization(epsilon=1e-6)(x + layers.Dropout(0.1)(a))
    f = layers.Dense(width)(layers.Dense(hidden, activation="relu")(x))
    return layers.LayerNormalization(epsilon=1e-6)(x + layers.Dropout(0.1)(f))


def text_transformer(keras: Any) -> tuple:
    """One block over 200 tokens of width 32 that classifies, as in Keras's text transformer example."""
    layers = keras.layers
    tokens = layers.Input((200,), dtype="int32")
    x = _transformer_block(keras, _embedded(keras, tokens, 200, 20000, 32), 32, 2, 32, 32)
    x = layers.Dropout(0.1)(layers.GlobalAveragePooling1D()(x))
    x = layers.Dropout(0.1)(layers.Dense(20, activation="relu")(x))
    model = keras.Model(tokens, layers.Dense(2, activation="softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, *_tokens(32 * STEPS, 200, 20000, 2), 32


def language_model(keras: Any) -> tuple:
    """Two causal blocks of width 128, 4 heads, over 128 tokens; predicts every next token."""
    layers = keras.layers
    tokens = layers.Input((128,), dtype="int32")
    x = _embedded(keras, tokens, 128, 1000, 128)
    for _ in range(2):
        x = _transformer_block(keras, x, 128, 4, 32, 512, causal=True)
    model = keras.Model(tokens, layers.Dense(1000)(x))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, _ = _tokens(32 * 4, 129, 1000, 2)
    return model, x[:, :-1].copy(), x[:, 1:].copy(), 32


def tabular(keras: Any) -> tuple:
    """30-64-64-1 on rows of a table."""
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((30,)), layers.Dense(64, activation="relu"), layers.Dense(64, activation="relu"),
         layers.Dense(1, activation="sigmoid")]
    )  # fmt: skip
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(0)
    x = rng.random((32 * 100, 30), "float32")
    return model, x, (x.sum(1) > 15).astype("float32"), 32


# -- not tuned for ----------------------------------------------------------------------------------------------------


def unet(keras: Any) -> tuple:
    """A two-level U-Net that marks pixels of 64 x 64 images."""
    layers = keras.layers

    def pair(x: Any, filters: int) -> Any:
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        return x

    image = layers.Input((64, 64, 1))
    a = pair(image, 16)
    b = pair(layers.MaxPooling2D()(a), 32)
    x = pair(layers.MaxPooling2D()(b), 64)
    x = pair(layers.Concatenate()([layers.Conv2DTranspose(32, 2, strides=2)(x), b]), 32)
    x = pair(layers.Concatenate()([layers.Conv2DTranspose(16, 2, strides=2)(x), a]), 16)
    model = keras.Model(image, layers.Conv2D(1, 1, activation="sigmoid")(x))
    model.compile("adam", "binary_crossentropy")
    x, _ = _images(16 * 4, 64, 1, 2)
    return model, x, (x > 0.5).astype("float32"), 16


def gru_tagger(keras: Any) -> tuple:
    """Embedding and GRU over 40 masked tokens, a tag for each."""
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((40,), dtype="int32"), layers.Embedding(5000, 64, mask_zero=True),
         layers.GRU(64, return_sequences=True), layers.Dense(12, activation="softmax")]
    )  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, *_tokens(32 * STEPS, 40, 5000, 12, (40,)), 32


def deep_mlp(keras: Any) -> tuple:
    """40 layers of 64 units."""
    layers = keras.layers
    model = keras.Sequential([layers.Input((30,)), *[layers.Dense(64, activation="relu") for _ in range(40)], layers.Dense(1)])
    model.compile("adam", "mse")
    rng = np.random.default_rng(0)
    x = rng.random((64 * STEPS, 30), "float32")
    return model, x, x.sum(1, keepdims=True), 64


def mobilenet_block(keras: Any) -> tuple:
    """Three inverted residual blocks on 32 x 32 images."""
    layers = keras.layers

    def block(x: Any, filters: int, strides: int) -> Any:
        y = layers.Conv2D(6 * x.shape[-1], 1, use_bias=False)(x)
        y = layers.ReLU(6.0)(layers.BatchNormalization()(y))
        y = layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(y)
        y = layers.ReLU(6.0)(layers.BatchNormalization()(y))
        y = layers.BatchNormalization()(layers.Conv2D(filters, 1, use_bias=False)(y))
        return x + y if strides == 1 and x.shape[-1] == filters else y

    image = layers.Input((32, 32, 3))
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(image)
    for filters, strides in ((16, 1), (24, 2), (24, 1)):
        x = block(x, filters, strides)
    model = keras.Model(image, layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling2D()(x)))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, *_images(32 * 4, 32, 3, 10), 32


WORKLOADS = {
    "W1": mlp, "W1s": mlp_small_batch, "W2": convnet, "W3": convnet_bn, "W4": lstm, "W5": text_transformer,
    "W5b": language_model, "W6": tabular, "unet": unet, "gru": gru_tagger, "deep": deep_mlp, "mobilenet": mobilenet_block,
}  # fmt: skip
