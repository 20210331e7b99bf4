"""A step by hand: the loss as a function of the variables' values gives what a training step of the model gives."""

import numpy as np

import kerasish as keras
from kerasish import ops

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(8, 3)).astype("float32"), RNG.integers(0, 2, (8, 1)).astype("float32")
WEIGHT = RNG.random(8).astype("float32")


def made():
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4, kernel_regularizer="l2", activation="tanh"), keras.layers.BatchNormalization(),
         keras.layers.Dense(1)]
    )  # fmt: skip
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    model.optimizer.build(model.trainable_variables)
    model.evaluate(X, Y, verbose=0)  # the metrics are made
    model.reset_metrics()
    return model


def values(variables):
    return [ops.convert_to_tensor(np.array(v)) for v in variables]


def test_a_step_by_hand_is_a_step_of_the_model():
    model, other = made(), made()
    before = values(model.variables)
    state = values(model.non_trainable_variables), values(model.metrics_variables)

    def loss_of(*trainable):
        return model.compute_loss_and_updates(
            list(trainable), *state, X, Y, WEIGHT, training=True, optimizer_variables=values(model.optimizer.variables)
        )[0]

    trainable = values(model.trainable_variables)
    loss, grads = keras.value_and_grad(loss_of, argnums=tuple(range(len(trainable))))(*trainable)
    _, (unscaled, y_pred, others, of_metrics) = model.compute_loss_and_updates(
        trainable, *state, X, Y, WEIGHT, training=True, optimizer_variables=values(model.optimizer.variables)
    )
    assert y_pred.shape == (8, 1) and len(of_metrics) == len(model.metrics_variables)
    assert float(loss) == float(unscaled)
    for v, b in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(np.array(v), np.asarray(b))  # nothing was assigned

    logs = other.train_on_batch(X, Y, sample_weight=WEIGHT, return_dict=True)
    np.testing.assert_allclose(float(loss), logs["loss"], rtol=1e-6)
    for v, g, w in zip(trainable, grads, other.trainable_variables, strict=True):
        np.testing.assert_allclose(np.asarray(v) - 0.1 * np.asarray(g), np.array(w), rtol=1e-5, atol=1e-6)
    for v, w in zip(others, other.non_trainable_variables, strict=True):
        np.testing.assert_allclose(np.asarray(v), np.array(w), rtol=1e-5)


def test_losses_of_given_values():
    model = made()
    zeros = [ops.zeros_like(v) for v in model.trainable_variables]
    state = values(model.non_trainable_variables), values(model.metrics_variables)
    loss, new = model.stateless_compute_loss(zeros, *state, x=X, y=Y, y_pred=ops.zeros((8, 1)))
    np.testing.assert_allclose(float(loss), np.mean(Y**2), rtol=1e-6)  # and no penalty for weights of zero
    assert [len(group) for group in new] == [len(zeros), *map(len, state)]


def test_the_functions_of_steps():
    model = made()
    assert model.make_train_function() is model.make_train_function()
    for make in (model.make_train_function, model.make_test_function, model.make_predict_function):
        assert callable(make(force=True))
    np.testing.assert_allclose(np.asarray(model.make_predict_function()(X)), model.predict(X, verbose=0), rtol=1e-6)
