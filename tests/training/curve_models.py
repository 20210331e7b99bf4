"""Small models to train for a hundred steps, in `keras` or in us: the tests and tests/golden/make_curves.py."""

import numpy as np

STEPS, BATCH = 100, 8
rng = np.random.default_rng(3)
VECTORS = rng.normal(size=(STEPS * BATCH, 6)).astype("float32")
IMAGES = rng.normal(size=(STEPS * BATCH, 6, 6, 2)).astype("float32")
TOKENS = rng.integers(0, 12, (STEPS * BATCH, 5)).astype("int32")
CLASSES = (VECTORS @ rng.normal(size=(6, 3))).argmax(1).astype("int32")
TARGETS = np.tanh(IMAGES.mean((1, 2)) @ rng.normal(size=(2, 2))).astype("float32")
SIGNS = (TOKENS.sum(1) % 2).astype("float32")[:, None]


def mlp(keras):
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((6,)), layers.Dense(16, activation="relu"), layers.Dense(16, activation="tanh"), layers.Dense(3)]
    )
    return model, keras.losses.SparseCategoricalCrossentropy(from_logits=True), VECTORS, CLASSES


def cnn(keras):
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((6, 6, 2)), layers.Conv2D(4, 3, padding="same", use_bias=False), layers.BatchNormalization(),
         layers.Activation("relu"), layers.MaxPooling2D(), layers.Conv2D(4, 2, activation="relu"),
         layers.GlobalAveragePooling2D(), layers.LayerNormalization(), layers.Dense(2)]
    )  # fmt: skip
    return model, "mse", IMAGES, TARGETS


def lstm(keras):
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((5,), dtype="int32"), layers.Embedding(12, 6), layers.LSTM(8), layers.Dense(1, activation="sigmoid")]
    )
    return model, "binary_crossentropy", TOKENS, SIGNS


MODELS = {"mlp": mlp, "cnn": cnn, "lstm": lstm}
OPTIMIZERS = {
    "SGD": lambda keras: keras.optimizers.SGD(0.05),
    "momentum": lambda keras: keras.optimizers.SGD(0.02, momentum=0.9),
    "Nesterov": lambda keras: keras.optimizers.SGD(0.02, momentum=0.9, nesterov=True),
    "RMSprop": lambda keras: keras.optimizers.RMSprop(0.002),
    "Adam": lambda keras: keras.optimizers.Adam(0.005),
}


def start(model):
    """Give a model the same weights in every library."""
    rng = np.random.default_rng(11)
    for w in model.trainable_weights:
        value = rng.normal(size=w.shape).astype("float32") / max(1, np.prod(w.shape[:-1])) ** 0.5
        w.assign(1 + 0.1 * value if "gamma" in w.path else value)


def curve(keras, model_name, optimizer_name, **compile_options):
    """The mean loss so far after each of 100 steps, and the outputs for ten rows before and after them."""
    model, loss, x, y = MODELS[model_name](keras)
    start(model)
    model.compile(OPTIMIZERS[optimizer_name](keras), loss, **compile_options)
    before = model.predict(x[:10], verbose=0)
    losses = []
    watch = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: losses.append(float(logs["loss"])))
    model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[watch])
    return np.array(losses), before, model.predict(x[:10], verbose=0)
