"""Models as users write them, with steps of their own: they train by the static program and eagerly alike."""

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers, ops

rng = np.random.default_rng(0)
IMAGES = rng.random((48, 8, 8, 1)).astype("float32")
ROWS = rng.random((40, 4)).astype("float32")


class Sampling(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        mean, log_variance = inputs
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_variance) * noise


class VAE(keras.Model):
    """A variational autoencoder of two functional models; it has no call."""

    def __init__(self):
        super().__init__()
        image = keras.Input((8, 8, 1))
        x = layers.Flatten()(layers.Conv2D(8, 3, activation="relu", strides=2, padding="same")(image))
        mean, log_variance = layers.Dense(2)(x), layers.Dense(2)(x)
        self.encoder = keras.Model(image, [mean, log_variance, Sampling()([mean, log_variance])])
        code = keras.Input((2,))
        x = layers.Reshape((4, 4, 8))(layers.Dense(128, activation="relu")(code))
        x = layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid")(x)
        self.decoder = keras.Model(code, x)
        self.total = keras.metrics.Mean(name="total_loss")

    @property
    def metrics(self):
        return [self.total]

    def train_step(self, data):
        with keras.GradientTape() as tape:
            mean, log_variance, code = self.encoder(data)
            rebuilt = ops.mean(ops.sum(keras.losses.binary_crossentropy(data, self.decoder(code)), axis=(1, 2)))
            spread = -0.5 * (1 + log_variance - ops.square(mean) - ops.exp(log_variance))
            loss = rebuilt + ops.mean(ops.sum(spread, axis=1))
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        self.total.update_state(loss)
        return {"loss": self.total.result()}


def vae(eager):
    model = VAE()
    model.compile(optimizer=keras.optimizers.Adam(0.01), run_eagerly=eager)
    return model.fit(IMAGES, epochs=4, batch_size=20, verbose=0).history["loss"]


class GAN(keras.Model):
    """Two models against each other, with an optimizer each."""

    def __init__(self):
        super().__init__()
        self.critic = keras.Sequential([keras.Input((4,)), layers.Dense(8), layers.LeakyReLU(0.2), layers.Dense(1)])
        self.maker = keras.Sequential([keras.Input((3,)), layers.Dense(8), layers.LeakyReLU(0.2), layers.Dense(4, activation="sigmoid")])
        self.seed_generator = keras.random.SeedGenerator(1)
        self.critic_loss, self.maker_loss = keras.metrics.Mean(name="d_loss"), keras.metrics.Mean(name="g_loss")

    def compile(self, critic_optimizer, maker_optimizer, loss_fn, **kwargs):
        super().compile(**kwargs)
        self.critic_optimizer, self.maker_optimizer, self.loss_fn = critic_optimizer, maker_optimizer, loss_fn

    @property
    def metrics(self):
        return [self.critic_loss, self.maker_loss]

    def train_step(self, real):
        batch = ops.shape(real)[0]
        fake = self.maker(keras.random.normal((batch, 3), seed=self.seed_generator))
        x = ops.concatenate([fake, real], axis=0)
        y = ops.concatenate([ops.ones((batch, 1)), ops.zeros((batch, 1))], axis=0)
        with keras.GradientTape() as tape:
            d_loss = self.loss_fn(y, self.critic(x))
        weights = self.critic.trainable_weights
        self.critic_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights, strict=True))
        code = keras.random.normal((batch, 3), seed=self.seed_generator)
        with keras.GradientTape() as tape:
            g_loss = self.loss_fn(ops.zeros((batch, 1)), self.critic(self.maker(code)))
        weights = self.maker.trainable_weights
        self.maker_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights, strict=True))
        self.critic_loss.update_state(d_loss)
        self.maker_loss.update_state(g_loss)
        return {"d_loss": self.critic_loss.result(), "g_loss": self.maker_loss.result()}


def gan(eager):
    model = GAN()
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), keras.optimizers.SGD(0.0), loss, run_eagerly=eager)
    return model.fit(ROWS, epochs=6, batch_size=16, verbose=0).history["d_loss"]


def siamese(eager):
    encoder = keras.Sequential([keras.Input((4,)), layers.Dense(8, activation="tanh"), layers.BatchNormalization(), layers.Dense(4)])
    a, b = keras.Input((4,)), keras.Input((4,))
    apart = ops.sqrt(ops.maximum(ops.sum(ops.square(encoder(a) - encoder(b)), axis=1, keepdims=True), 1e-7))
    model = keras.Model([a, b], layers.Dense(1, activation="sigmoid")(apart))

    def contrastive(y, p):
        return ops.mean((1 - y) * ops.square(p) + y * ops.square(ops.maximum(1 - p, 0)))

    model.compile(loss=contrastive, optimizer="rmsprop", run_eagerly=eager)
    pair = [ROWS, ROWS[::-1].copy()]
    same = (np.abs(pair[0] - pair[1]).sum(1) > 1.2).astype("float32")[:, None]
    return model.fit(pair, same, epochs=10, batch_size=15, verbose=0).history["loss"]


class Block(layers.Layer):
    def __init__(self, width):
        super().__init__()
        self.attention = layers.MultiHeadAttention(num_heads=2, key_dim=width)
        self.feed = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(width)])
        self.first, self.second = layers.LayerNormalization(epsilon=1e-6), layers.LayerNormalization(epsilon=1e-6)

    def call(self, x):
        x = self.first(x + self.attention(x, x))
        return self.second(x + self.feed(x))


def transformer(eager):
    words = keras.Input((10,), dtype="int32")
    x = layers.GlobalAveragePooling1D()(Block(8)(layers.Embedding(20, 8)(words)))
    model = keras.Model(words, layers.Dense(2, activation="softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=eager)
    x = np.random.default_rng(1).integers(0, 20, (40, 10))
    return model.fit(x, (x[:, 0] > 9).astype("int32"), batch_size=16, epochs=6, verbose=0).history["loss"]


def encoder_decoder(eager):
    source = keras.Input((None, 4))
    _, h, c = layers.LSTM(8, return_state=True)(source)
    target = keras.Input((None, 5))
    y, _, _ = layers.LSTM(8, return_sequences=True, return_state=True)(target, initial_state=[h, c])
    model = keras.Model([source, target], layers.Dense(5, activation="softmax")(y))
    model.compile("adam", "categorical_crossentropy", run_eagerly=eager)
    words = np.eye(5, dtype="float32")[np.random.default_rng(2).integers(0, 5, (30, 6))]
    data = [np.random.default_rng(3).random((30, 7, 4)).astype("float32"), words]
    return model.fit(data, words, batch_size=8, epochs=5, verbose=0).history["loss"]


def half_precision(eager):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = keras.Sequential(
            [keras.Input((4,)), layers.Dense(16, activation="relu"), layers.BatchNormalization(), layers.Dense(2),
             layers.Activation("softmax", dtype="float32")]
        )  # fmt: skip
        model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=eager)
        assert type(model.optimizer) is keras.optimizers.LossScaleOptimizer
        return model.fit(ROWS, (ROWS[:, 0] > 0.5).astype("int32"), epochs=8, verbose=0).history["loss"]
    finally:
        keras.config.set_dtype_policy("float32")
        keras.dtype_policies._global.clear()


MODELS = [vae, gan, siamese, transformer, encoder_decoder, half_precision]


@pytest.mark.parametrize("train", MODELS, ids=lambda f: f.__name__)
def test_it_learns_alike_in_both_modes(train):
    losses = []
    for eager in (False, True):
        keras.utils.clear_session()
        keras.utils.set_random_seed(7)
        losses.append(train(eager))
    np.testing.assert_allclose(losses[0], losses[1], rtol=2e-2 if train is half_precision else 2e-4)
    assert np.isfinite(losses[0]).all() and losses[0][-1] < losses[0][0]


def test_a_frozen_part_stays_as_it_is():
    base = keras.Sequential([keras.Input((4,)), layers.Dense(4), layers.BatchNormalization()])
    base.trainable = False
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(1)(base(x, training=False)))
    model.compile("sgd", "mse")
    before = base.get_weights()
    model.fit(ROWS, np.ones((40, 1)), verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, base.get_weights(), strict=True))
    assert len(model.trainable_weights) == 2
