"""`scan` beside the same loop unrolled: results, gradients of every input to the second order, in both modes."""

import numpy as np
import pytest

from kerasish import config, ops
from kerasish.engine import GradientTape, Tensor, grad
from kerasish.engine.static import function


@pytest.fixture(autouse=True)
def doubles():
    config.set_floatx("float64")
    yield
    config.set_floatx("float32")


_rng = np.random.default_rng(5)
STEPS, ROWS, IN, UNITS = 4, 3, 2, 3
XS = _rng.normal(size=(STEPS, ROWS, IN))
START = _rng.normal(size=(ROWS, UNITS))
W, U, B = _rng.normal(size=(IN, UNITS)), _rng.normal(size=(UNITS, UNITS)), _rng.normal(size=UNITS)


def plain(h, x, w, u, b):
    h = ops.tanh(x @ w + h @ u + b)
    return h, h


def twice(h, x, w, u, b):
    """A constant used in two products and in none, a bias in two sums."""
    h = ops.tanh(x @ w + (h @ u + b) * ops.sum(u)) @ u + b
    return h, ops.sum(h * w[0])


def turned(h, x, w, u, b):
    """The product is with the transposed; it and a scaled constant are computed from constants alone."""
    return ops.sigmoid(x @ w + h @ ops.transpose(u) * ops.exp(-b * b)), x @ (w * 2.0)


def between(h, x, w, u, b):
    """Products of what is neither a row nor carried, with a result of its own gradient."""
    a = ops.relu(x @ w + b)
    h = h * 0.5 + ops.tanh(a @ u)
    return h, a


def parts(h, x, w, u, b):
    """Gates: slices of one product."""
    z = ops.concatenate([x @ w, h @ u], axis=-1)
    return ops.tanh(z[:, :UNITS]) * ops.sigmoid(z[:, UNITS:]) + b, h


def idle(h, x, w, u, b):
    """A constant without a gradient, and one that is not used."""
    return h + ops.cast(ops.round(u[0]), h.dtype) + x @ w, None


STEPS_OF = [plain, twice, turned, between, parts, idle]


def looped(step, reverse):
    def f(xs, h, w, u, b):
        h, ys = ops.scan(lambda c, x: step(c, x, w, u, b), h, xs, reverse=reverse)
        return ops.sum(h**3) + (0.0 if ys is None else ops.sum(ops.sin(ys)))

    return f


def unrolled(step, reverse):
    def f(xs, h, w, u, b):
        total = 0.0
        for t in range(STEPS)[:: -1 if reverse else 1]:
            h, y = step(h, xs[t], w, u, b)
            total = total if y is None else total + ops.sum(ops.sin(y))
        return ops.sum(h**3) + total

    return f


def slopes(f):
    return grad(f, (0, 1, 2, 3, 4))


def curvature(f):
    """The gradient of how long the gradient is."""

    def length(*args):
        return sum(ops.sum(ops.square(g)) for g in slopes(f)(*args) if g is not None)

    return slopes(length)


@pytest.mark.parametrize("order", [slopes, curvature])
@pytest.mark.parametrize("mode", [lambda f: f, function], ids=["eager", "program"])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("step", STEPS_OF, ids=lambda f: f.__name__)
def test_gradients_are_those_of_the_loop_unrolled(step, reverse, mode, order):
    args = [Tensor(a) for a in (XS, START, W, U, B)]
    np.testing.assert_allclose(mode(looped(step, reverse))(*args), unrolled(step, reverse)(*args), rtol=1e-12)
    wanted = order(unrolled(step, reverse))(*args)
    got = mode(order(looped(step, reverse)))(*args)
    for a, b, x in zip(got, wanted, args, strict=True):
        a, b = (np.zeros(x.shape) if g is None else np.asarray(g) for g in (a, b))
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def body_of(program, back=False):
    found = [v for v in program.programs[-1]._names.values() if "program" in getattr(v, "__dict__", {})]
    return found[-1 if back else 0].__dict__["program"].source


def test_what_depends_on_constants_alone_is_computed_once_before_the_loop():
    program = function(looped(turned, False))
    program(XS, START, W, U, B)
    assert "exp" not in body_of(program) and ".T" not in body_of(program)
    assert program.programs[-1].source.count("exp(") == 1


def test_gradients_of_matrices_are_products_after_the_loop_and_parts_are_joined():
    program = function(slopes(looped(parts, False)))
    program(XS, START, W, U, B)
    back = body_of(program, back=True)
    assert back.count("dot(") == 2  # to the state and to the inputs; none to a matrix
    assert "concat(" in back and "unslice(" not in back


def test_a_loop_of_no_steps_has_gradients_of_zero():
    xs = np.zeros((0, ROWS, IN))
    with GradientTape() as tape:
        w, u = Tensor(W), Tensor(U)
        tape.watch([w, u])
        h, _ = ops.scan(lambda c, x: plain(c, x, w, u, B), Tensor(START), xs)
        y = ops.sum(h)
    for g, x in zip(tape.gradient(y, [w, u]), (W, U), strict=True):
        np.testing.assert_array_equal(g, np.zeros_like(x))
