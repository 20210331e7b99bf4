"""LSTM and GRU over whole sequences beside the same steps written out: values, gradients to the second order, masks."""

import numpy as np
import pytest

from kerasish import config, ops
from kerasish.engine import GradientTape, Tensor, recurrent
from kerasish.engine.static import function


@pytest.fixture(autouse=True)
def doubles():
    config.set_floatx("float64")
    yield
    config.set_floatx("float32")


_rng = np.random.default_rng(3)
STEPS, ROWS, UNITS = 5, 3, 4
SEEN = np.array([[1, 1, 1], [1, 0, 1], [1, 0, 0], [1, 1, 0], [0, 1, 1]], bool)


def draw(*shape):
    return _rng.normal(size=shape) * 0.7


ARGUMENTS = {
    "lstm": (draw(STEPS, ROWS, 4 * UNITS), draw(UNITS, 4 * UNITS), draw(ROWS, UNITS), draw(ROWS, UNITS)),
    "gru": (draw(STEPS, ROWS, 3 * UNITS), draw(UNITS, 3 * UNITS), draw(UNITS), draw(ROWS, UNITS)),
}


def sigmoid_of_twice(x):  # what enters a sigmoid comes halved
    return ops.sigmoid(2.0 * x)


def lstm_by_hand(x, u, h, c, seen):
    hs, cs = [], []
    for s in range(x.shape[0]):
        i, f, g, o = ops.split(x[s] + h @ u, 4, axis=-1)
        new_c = sigmoid_of_twice(f) * c + sigmoid_of_twice(i) * ops.tanh(g)
        new_h = sigmoid_of_twice(o) * ops.tanh(new_c)
        there = ops.ones((h.shape[0], 1), bool) if seen is None else ops.convert_to_tensor(seen[s])[:, None]
        h, c = ops.where(there, new_h, h), ops.where(there, new_c, c)
        hs.append(h)
        cs.append(c)
    return ops.stack(hs), ops.stack(cs)


def gru_by_hand(x, u, b, h, seen):
    hs = []
    for s in range(x.shape[0]):
        inner = h @ u
        z, r = ops.split(sigmoid_of_twice(x[s][:, : 2 * UNITS] + inner[:, : 2 * UNITS]), 2, axis=-1)
        candidate = ops.tanh(x[s][:, 2 * UNITS :] + r * (inner[:, 2 * UNITS :] + b))
        new = z * h + (1.0 - z) * candidate
        there = ops.ones((h.shape[0], 1), bool) if seen is None else ops.convert_to_tensor(seen[s])[:, None]
        h = ops.where(there, new, h)
        hs.append(h)
    return (ops.stack(hs),)


def by_kernel(name):
    def run(*args):
        *args, seen = args
        found = getattr(recurrent, name)(*args, None if seen is None else Tensor(seen))
        return found if name == "lstm" else (found,)

    return run


def by_hand(name):
    return lstm_by_hand if name == "lstm" else gru_by_hand


def scalar_of(outputs):
    """A number in which every output counts, each differently."""
    total = 0.0
    for k, y in enumerate(outputs):
        weights = np.sin(np.arange(y.shape[-1]) + k)
        total = total + ops.sum(y * weights) + ops.sum(y * y) * 0.1
    return total


def gradients(run, args, seen, order):
    args = [Tensor(a) for a in args]
    with GradientTape(persistent=True) as outer:
        outer.watch(args)
        with GradientTape() as inner:
            inner.watch(args)
            loss = scalar_of(run(*args, seen))
        first = inner.gradient(loss, args)
        again = scalar_of(first)
    return first if order == 1 else outer.gradient(again, args)


@pytest.mark.parametrize("seen", [None, SEEN], ids=["whole", "masked"])
@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_values(name, seen):
    args = [Tensor(a) for a in ARGUMENTS[name]]
    for a, b in zip(by_kernel(name)(*args, seen), by_hand(name)(*args, seen), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("seen", [None, SEEN], ids=["whole", "masked"])
@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_gradients(name, seen, order):
    found = gradients(by_kernel(name), ARGUMENTS[name], seen, order)
    expected = gradients(by_hand(name), ARGUMENTS[name], seen, order)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_a_program_computes_the_same_for_any_batch(name):
    def step(*args):
        args = list(args)
        with GradientTape() as tape:
            tape.watch(args)
            loss = scalar_of(by_kernel(name)(*args, None))
        return loss, tape.gradient(loss, args)

    x, *rest = ARGUMENTS[name]
    run = function(lambda xs, u, h: step(ops.moveaxis(xs, 1, 0), u, *_rest(name, h)))
    for batch in (3, 1, 7):
        xs, h = draw(batch, STEPS, x.shape[2]), draw(batch, UNITS)
        loss, found = run(xs, rest[0], h)
        expected_loss, expected = step(Tensor(np.ascontiguousarray(xs.swapaxes(0, 1))), Tensor(rest[0]), *_rest(name, Tensor(h)))
        np.testing.assert_allclose(loss, expected_loss, rtol=1e-12)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    assert len(run.programs) == 1


def _rest(name, h):
    return (h, h * 0.5) if name == "lstm" else (Tensor(ARGUMENTS["gru"][2]), h)


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_one_step_and_one_row(name):
    x, u, *rest = ARGUMENTS[name]
    args = (x[:1, :1], u, *[r if r.ndim == 1 else r[:1] for r in rest])
    for a, b in zip(gradients(by_kernel(name), args, None, 1), gradients(by_hand(name), args, None, 1), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
