"""Gradient accumulation and a learning-rate finder, as users write them."""

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers, ops

rng = np.random.RandomState(5)
X = rng.normal(size=(48, 4)).astype("float32")
Y = (X @ rng.normal(size=(4, 2))).astype("float32")


def network(cls=keras.Model):
    x = keras.Input((4,))
    model = cls(x, layers.Dense(2)(layers.Dense(8, activation="tanh")(x)))
    draw = np.random.RandomState(6)
    for w in model.trainable_weights:
        w.assign(draw.normal(size=w.shape) * 0.3)
    return model


class Accumulating(keras.Model):
    """Sums the gradients of four batches before it takes a step, in a train_step of its own."""

    every = 4

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.batches = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="batches")
        self.sums = [self.add_weight(shape=w.shape, initializer="zeros", trainable=False, name="sum") for w in self.trainable_weights]

    def train_step(self, data):
        x, y = data
        with keras.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_weights)
        self.batches.assign_add(1)
        full = ops.equal(self.batches % self.every, 0)
        for s, g in zip(self.sums, gradients, strict=True):
            s.assign_add(g / self.every)
        keep = ops.cast(full, "float32")
        self.optimizer.apply_gradients([(s * keep, w) for s, w in zip(self.sums, self.trainable_weights, strict=True)])
        for s in self.sums:
            s.assign(s * (1 - keep))
        return {"loss": loss}


def weights_after(model, batch_size, eager, **options):
    model.compile(keras.optimizers.SGD(0.1, **options), "mse", run_eagerly=eager)
    model.fit(X, Y, batch_size=batch_size, epochs=2, shuffle=False, verbose=0)
    return [w.numpy() for w in model.trainable_weights]


@pytest.mark.parametrize("eager", [False, True])
def test_gradient_accumulation(eager):
    """Four batches of four rows make the step of one batch of sixteen, however it is written."""
    want = weights_after(network(), 16, eager)
    by_option = weights_after(network(), 4, eager, gradient_accumulation_steps=4)
    by_hand = weights_after(network(Accumulating), 4, eager)
    for a, b, c in zip(want, by_option, by_hand, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(c, a, rtol=1e-4, atol=1e-6)


class LearningRateFinder(keras.callbacks.Callback):
    """Raises the rate from batch to batch until the loss explodes, then puts everything back."""

    def __init__(self, lowest=1e-4, factor=1.3):
        super().__init__()
        self.lowest, self.factor, self.rates, self.losses = lowest, factor, [], []

    def on_train_begin(self, logs=None):
        self.weights, self.rate = self.model.get_weights(), float(self.model.optimizer.learning_rate)
        self.model.optimizer.learning_rate = self.lowest

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()  # so that the logs are of this batch alone

    def on_train_batch_end(self, batch, logs=None):
        rate = float(self.model.optimizer.learning_rate)
        self.rates.append(rate)
        self.losses.append(logs["loss"])
        if not logs["loss"] < 4 * min(self.losses):
            self.model.stop_training = True
        self.model.optimizer.learning_rate = rate * self.factor

    def on_train_end(self, logs=None):
        self.model.set_weights(self.weights)
        self.model.optimizer.learning_rate = self.rate

    @property
    def best(self):
        return self.rates[int(np.argmin(self.losses))] / 4


@pytest.mark.parametrize("eager", [False, True])
def test_learning_rate_finder(eager):
    model, finder = network(), LearningRateFinder()
    model.compile(keras.optimizers.SGD(0.001), "mse", run_eagerly=eager)
    before = [w.copy() for w in model.get_weights()]
    model.fit(X, Y, batch_size=12, epochs=50, verbose=0, callbacks=[finder])
    np.testing.assert_allclose(finder.rates, 1e-4 * 1.3 ** np.arange(len(finder.rates)), rtol=1e-4)
    assert len(finder.rates) < 200 and finder.losses[-1] >= 4 * min(finder.losses)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert float(model.optimizer.learning_rate) == pytest.approx(0.001)
    model.optimizer.learning_rate = finder.best
    losses = model.fit(X, Y, batch_size=12, epochs=10, verbose=0).history["loss"]
    assert losses[-1] < 0.3 * losses[0]
