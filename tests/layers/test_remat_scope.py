"""Layers made in a RematScope train to the same numbers, with losses, moving statistics, dropout and masks inside."""

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers, ops
from kerasish.engine import GradientTape

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(32, 8)).astype("float32"), RNG.normal(size=(32, 3)).astype("float32")


class Block(layers.Layer):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, x):
        return self.inner(x)


def losses_of(scope, eager):
    keras.utils.set_random_seed(0)
    with scope:
        inner = keras.Sequential([
            layers.Dense(32, activation="tanh", activity_regularizer="l2", name="wide"),
            layers.BatchNormalization(), layers.Dropout(0.5, seed=3), layers.Dense(16, activation="relu"),
        ])  # fmt: skip
        model = keras.Sequential([keras.Input((8,)), Block(inner), layers.Dense(3)])
    model.compile("sgd", "mse", run_eagerly=eager)
    history = model.fit(X, Y, epochs=2, batch_size=16, verbose=0, shuffle=False).history["loss"]
    return [*history, *[float(np.sum(w)) for w in model.get_weights()]]


SCOPES = [
    keras.RematScope(), keras.RematScope("activations"), keras.RematScope("larger_than", output_size_threshold=20),
    keras.RematScope("list_of_layers", layer_names=["wide"]),
]  # fmt: skip


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("scope", SCOPES, ids=lambda s: s.mode)
def test_training_is_the_same(scope, eager):
    np.testing.assert_allclose(losses_of(scope, eager), losses_of(keras.RematScope(None), False), rtol=1e-4, atol=1e-5)


def test_masks_go_along():
    def gradients(scope):
        keras.utils.set_random_seed(1)
        with scope:
            model = Block(keras.Sequential([layers.Masking(), layers.LSTM(4), layers.Dense(2)]))
        x = np.array(RNG.normal(size=(3, 5, 2)), "float32") if scope.mode is None else seen[0]
        x[:, 3:] = 0
        seen.append(x)
        with GradientTape() as tape:
            loss = ops.sum(ops.square(model(x)))
        return tape.gradient(loss, model.trainable_variables)

    seen = []
    for a, b in zip(gradients(keras.RematScope(None)), gradients(keras.RematScope()), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def computations(scope, layer_name="d"):
    """How many times a layer made in the scope computes for one value and its gradient."""
    count = []

    class Counted(layers.Layer):
        def call(self, x):
            count.append(1)
            return ops.square(x)

    with scope:
        layer = Counted(name=layer_name)
    x = ops.convert_to_tensor(np.ones((2, 30), "float32"))
    with GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(layer(x))
    count.clear()
    tape.gradient(y, x)
    return len(count)


@pytest.mark.parametrize("scope, again", [
    (keras.RematScope(), 1), (keras.RematScope(None), 0), (keras.RematScope("activations"), 0),
    (keras.RematScope("larger_than", output_size_threshold=10), 1), (keras.RematScope("larger_than"), 0),
    (keras.RematScope("list_of_layers", layer_names=["d"]), 1), (keras.RematScope("list_of_layers", layer_names=["e"]), 0),
])  # fmt: skip
def test_what_is_computed_again(scope, again):
    assert computations(scope) == again


def test_scopes_nest_and_none_ends_the_outer_one():
    with keras.RematScope():
        assert computations(keras.RematScope(None)) == 0
    assert computations(keras.RematScope(None)) == 0


def test_an_unknown_mode():
    with pytest.raises(ValueError, match="Invalid mode 'some'. Supported modes are: 'full'"):
        keras.RematScope("some")


def test_operations_of_a_functional_model_are_computed_again():
    x = keras.Input((4,))
    with keras.RematScope():
        y = ops.exp(ops.sin(x))
    model = keras.Model(x, y)
    data = ops.convert_to_tensor(X[:, :4])
    with GradientTape() as tape:
        tape.watch(data)
        out = model(data)
    assert [node[0].name for node in tape._nodes] == ["remat", "remat"]
    np.testing.assert_allclose(tape.gradient(out, data), np.exp(np.sin(data)) * np.cos(data), rtol=1e-5)
