"""Loops, branches and decorated gradients: eager, in programs, on symbolic tensors, and their errors."""

import numpy as np
import pytest

import kerasish as keras
from kerasish import ops
from kerasish.base.errors import NonDifferentiableError
from kerasish.engine import GradientTape, Tensor, Variable, grad, jvp
from kerasish.engine.static import Function, function

X = np.array([[1.0, -2.0, 3.0], [0.5, 0.0, -1.0]], "float32")


def source_lines(program: Function) -> int:
    return len(program.programs[-1].source.splitlines())


def test_the_program_of_a_fori_loop_does_not_grow_with_its_length():
    sizes = []
    for n in (5, 50):
        f = function(lambda x, n=n: ops.fori_loop(2, n, lambda i, v: v * 1.01 + ops.cast(i, "float32"), x))
        wanted = X
        for i in range(2, n):
            wanted = wanted * np.float32(1.01) + np.float32(i)
        np.testing.assert_allclose(f(X), wanted, rtol=1e-5)
        sizes.append(source_lines(f))
    assert sizes[0] == sizes[1]


def test_a_fori_loop_has_a_gradient_in_both_modes():
    def loss(x):
        return ops.sum(ops.fori_loop(0, 6, lambda i, v: ops.tanh(v) * 1.5, x))

    np.testing.assert_allclose(function(grad(loss))(X), grad(loss)(X), rtol=1e-5)


def test_a_fori_loop_over_an_empty_range_returns_its_start():
    for run in (lambda f: f(X), lambda f: function(f)(X)):
        np.testing.assert_array_equal(run(lambda x: ops.fori_loop(3, 3, lambda i, v: v + 1, ops.convert_to_tensor(x))), X)


def test_bounds_that_are_tensors():
    f = function(lambda x, n: ops.fori_loop(0, n, lambda i, v: v + 1.0, x))
    np.testing.assert_array_equal(f(X, np.int32(4)), X + 4)


def test_the_program_of_ctc_does_not_grow_with_time():
    labels = np.array([[1, 2, 1]], "int32")
    sizes = []
    for steps in (8, 40):
        logits = np.random.default_rng(0).normal(size=(1, steps, 4)).astype("float32")
        lengths = np.array([3], "int32"), np.array([steps - 2], "int32")
        f = function(lambda x, lengths=lengths: ops.ctc_loss(labels, x, *lengths))
        np.testing.assert_allclose(f(logits), ops.ctc_loss(labels, logits, *lengths), rtol=1e-5)
        sizes.append(source_lines(f))
    assert sizes[0] == sizes[1]


def double_until_large(x):
    return ops.while_loop(lambda v: ops.sum(v) < 100.0, lambda v: (v * 2.0,), (x,))[0]


def test_while_loop_is_differentiable_eagerly_and_forward_only_in_programs():
    x = np.array([1.0, 2.0], "float32")
    np.testing.assert_array_equal(grad(lambda v: ops.sum(double_until_large(v)))(x), [64.0, 64.0])
    np.testing.assert_array_equal(function(double_until_large)(x), x * 64)
    with pytest.raises(NonDifferentiableError, match=r"`while_loop` is forward only.*ops.scan"):
        function(grad(lambda v: ops.sum(double_until_large(v))))(x)


def test_while_loop_stops_after_its_maximum():
    for run in (lambda f: f(X), lambda f: function(f)(X)):
        out = run(lambda x: ops.while_loop(lambda v: True, lambda v: v + 1.0, ops.convert_to_tensor(x), 3))
        np.testing.assert_array_equal(out, X + 3)


def nested(x):
    def outer(carry, row):
        total, _ = ops.scan(lambda c, v: (c + v * v, None), carry, row)
        total = ops.cond(total > 3.0, lambda: total * 0.5, lambda: total)
        return total, total

    return ops.sum(ops.scan(outer, ops.convert_to_tensor(0.0), x)[1])


def test_loops_and_branches_nest_and_differentiate():
    eager, static = nested(ops.convert_to_tensor(X)), function(nested)(X)
    np.testing.assert_allclose(static, eager, rtol=1e-6)
    np.testing.assert_allclose(function(grad(nested))(X), grad(nested)(X), rtol=1e-5)


def closing_over(x, w):
    """Loops whose bodies use a tensor from outside, one inside of another."""

    def row(carry, r):
        inner, _ = ops.scan(lambda c, v: (c + ops.tanh(v * w[0]), None), ops.sum(w), r)
        return carry + inner, ops.sum(ops.fori_loop(0, 2, lambda i, v: v * w, r))

    total, ys = ops.scan(row, ops.convert_to_tensor(0.0), x)
    return total + ops.sum(ys) + ops.sum(ops.map(lambda r: ops.exp(r * w * 0.1), x))


def test_tensors_that_a_body_closes_over_have_gradients_in_both_modes():
    w = np.array([0.5, -1.0, 2.0], "float32")
    step = np.float32(1e-2)
    wanted = [
        float(closing_over(X, w + step * e) - closing_over(X, w - step * e)) / (2 * step) for e in np.eye(3, dtype="float32")
    ]
    for run in (lambda f: f, function):
        np.testing.assert_allclose(run(grad(closing_over, 1))(X, w), wanted, rtol=2e-2)
    np.testing.assert_allclose(function(grad(closing_over, 1))(X, w), grad(closing_over, 1)(X, w), rtol=1e-5)


def test_a_python_loop_over_a_traced_axis_unrolls():
    def f(x):
        total = 0.0
        for row in x:
            total = total + ops.sum(row) ** 2
        return total

    np.testing.assert_allclose(function(f)(X), f(ops.convert_to_tensor(X)), rtol=1e-6)


def test_variables_are_carried_through_a_scan():
    count = Variable(np.float32(0.0), trainable=False)

    def f(x):
        def step(c, v):
            count.assign(count + 1.0)
            return c + v * count, None

        return ops.scan(step, ops.convert_to_tensor(0.0), x)[0]

    x = np.array([1.0, 2.0, 3.0], "float32")
    assert float(function(f)(x)) == 1 + 4 + 9
    assert float(count.value) == 3


def test_branches_of_a_model_are_nodes_that_are_saved(tmp_path):
    x, choice = keras.Input((3,)), keras.Input((), dtype="int32")
    y = ops.cond(ops.sum(x) > 0, lambda: x + 1, lambda: x - 1)
    z = ops.switch(ops.max(choice), [lambda v: v, lambda v: v * 2], x)
    model = keras.Model([x, choice], [y, z])
    model.save(tmp_path / "branches.keras")
    for m in (model, keras.models.load_model(tmp_path / "branches.keras")):
        up, same = m([X, np.array([0, 0], "int32")])
        np.testing.assert_array_equal(up, X + 1)
        np.testing.assert_array_equal(same, X)
        down, doubled = m([-X, np.array([1, 0], "int32")])
        np.testing.assert_array_equal(down, -X - 1)
        np.testing.assert_array_equal(doubled, -X * 2)


def test_branches_of_different_kinds_are_refused():
    x = keras.Input((3,))
    with pytest.raises(ValueError, match="same kind"):
        ops.cond(ops.sum(x) > 0, lambda: x, lambda: ops.sum(x))
    with pytest.raises(TypeError, match="same shapes and dtypes"):
        function(lambda v: ops.cond(ops.sum(v) > 0, lambda: v, lambda: ops.sum(v)))(X)


def test_a_carry_that_changes_its_shape_is_refused():
    with pytest.raises(TypeError, match="keep its shape and dtype"):
        ops.scan(lambda c, v: (ops.stack([c, c]), None), ops.convert_to_tensor(0.0), X[0])


@pytest.mark.parametrize("mode", ["eager", "static"])
def test_a_custom_gradient_stands_for_the_derivative(mode):
    @ops.custom_gradient
    def clipped(x):
        def rule(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            return ops.clip(upstream, -1.0, 1.0)

        return x * 10.0, rule

    slope = grad(lambda x: ops.sum(clipped(x) * 3.0))
    np.testing.assert_array_equal((slope if mode == "eager" else function(slope))(X), np.ones_like(X))


def test_vectorized_map_and_map_take_structures():
    a, b = X, X * 2
    got = ops.map(lambda pair: {"sum": pair[0] + pair[1], "dot": ops.sum(pair[0] * pair[1])}, (a, b))
    np.testing.assert_allclose(got["sum"], a + b)
    np.testing.assert_allclose(got["dot"], (a * b).sum(1))
    np.testing.assert_allclose(ops.vectorized_map(lambda pair: pair[0] - pair[1], (a, b)), a - b)


@pytest.mark.parametrize("reverse", [False, True])
def test_an_associative_scan_of_pairs_is_a_linear_recurrence(reverse):
    a, b = (np.random.default_rng(i).normal(size=(7, 2)).astype("float32") for i in (0, 1))

    def join(left, right):
        return left[0] * right[0], left[1] * right[0] + right[1]

    got = ops.associative_scan(join, (Tensor(a), Tensor(b)), reverse=reverse)[1]
    y, wanted = np.zeros(2, "float32"), []
    for i in reversed(range(7)) if reverse else range(7):
        y = y * a[i] + b[i]
        wanted.append(y)
    np.testing.assert_allclose(got, wanted[::-1] if reverse else wanted, rtol=1e-4, atol=1e-5)


def test_what_has_no_gradient_says_so():
    square = np.eye(2, dtype="float32") + X[:, :2]
    with pytest.raises(NonDifferentiableError, match="`eig`"):
        grad(lambda a: ops.sum(ops.real(ops.eig(a)[0])))(square)
    with pytest.raises(NotImplementedError, match="full_matrices=False"):
        grad(lambda a: ops.sum(ops.svd(a, full_matrices=True)[0]))(X)
    for f in (ops.argmax, lambda x: ops.sum(ops.argsort(x)), lambda x: ops.any(x > 0)):
        with pytest.raises(TypeError, match="has no gradient"):
            grad(f)(X)


def test_a_tape_names_the_operation_without_a_gradient():
    x = Tensor(X)
    with GradientTape() as tape:
        tape.watch(x)
        y = ops.argmax(x)
    with pytest.raises(NonDifferentiableError, match="`argmax` has no gradient"):
        tape.gradient(y, x)


def test_forward_mode_takes_arrays_and_several_arguments():
    value, tangent = jvp(lambda a, b: ops.sum(a * b), (Tensor(X), Tensor(X)), (Tensor(np.ones_like(X)), Tensor(X * 0)))
    np.testing.assert_allclose(value, (X * X).sum())
    np.testing.assert_allclose(tangent, X.sum(), rtol=1e-6)
    np.testing.assert_allclose(ops.linalg.jvp(ops.sin, (X,), (X,))[1], np.cos(X) * X, rtol=1e-5)


@pytest.mark.parametrize(
    "f", [lambda x: x * 1e38, lambda x: x + x, lambda x: x - -x, lambda x: ops.matmul(x, ops.transpose(x)),
          lambda x: ops.sum(x), lambda x: ops.cumsum(x, 1), lambda x: ops.prod(x), lambda x: ops.square(x), ops.exp,
          lambda x: ops.var(x), lambda x: ops.cast(x, "float16"), lambda x: ops.einsum("ij,ij->", x, x)]
)  # fmt: skip
def test_overflow_is_a_value_and_no_warning(f):
    big = np.full((2, 3), 3e38, "float32")
    for got in (f(ops.convert_to_tensor(big)), function(f)(big)):
        assert not np.isfinite(np.asarray(got, "float32")).all()
