"""What every layer inherits: state, configs, errors; layers as users of Keras write them."""

import numpy as np
import pytest
from layer_row import draw

import kerasish as keras

layers, ops = keras.layers, keras.ops
X = draw(4, 3)


class Counter(layers.Layer):
    """State that isn't trained."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.total = self.add_weight(shape=(), initializer="zeros", trainable=False, name="total")

    def call(self, x):
        self.total.assign_add(ops.sum(x))
        return self.total + ops.zeros_like(x)


class Measured(layers.Layer):
    def __init__(self):
        super().__init__()
        self.mean = keras.metrics.Mean(name="mean")

    def call(self, x):
        self.mean.update_state(x)
        return x


class Custom(layers.Layer):
    def __init__(self, n, beta=0.2, **kw):
        super().__init__(**kw)
        self.n, self.beta = n, beta


class TwoShapes(layers.Layer):
    def build(self, a_shape, b_shape):
        self.a = self.add_weight(shape=(a_shape[-1], 2), initializer="ones", name="a")
        self.b = self.add_weight(shape=(b_shape[-1], 2), initializer="ones", name="b")

    def call(self, a, b, scale=1.0):
        return (a @ self.a + b @ self.b) * scale


def test_stateless_call_leaves_the_state_as_it_is():
    layer = Counter()
    layer(X)
    before = float(layer.total.value)
    y, state = layer.stateless_call([], [ops.convert_to_tensor(1.0)], X)
    np.testing.assert_allclose(np.asarray(y), np.full(X.shape, 1 + X.sum()), rtol=1e-5)
    np.testing.assert_allclose(float(state[0]), 1 + X.sum(), rtol=1e-5)
    assert float(layer.total.value) == before


def test_stateless_call_returns_losses():
    layer = layers.Dense(2, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(0.5))
    layer(X)
    _, _, losses = layer.stateless_call([np.full((3, 2), 2.0, "float32"), np.zeros(2, "float32")], [], X, return_losses=True)
    assert [float(x) for x in losses] == [12.0]


def test_variables_of_metrics_are_apart():
    layer = Measured()
    layer(X)
    assert layer.variables == [] and len(layer.metrics_variables) == 2


def test_a_config_is_derived_whatever_the_rest_is_called():
    config = Custom(3, name="c", dtype="float16").get_config()
    assert (config["n"], config["beta"], config["name"], config["trainable"]) == (3, 0.2, "c", True)
    again = Custom.from_config(config)
    assert (again.n, again.beta, again.name, again.compute_dtype) == (3, 0.2, "c", "float16")


def test_several_inputs_build_by_name():
    layer = TwoShapes(name="t")
    y = layer(X, b=X[:, :2], scale=2.0)
    np.testing.assert_allclose(np.asarray(y)[:, 0], 2 * (X.sum(1) + X[:, :2].sum(1)), rtol=1e-5, atol=1e-6)
    a, b = keras.Input((3,)), keras.Input((2,))
    model = keras.Model([a, b], layer(a, b=b, scale=2.0))
    np.testing.assert_allclose(np.asarray(model([X, X[:, :2]])), np.asarray(y), rtol=1e-6)


def test_serialize_and_back():
    layer = layers.deserialize(layers.serialize(layers.Dense(2, name="d")))
    assert isinstance(layer, layers.Dense) and (layer.units, layer.name) == (2, "d")


def built():
    layer = layers.Dense(2)
    layer(X)
    return layer


MISTAKES = {
    "a metric": (lambda: layers.Layer().add_metric(1), NotImplementedError, "deprecated"),
    "an argument it has not": (lambda: Custom.from_config({"n": 1, "bad": 2}), TypeError, "Error when deserializing"),
    "a function in a config": (lambda: Custom(len).get_config(), NotImplementedError, "non-serializable"),
    "a sublayer too late": (lambda: setattr(built(), "sub", layers.Dense(1)), ValueError, "already built"),
    "not a layer's config": (
        lambda: layers.deserialize(keras.optimizers.serialize(keras.optimizers.SGD())), ValueError, "not a `keras.layers.Layer`"),
    "too few weights": (lambda: built().set_weights([np.ones((3, 2))]), ValueError, "length 1"),
    "a shape that is a number": (lambda: layers.Layer().add_weight(shape=3), ValueError, r"pass shape=\(3,\)"),
    "weights of other shapes": (lambda: built().set_weights([np.ones((2, 2)), np.ones(2)]), ValueError, "shape"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_with_layers(case):
    make, kind, message = MISTAKES[case]
    with pytest.raises(kind, match=message):
        make()


@pytest.mark.parametrize("length", [2, 5])
def test_the_number_of_rows_in_python_floats(length):
    class Mean(keras.layers.Layer):
        def call(self, x):
            rows = keras.ops.shape(x)[0]
            return keras.ops.sum(x, axis=0, keepdims=True) * (1.0 / rows) + 0.0 * rows + (rows - 0.5) * 0.0

    x = np.random.default_rng(0).normal(size=(length, 3)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), Mean()])
    np.testing.assert_allclose(np.asarray(model(x))[0], x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(x)[0], x.mean(0), rtol=1e-5)
    trained = keras.Sequential([Mean(), keras.layers.Dense(1)])
    trained.compile("sgd", "mse")
    trained.train_on_batch(x, np.ones((length, 1), "float32"))


# -- what a layer holds -----------------------------------------------------------------------------------------------


def holding(**parts):
    layer = layers.Layer()
    for name, part in parts.items():
        setattr(layer, name, part)
    return layer


def test_what_is_taken_away_is_forgotten():
    layer = holding(sub=layers.Dense(2), seed=keras.random.SeedGenerator(1), metric=keras.metrics.Mean())
    layer.weight = layer.add_weight(shape=(2,))
    for name in ("sub", "seed", "metric", "weight"):
        delattr(layer, name)
    assert not (layer._layers or layer.variables or layer.metrics)
    with pytest.raises(AttributeError):
        del layer.sub


def test_what_is_replaced_is_forgotten():
    old, new = layers.Dense(2), layers.Dense(3)
    layer = holding(sub=old)
    layer.sub = new
    assert layer._layers == [new]


def test_what_has_two_names_is_held_until_both_are_gone():
    shared = layers.Dense(2)
    layer = holding(a=shared, b=shared, c=[shared], d={"x": (shared,)})
    del layer.a
    layer.b = None
    layer.c.pop()
    assert layer._layers == [shared]
    layer.d["x"] = None
    assert layer._layers == []


def test_layers_in_containers_come_and_go():
    first, second, third = (layers.Dense(n) for n in (1, 2, 3))
    layer = holding(blocks=[first, second])
    layer.blocks[0] = third
    assert layer._layers == [second, third]
    layer.blocks[:] = [first]
    assert layer._layers == [first]
    layer.blocks += [second]
    layer.blocks.clear()
    layer.blocks = {"a": [third]}
    assert layer._layers == [third]
    del layer.blocks
    assert layer._layers == []


def test_a_layer_that_is_refused_leaves_the_one_before():
    layer = built()
    bias = layer.bias
    with pytest.raises(ValueError, match="already built"):
        layer.bias = layers.Dense(1)
    assert layer.bias is bias and len(layer.weights) == 2


def test_states_of_seeds_stand_by_their_layers():
    inner = holding(seed=keras.random.SeedGenerator(1))
    inner.weight = inner.add_weight(shape=(), name="inner")
    outer = holding(inner=inner)
    outer.weight = outer.add_weight(shape=(), name="outer", trainable=False)
    assert [v.name for v in outer.variables] == ["outer", "inner", "seed_generator_state"]


def test_shapes_of_several_inputs_by_name():
    class Sum(layers.Layer):
        def call(self, a, b=None):
            return a + b

    for layer in (Sum(), layers.MultiHeadAttention(2, 3)):
        first, second = ("a", "b") if isinstance(layer, Sum) else ("query", "value")
        shapes = {f"{first}_shape": (None, 3, 4), f"{second}_shape": (None, 3, 4)}
        assert layer.compute_output_shape(**shapes) == layer.compute_output_shape(*shapes.values()) == (None, 3, 4)
    assert layers.LSTM(5).compute_output_shape(sequences_shape=(2, 3, 4)) == (2, 5)
    dense = layers.Dense(2)
    assert dense.compute_output_shape((None, 3)) == (None, 2) and not dense.built
    assert dense(np.ones((1, 7))).shape == (1, 2)


def test_a_convolution_of_ones_own():
    class Doubled(layers.Conv1D):
        def convolution_op(self, inputs, kernel):
            return super().convolution_op(inputs, kernel * 2)

    x = draw(1, 6, 2)
    for padding in ("valid", "same", "causal"):
        ours, plain = Doubled(3, 2, padding=padding), layers.Conv1D(3, 2, padding=padding)
        plain(x)
        ours.build(x.shape)
        ours.set_weights(plain.get_weights())
        np.testing.assert_allclose(np.asarray(ours(x)), 2 * np.asarray(plain(x)), rtol=1e-5, atol=1e-6)
