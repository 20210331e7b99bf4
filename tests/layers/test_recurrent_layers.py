"""What a row of the table can't say of recurrent layers: states between calls, cells of users, lengths that vary."""

import numpy as np
import pytest
from layer_row import draw, fill, flat
from recurrent_cases import CASES, KINDS
from recurrent_cases import X as SMALL

import kerasish as keras
from kerasish.engine.static import Function

layers, ops = keras.layers, keras.ops
X = draw(4, 6, 3)


def filled(layer, x=X):
    layer(x)
    fill(layer)
    return layer


@pytest.mark.parametrize("kind", KINDS)
def test_a_stateful_layer_goes_on_where_it_stopped(kind):
    whole = filled(getattr(layers, kind)(2, return_sequences=True))
    parts = getattr(layers, kind)(2, return_sequences=True, stateful=True)
    parts.build((4, 3, 3))
    fill(parts)
    expected = np.asarray(whole(X))
    for _ in range(2):
        found = np.concatenate([np.asarray(parts(X[:, :3])), np.asarray(parts(X[:, 3:]))], 1)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
        parts.reset_state()
    assert all(not np.asarray(s).any() for s in parts.states)


def test_a_stateful_model_is_trained_by_a_program_as_eagerly():
    def train(eager):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([layers.Input(batch_shape=(4, 3, 3)), layers.GRU(2, stateful=True), layers.Dense(1)])
        model.compile("sgd", "mse", run_eagerly=eager)
        x = np.concatenate([X[:, :3], X[:, 3:]])
        history = model.fit(x, np.ones((8, 1)), batch_size=4, epochs=3, shuffle=False, verbose=0)
        return history.history["loss"], np.asarray(model.layers[0].states[0])

    (static, a), (eager, b) = train(False), train(True)
    np.testing.assert_allclose(static, eager, rtol=1e-6)
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_stateful_needs_a_batch_size():
    with pytest.raises(ValueError, match="the batch size must be static"):
        layers.LSTM(2, stateful=True)(keras.Input((4, 3)))


class Minimal(layers.Layer):
    """A cell as Keras's guide to custom cells has it: a state size, build, and call."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
        self.recurrent = self.add_weight(shape=(self.units, self.units), initializer="uniform", name="recurrent")

    def call(self, inputs, states):
        before = states[0] if isinstance(states, (list, tuple)) else states
        output = ops.matmul(inputs, self.kernel) + ops.matmul(before, self.recurrent)
        return output, [output]


@pytest.mark.parametrize("options", [{}, {"go_backwards": True}, {"unroll": True}], ids=str)
def test_a_cell_of_the_users(options):
    layer = filled(layers.RNN(Minimal(2), return_sequences=True, **options))
    kernel, recurrent = layer.get_weights()
    h, expected = np.zeros((4, 2)), []
    for t in reversed(range(6)) if "go_backwards" in options else range(6):
        h = X[:, t] @ kernel + h @ recurrent
        expected.append(h)
    np.testing.assert_allclose(np.asarray(layer(X)), np.stack(expected, 1), rtol=1e-5, atol=1e-6)


def test_cells_of_the_users_stacked_and_trained():
    model = keras.Sequential([layers.Input((6, 3)), layers.RNN([Minimal(3), Minimal(2)]), layers.Dense(1)])
    model.compile("adam", "mse")
    losses = model.fit(X, np.ones((4, 1)), epochs=30, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


class Attended(layers.Layer):
    """A cell whose state has two parts of different shapes."""

    state_size = [2, 3]

    def call(self, inputs, states):
        a, b = states
        return inputs[:, :1], [a + inputs[:, :2], b * 0.5 + inputs]


def test_states_of_several_shapes():
    output, a, b = layers.RNN(Attended(), return_state=True)(X)
    np.testing.assert_allclose(np.asarray(a), X[:, :, :2].sum(1), rtol=1e-5, atol=1e-6)
    assert output.shape == (4, 1) and b.shape == (4, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_lengths_that_vary_do_not_retrace_without_end(kind):
    model = keras.Sequential([layers.Input((None, 3)), getattr(layers, kind)(2), layers.Dense(1)])
    model.compile("sgd", "mse")
    for n in range(1, 7):
        y = model.predict(X[:, :n], verbose=0)
        np.testing.assert_allclose(y, np.asarray(model(X[:, :n])), rtol=1e-6, atol=1e-6)
    programs = model._functions["predict"].function.programs
    again = len(programs)
    for n in range(1, 7):
        model.predict(X[:, :n], verbose=0)
    assert len(model._functions["predict"].function.programs) == again <= 6


def test_masks_of_an_embedding_reach_the_layer_and_go_on():
    words = np.array([[1, 2, 0, 0], [3, 0, 0, 0]], "int32")
    short = keras.Sequential([layers.Embedding(5, 3, mask_zero=True), layers.LSTM(2, return_sequences=True), layers.GRU(2)])
    short(words)
    fill(short)
    expected = np.concatenate([np.asarray(short(words[:1, :2])), np.asarray(short(words[1:, :1]))])
    np.testing.assert_allclose(np.asarray(short(words)), expected, rtol=1e-6, atol=1e-6)


def test_dropout_masks_are_the_same_for_all_steps_and_new_for_every_call():
    cell = layers.SimpleRNNCell(3, activation="linear", dropout=0.5, seed=0)
    layer = layers.RNN(cell, return_sequences=True)
    layer.build((1, 6, 3))
    cell.kernel.assign(np.eye(3))
    cell.recurrent_kernel.assign(np.zeros((3, 3)))
    ones = np.ones((1, 6, 3), "float32")
    first, second = (np.asarray(layer(ones, training=True)) for _ in range(2))
    assert (first == first[:, :1]).all() and set(np.unique(first)) <= {0.0, 2.0}
    draws = [np.asarray(layer(ones, training=True))[0, 0] for _ in range(20)]
    assert len({tuple(d) for d in draws}) > 1
    assert second.shape == first.shape


def test_unroll_is_a_wish_where_the_length_is_not_known():
    inputs = keras.Input((None, 3))
    layer = layers.GRU(2, unroll=True)
    model = keras.Model(inputs, layer(inputs))
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    layer.unroll = False
    np.testing.assert_allclose(model.predict(x, verbose=0), np.asarray(layer(x)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_combination_as_a_program_and_eagerly(case):
    """Twice, for the states between calls; and dropout's masks are drawn alike."""
    dropout = {"dropout": 0.3, "recurrent_dropout": 0.3, "seed": 1}
    for more, training in (({}, False), (dropout, True)):
        eager, layer = case.make(keras, **more), case.make(keras, **more)
        program = Function(lambda x, layer=layer, training=training: layer(x, training=training, **case.call))
        for _ in range(2):
            expected = flat(eager(SMALL, training=training, **case.call))
            found = flat(program(ops.convert_to_tensor(SMALL)))
            assert len(found) == len(expected)
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", [c for c in CASES if not c.options["unroll"]], ids=str)
def test_every_combination_unrolled_computes_the_same(case):
    unrolled = case._replace(options=case.options | {"unroll": True})
    for a, b in zip(*(flat(c.make(keras)(SMALL, **c.call)) for c in (case, unrolled)), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-5, atol=1e-6)


def test_training_on_many_lengths_traces_once_a_length():
    model = keras.Sequential([layers.Input((None, 3)), layers.Masking(), layers.LSTM(2), layers.Dense(1)])
    model.compile("sgd", "mse")
    traces = []
    original = model.train_step
    model.train_step = lambda *args, **kwargs: (traces.append(1), original(*args, **kwargs))[1]
    for _ in range(2):
        for n in range(2, 14):
            x = draw(4, n, 3)
            model.train_on_batch(x, np.ones((4, 1), "float32"))
            model.train_on_batch(x[:2], np.ones((2, 1), "float32"))
    assert 0 < len(traces) <= 2 * 12


MISTAKES = {
    "no units": (lambda: layers.LSTM(0), ValueError, "positive integer"),
    "no cell": (lambda: layers.RNN(3), ValueError, "`call` method"),
    "a cell without a size": (lambda: layers.RNN(layers.Dense(3)), ValueError, "state_size"),
    "two axes": (lambda: layers.GRU(2)(np.ones((2, 3), "float32")), ValueError, "expected ndim=3"),
    "a mode that is none": (lambda: layers.Bidirectional(layers.GRU(2), merge_mode="max"), ValueError, "Invalid merge mode"),
    "twice forwards": (lambda: layers.Bidirectional(layers.GRU(2), backward_layer=layers.GRU(2)), ValueError, "go_backwards"),
    "no layer inside": (lambda: layers.TimeDistributed(3), ValueError, "layer"),
    "no time to distribute over": (lambda: layers.TimeDistributed(layers.Dense(2))(np.ones((2, 3), "float32")), ValueError, "3 dimensions"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes(case):
    make, kind, message = MISTAKES[case]
    with pytest.raises(kind, match=message):
        make()
