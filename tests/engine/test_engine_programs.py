"""Programs: the same numbers as eager mode, one program for all batch sizes, gradients of loops, many threads."""

import threading

import numpy as np
import pytest

import kerasish as keras
from kerasish import layers, ops
from kerasish.base.errors import TracingError
from kerasish.engine import GradientTape, Variable, grad
from kerasish.engine.control import cond, scan, while_loop
from kerasish.engine.graph import verify
from kerasish.engine.passes import optimise
from kerasish.engine.static import Function
from kerasish.engine.trace import Trace

rng = np.random.default_rng(0)
X = rng.standard_normal((12, 5)).astype("float32")
IMAGES = rng.standard_normal((6, 8, 8, 2)).astype("float32")
WORDS = rng.integers(0, 9, (8, 6)).astype("int32")


def dense():
    return keras.Sequential([keras.Input((5,)), layers.Dense(7, "relu"), layers.Dropout(0.3), layers.Dense(3)])


def convolutional():
    # Without a bias before the normalization: its gradient is nothing but rounding, which Adam would make a step of
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)), layers.Conv2D(4, 3, padding="same", use_bias=False), layers.BatchNormalization(),
            layers.Activation("relu"), layers.MaxPooling2D(), layers.Conv2D(3, 3, strides=2), layers.Flatten(),
            layers.Dense(3),
        ]
    )  # fmt: skip


def recurrent():
    return keras.Sequential([layers.Embedding(9, 4, mask_zero=True), layers.LSTM(5), layers.Dense(3)])


def branching():
    x = keras.Input((5,))
    shared = layers.Dense(5, activation="tanh")
    y = layers.Add()([shared(x), shared(shared(x)), layers.Dense(5)(x), layers.Dense(5)(x)])
    return keras.Model(x, layers.Dense(3)(layers.LayerNormalization()(y)))


MODELS = {"dense": (dense, X), "convolutional": (convolutional, IMAGES), "recurrent": (recurrent, WORDS), "branching": (branching, X)}
OPTIMIZERS = ["sgd", "rmsprop", "adam", "adamw"]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", MODELS)
def test_static_equals_eager(name, optimizer):
    build, x = MODELS[name]
    y = rng.standard_normal((len(x), 3)).astype("float32")
    weights = []
    for eagerly in (False, True):
        keras.utils.set_random_seed(1)
        model = build()
        model.compile(optimizer, "mse", metrics=["mae"], run_eagerly=eagerly)
        history = model.fit(x, y, batch_size=5, epochs=2, verbose=0).history
        weights.append(model.get_weights() + list(history.values()))
        if not eagerly:
            assert len(model._functions["train"].function.programs) == 1  # the ragged last batch did not retrace
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


def test_many_threads_predict_as_one():
    model = dense()
    expected = model.predict(X, verbose=0)
    wrong = []

    def work():
        for _ in range(20):
            if not np.array_equal(model.predict(X, verbose=0), expected):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_gradients_of_a_scan_to_order_two():
    w = Variable(rng.standard_normal((4, 4)).astype("float32") * 0.5)
    xs = ops.convert_to_tensor(rng.standard_normal((5, 3, 4)).astype("float32"))

    def looped(x):
        h, ys = scan(lambda h, row: ((ops.tanh(ops.matmul(h, w) + row),) * 2), ops.zeros((3, 4)), x)
        return ops.sum(ys * ys) + ops.sum(h)

    def unrolled(x):
        h, total = ops.zeros((3, 4)), 0.0
        for i in range(5):
            h = ops.tanh(ops.matmul(h, w) + x[i])
            total = total + ops.sum(h * h)
        return total + ops.sum(h)

    def derivatives(fn):
        def run(x):
            with GradientTape() as outer:
                outer.watch(x)
                with GradientTape() as inner:
                    inner.watch(x)
                    value = fn(x)
                dx, dw = inner.gradient(value, [x, w])
                size = ops.sum(dx * dx) + ops.sum(dw * dw)
            return value, dx, dw, *outer.gradient(size, [x, w])

        return run

    expected = derivatives(unrolled)(xs)
    for run in (derivatives(looped), Function(derivatives(looped))):
        for a, b in zip(run(xs), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


def test_branches_and_loops_in_programs():
    double_or_negate = Function(lambda p, x: cond(p > 0, lambda: x * 2.0, lambda: -x))
    assert np.array_equal(double_or_negate(np.array(1, 'float32'), X), X * 2)
    assert np.array_equal(double_or_negate(np.array(-1, 'float32'), X), -X)
    assert len(double_or_negate.programs) == 1
    power = Function(lambda x: while_loop(lambda i, a: i < 5, lambda i, a: (i + 1, a * 2.0), (0, x))[1])
    assert np.allclose(power(X), X * 32)


def test_higher_derivatives():
    assert float(grad(grad(grad(lambda x: x * x * x * x)))(2.0)) == 48.0


def test_control_flow_on_values_names_the_line():
    with pytest.raises(TracingError, match="test_engine_programs.py"):
        Function(lambda x: x if ops.sum(x) > 0 else -x)(X)


def test_passes_keep_graphs_valid():
    trace = Trace()
    with trace:
        x = trace.input((4, 5), "float32")
        y = ops.softmax(ops.relu(x * 1.0 + 0.0) @ ops.ones((5, 3)))
        graph = trace.finish([ops.sum(y), ops.sum(y)])
    before = len(graph.nodes)
    after = optimise(graph, check=verify)
    assert len(after.nodes) < before


def test_the_source_can_be_read_and_memory_is_shared():
    model = dense()
    model.compile("adam", "mse")
    model.fit(X, np.zeros((12, 3)), verbose=0)
    program = model.program("train")
    assert "matmul_0()" in program.source and "sequential" in program.source
    assert 0 < program.memory["workspace"] < program.memory["unshared"]


def test_a_tensor_read_before_keeps_its_value():
    v = Variable([1.0, 2.0])
    before = v.value
    v.assign([3.0, 4.0])
    assert np.asarray(before).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("shape", [(300,), (70, 300), (70, 32, 20, 2)])
def test_tiles_with_values_of_their_own(shape):
    x = rng.standard_normal((130, *shape[1:])).astype("float32") if len(shape) > 1 else rng.random(70000, "float32")

    def compute(x):
        a = ops.exp(x * 2 + 1)
        return ops.sqrt(ops.abs(ops.maximum(a - 1, x + a))) * x + a

    program = Function(compute)
    np.testing.assert_array_equal(np.asarray(program(x)), np.asarray(compute(ops.convert_to_tensor(x))))
