"""Operators, indexing and NumPy's functions on tensors and variables: as NumPy does, and recorded."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasish import ops
from kerasish.engine import GradientTape, Tensor, Variable
from kerasish.engine.static import function
from kerasish.ops.symbolic import KerasTensor, Node, Operation

X = np.arange(1.0, 7.0, dtype="float32").reshape(2, 3)
WHOLE = np.array([[5, 2, 7], [1, 0, 3]], "int32")

EXPRESSIONS = [
    "x + 1", "1 + x", "x - 2.5", "2.5 - x", "x * x", "3 * x", "x / 2", "2 / x", "x // 2", "7 // x", "x % 2", "7 % x",
    "x ** 2", "2 ** x", "-x", "+x", "abs(-x)", "x == 2", "x != 2", "x < 3", "x <= 3", "x > 3", "x >= 3",
    "x @ x.T", "x[0]", "x[:, 1]", "x[..., None]", "x[-1, ::-1]", "x[1:, :2]",
]  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_operator_does_what_numpy_does(expression):
    wanted = eval(expression, {"x": X})
    got = eval(expression, {"x": Tensor(X)})
    assert isinstance(got, Tensor)
    np.testing.assert_allclose(got, wanted, rtol=1e-6)
    assert got.dtype == wanted.dtype


@pytest.mark.parametrize("expression", [e for e in EXPRESSIONS if ".T" not in e and e != "+x"])
def test_variables_and_symbolic_tensors_have_the_same_operators(expression):
    wanted = eval(expression, {"x": X})
    np.testing.assert_allclose(eval(expression, {"x": Variable(X)}), wanted, rtol=1e-6)
    symbol = KerasTensor((2, 3))
    Node(Operation(), (), {}, symbol)
    got = eval(expression, {"x": symbol})
    assert tuple(got.shape) == wanted.shape
    assert got.dtype == wanted.dtype.name


INTEGER = ["i & 3", "i | 8", "i ^ 1", "~i", "i << 1", "i >> 1", "6 & i", "i % 3", "i // 2"]


@pytest.mark.parametrize("expression", INTEGER)
def test_operators_of_integers(expression):
    np.testing.assert_array_equal(eval(expression, {"i": Tensor(WHOLE)}), eval(expression, {"i": WHOLE}))


def test_booleans_have_logical_operators():
    b = X > 2
    t = Tensor(b)
    for got, wanted in ((t & ~t, b & ~b), (t | True, b | True), (t ^ t, b ^ b)):
        np.testing.assert_array_equal(got, wanted)


def test_none_is_not_equal_to_a_tensor():
    assert (Tensor(X) == None) is False  # noqa: E711
    assert (Tensor(X) != None) is True  # noqa: E711


NUMPY_CALLS = [
    (np.exp, ()), (np.log, ()), (np.sum, ()), (np.mean, ()), (np.max, ()), (np.square, ()), (np.add, (1.0,)),
    (np.maximum, (3.0,)), (np.power, (2.0,)), (np.transpose, ()), (np.reshape, ((3, 2),)), (np.argmax, ()),
    (np.expand_dims, (0,)), (np.tanh, ()), (np.std, ()), (np.cumsum, ()), (np.ravel, ()), (np.clip, (2.0, 4.0)),
]  # fmt: skip


@pytest.mark.parametrize("fn, args", NUMPY_CALLS, ids=lambda v: getattr(v, "__name__", ""))
def test_numpy_functions_give_tensors(fn, args):
    got = fn(Tensor(X), *args)
    assert isinstance(got, Tensor)
    np.testing.assert_allclose(got, fn(X, *args), rtol=1e-6)


def test_numpy_functions_are_recorded_by_tapes_and_programs():
    x = Tensor(X)
    with GradientTape() as tape:
        tape.watch(x)
        y = np.sum(np.concatenate([np.exp(x), x * np.float32(2)], axis=1))
    np.testing.assert_allclose(tape.gradient(y, x), np.exp(X) + 2, rtol=1e-6)
    program = function(lambda t: np.sum(np.exp(t), axis=0))
    np.testing.assert_allclose(program(X), np.exp(X).sum(axis=0), rtol=1e-6)


def test_numpy_keywords():
    x = Tensor(X)
    np.testing.assert_allclose(np.sum(x, axis=1, keepdims=True), X.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(np.mean(x, axis=0, dtype="float16"), X.mean(axis=0))
    np.testing.assert_allclose(np.stack([x, x], axis=1), np.stack([X, X], axis=1))
    out = np.empty((2, 3), "float32")
    assert np.exp(x, out=out) is out
    np.testing.assert_allclose(out, np.exp(X), rtol=1e-6)
    np.testing.assert_allclose(X + x, X + X)
    assert isinstance(X + x, Tensor)
    assert isinstance(np.float64(2.0) * x, Tensor)


def test_what_has_no_op_is_computed_by_numpy():
    assert np.allclose(np.percentile(Tensor(X), 50), np.percentile(X, 50))
    assert np.shape(Tensor(X)) == (2, 3)
    np.testing.assert_allclose(np.fmod(Tensor(X), 2.0), np.fmod(X, 2.0))


def test_iteration_and_unpacking():
    a, b = Tensor(X)
    np.testing.assert_array_equal(a, X[0])
    np.testing.assert_array_equal(b, X[1])
    with pytest.raises(TypeError, match="without axes"):
        iter(Tensor(np.float32(1)))


def test_a_tensor_does_not_follow_the_array_it_was_made_from():
    array = X.copy()
    t = ops.convert_to_tensor(array)
    array[:] = 0
    np.testing.assert_array_equal(t, X)
    with pytest.raises(TypeError):
        t[0] = 1


# -- indexing by NumPy's rules ----------------------------------------------------------------------------------------

SHAPE = (4, 3, 5)
DATA = np.arange(60, dtype="float32").reshape(SHAPE)


def _part(size: int) -> st.SearchStrategy:
    ends = st.none() | st.integers(-size - 2, size + 2)
    steps = st.none() | st.sampled_from([1, 2, 3, -1, -2])
    arrays = st.lists(st.integers(-size, size - 1), min_size=2, max_size=2).map(lambda v: np.array(v, "int32"))
    masks = st.lists(st.booleans(), min_size=size, max_size=size).map(lambda v: np.array(v))
    masks = masks.filter(lambda m: m.sum() == 2)  # as long as the arrays, with which it broadcasts
    return st.integers(-size, size - 1) | st.builds(slice, ends, ends, steps) | arrays | masks


@st.composite
def keys(draw):
    used = draw(st.integers(0, 3))
    parts = [draw(_part(SHAPE[i])) for i in range(used)]
    if used < 3 and draw(st.booleans()):
        parts.append(Ellipsis)
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), None)
    return tuple(parts)


@settings(max_examples=300, deadline=None)
@given(keys())
def test_indexing_is_that_of_numpy(key):
    got = Tensor(DATA)[key]
    wanted = DATA[key]
    assert got.shape == wanted.shape
    np.testing.assert_array_equal(got, wanted)


@settings(max_examples=60, deadline=None)
@given(keys())
def test_the_gradient_of_indexing_puts_back(key):
    x = Tensor(DATA)
    with GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(x[key] * 2.0)
    wanted = np.zeros(SHAPE, "float32")
    np.add.at(wanted, key, 2.0)
    got = tape.gradient(y, x, unconnected_gradients="zero")
    np.testing.assert_allclose(got, wanted)


@pytest.mark.parametrize(
    "key, error",
    [
        (4, IndexError),
        ((0, 0, 0, 0), IndexError),
        (1.5, IndexError),
        ("a", IndexError),
        (np.array([9]), IndexError),
    ],
)
def test_a_wrong_index_is_an_index_error(key, error):
    with pytest.raises(error):
        Tensor(DATA)[key]


BATCHED = [
    "x[:, 0]", "x[:, 1:]", "x[:, ::-1]", "x[-1]", "x[1:]", "x[:-1]", "x[None]", "x[..., None]", "x[:, [0, 2]]",
    "ops.mean(x, axis=0)", "ops.mean(x)", "ops.var(x, axis=0)", "ops.reshape(x, (-1,))", "ops.reshape(x, (-1, 3, 1))",
    "ops.concatenate([x, x], axis=0)", "ops.concatenate([x, x], axis=1)", "ops.stack([x, x])", "ops.transpose(x)",
    "ops.repeat(x, 2, axis=0)", "ops.tile(x, (2, 1))", "ops.flip(x)", "ops.sum(x) / ops.shape(x)[0]", "x @ x.T",
    "ops.cast(ops.shape(x)[0], 'float32') * x", "ops.zeros_like(x) + 1", "ops.zeros((ops.shape(x)[0], 2))",
    "ops.broadcast_to(x[:1], ops.shape(x))", "ops.arange(ops.shape(x)[0])", "ops.einsum('ij,ik->jk', x, x)",
    "ops.pad(x, ((1, 0), (0, 2)))", "ops.one_hot(ops.cast(x[:, 0], 'int32'), 4)", "ops.softmax(x, axis=0)",
    "ops.expand_dims(x, 0)", "ops.argmax(x, axis=0)", "ops.cumsum(x, axis=0)", "ops.sort(x, axis=0)",
    "ops.roll(x, 1, axis=0)",
    "ops.top_k(x, 2)[0]", "ops.moments(x, axes=[0])[1]", "ops.normalize(x)", "ops.logsumexp(x, axis=0)",
    "ops.tensordot(x, x, axes=([0], [0]))", "ops.eye(ops.shape(x)[0])", "ops.tril(ops.matmul(x, ops.transpose(x)))",
    "ops.split(x, 3, axis=1)[1]", "ops.median(x, axis=0)", "ops.take(x, ops.argsort(x[:, 0]), axis=0)",
]  # fmt: skip


@pytest.mark.parametrize("expression", BATCHED)
def test_a_program_serves_every_batch_size(expression):
    fn = lambda x: eval(expression, {"x": x, "ops": ops})  # noqa: E731
    program = function(fn)
    for n in (4, 7, 2):
        x = np.random.default_rng(n).normal(size=(n, 3)).astype("float32")
        np.testing.assert_allclose(program(x), fn(Tensor(x)), rtol=1e-5, atol=1e-6)


ERRORS = [
    (lambda: ops.add(np.ones(2), np.ones(3)), ValueError, "add"),
    (lambda: ops.matmul(np.ones((2, 3)), np.ones((2, 3))), ValueError, "matmul"),
    (lambda: ops.reshape(np.ones(3), (2, 2)), ValueError, "reshape"),
    (lambda: ops.reshape(np.ones(4), (-1, -1)), ValueError, "Only one"),
    (lambda: ops.sum(np.ones((2, 3)), axis=5), ValueError, "out of bounds"),
    (lambda: ops.squeeze(np.ones((2, 1)), 0), ValueError, "squeeze"),
    (lambda: ops.split(np.arange(6), 4), ValueError, "split"),
    (lambda: ops.stack([]), ValueError, "at least one"),
    (lambda: ops.max(np.ones((0,))), ValueError, "zero-size"),
    (lambda: ops.convert_to_tensor(None), ValueError, "None"),
    (lambda: ops.convert_to_tensor("x"), TypeError, "numbers"),
    (lambda: ops.convert_to_tensor([[1], [1, 2]]), ValueError, "inhomogeneous"),
    (lambda: ops.negative(np.array([True])), TypeError, "booleans"),
    (lambda: ops.pad(np.ones(2), 1, mode="reflect", constant_values=1), ValueError, "constant_values"),
    (lambda: ops.where(np.array([True]), 1), ValueError, "x1"),
    (lambda: ops.conv(np.ones((1, 5, 3)), np.ones((3, 2, 4))), ValueError, "in_channels"),
    (lambda: ops.sparse_categorical_crossentropy([[1, 0]], [[0.2, 0.8], [0.3, 0.7]]), ValueError, "same shape"),
    (lambda: ops.dot_product_attention(np.ones((2, 3)), np.ones((2, 3)), np.ones((2, 3))), ValueError, "4D"),
    (lambda: ops.einsum("ij,jk->iz", np.ones((2, 2)), np.ones((2, 2))), ValueError, "no operand"),
]


@pytest.mark.parametrize("call, error, text", ERRORS)
def test_errors_say_what_is_wrong(call, error, text):
    with pytest.raises(error, match=text):
        call()
