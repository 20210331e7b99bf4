"""The primitive `attention` against plain NumPy in float64, and its gradients to order two: sizes that straddle blocks,
masks, scores that overflow, rows that see nothing."""

import itertools
import sys
import threading

import numpy as np
import pytest

import kerasish as keras
from kerasish import ops
from kerasish.engine import Tensor, autodiff
from kerasish.engine import primitives as P
from kerasish.engine.core import bind
from kerasish.engine.kernels import crew, stacks
from kerasish.engine.static import function

kernel = sys.modules["kerasish.engine.kernels.attention"]  # the package has a function of that name
FILL = -1e9


def plain(q, k, v, seen, scale):
    """The means, and the weights."""
    scores = np.einsum("bnhd,bmhd->bhnm", q * scale, k)
    if seen is not None:
        scores = np.where(seen, scores, FILL)
    with np.errstate(invalid="ignore"):  # an infinite score less itself
        weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return np.einsum("bhnm,bmhd->bnhd", weights, v), weights


def plain_gradients(dy, q, k, v, seen, scale):
    _, weights = plain(q, k, v, seen, scale)
    a = np.einsum("bnhd,bmhd->bhnm", dy, v)
    ds = scale * weights * (a - (weights * a).sum(-1, keepdims=True))
    if seen is not None:
        ds = np.where(seen, ds, 0)
    return (
        np.einsum("bhnm,bmhd->bnhd", ds, k),
        np.einsum("bhnm,bnhd->bmhd", ds, q),
        np.einsum("bhnm,bnhd->bmhd", weights, dy),
    )


def drawn(b, n, m, h, d, size, spread=1.0, dtype="float64"):
    rng = np.random.default_rng(3)
    shapes = (b, n, h, d), (b, m, h, d), (b, m, h, size), (b, n, h, size)
    q, k, v, dy = (rng.normal(size=s).astype(dtype) for s in shapes)
    return q * np.dtype(dtype).type(spread), k, v, dy


def drawn_mask(shape):
    if shape is None:
        return ()
    mask = np.random.default_rng(4).random(shape) > 0.5
    if shape[2] > 1:
        mask[:, :, 1] = False  # a target that sees nothing
    return (mask,)


def all_seen(mask, causal, n, m):
    seen = mask[0] if mask else None
    if causal:
        before = np.tri(n, m, dtype=bool)
        seen = before if seen is None else seen & before
    return seen


SIZES = [
    (2, 5, 7, 3, 4, 6), (1, 130, 130, 2, 8, 8), (33, 70, 200, 2, 16, 8), (3, 300, 150, 1, 8, 9), (1, 9, 9, 12, 4, 4),
    (9, 1, 3, 1, 1, 1), (2, 700, 700, 1, 8, 8),
]  # fmt: skip
MASKS = ["none", "of sources", "of both", "whole"]


def mask_shape(kind, b, n, m, h):
    return dict(zip(MASKS, [None, (b, 1, 1, m), (1, 1, n, m), (b, h, n, m)]))[kind]


@pytest.mark.parametrize("spread", [1, 200], ids=["near", "far"])
@pytest.mark.parametrize("causal", [False, True], ids=["all", "causal"])
@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_values_and_gradients_are_those_of_plain_numpy(size, kind, causal, spread):
    b, n, m, h, _, _ = size
    q, k, v, dy = drawn(*size, spread=spread)
    mask = drawn_mask(mask_shape(kind, b, n, m, h))
    seen = all_seen(mask, causal, n, m)
    params = dict(scale=0.3, causal=causal, fill=FILL)
    y = kernel.attention(q, k, v, *mask, **params)
    np.testing.assert_allclose(y, plain(q, k, v, seen, 0.3)[0], rtol=1e-9, atol=1e-11)
    got = kernel.attention_grad(dy, y, q, k, v, *mask, **params)
    wanted = np.concatenate([g.ravel() for g in plain_gradients(dy, q, k, v, seen, 0.3)])
    np.testing.assert_allclose(got, wanted, rtol=1e-7, atol=1e-9 * max(1, spread))


def test_blocks_are_small_where_matrices_are_large(monkeypatch):
    monkeypatch.setattr(kernel, "BLOCK", 1 << 10)
    monkeypatch.setattr(kernel, "ROWS", 16)
    for causal, kind in itertools.product((False, True), MASKS):
        test_values_and_gradients_are_those_of_plain_numpy((3, 90, 75, 2, 4, 5), kind, causal, 1)


def test_what_comes_later_is_not_even_computed():
    rows = list(kernel._row_blocks(1000, 1000, kernel._rows_at_once(1000, 1000, True), True))
    assert sum((r.stop - r.start) * seen for r, seen in rows) < 0.6 * 1000 * 1000


@pytest.mark.parametrize("value", [np.inf, np.nan, 1e30])
def test_what_is_not_finite_stays_with_its_target(value):
    q, k, v, _ = drawn(2, 6, 6, 2, 4, 4, dtype="float32")
    q[0, 2, 1, 3] = value
    y = kernel.attention(q, k, v, scale=1.0, causal=False, fill=FILL)
    fine = np.ones((2, 6, 2), bool)
    fine[0, 2, 1] = False
    np.testing.assert_allclose(y[fine], plain(q, k, v, None, 1.0)[0][fine], rtol=1e-5, atol=1e-6)
    assert np.isfinite(y[0, 2, 1]).all() == (value == 1e30)


def test_results_do_not_depend_on_the_number_of_threads(monkeypatch):
    q, k, v, dy = drawn(9, 100, 100, 3, 16, 16, dtype="float32")
    mask = drawn_mask((9, 1, 100, 100))

    def results():
        y = kernel.attention(q, k, v, *mask, scale=0.2, causal=True, fill=FILL)
        return y, kernel.attention_grad(dy, y, q, k, v, *mask, scale=0.2, causal=True, fill=FILL)

    def alone():
        monkeypatch.setattr(crew, "size", lambda: 1)
        found.append(results())

    found = [results()]
    other = threading.Thread(target=alone)  # calls that are made are kept for each thread
    other.start()
    other.join()
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_calls_are_aimed_at_other_arrays():
    rng = np.random.default_rng(0)
    for _ in range(3):
        a, b = rng.normal(size=(6, 40, 30)), rng.normal(size=(6, 30, 50))
        out = np.zeros((6, 2, 40, 50))
        stacks.products(a, b, out[:, 1])
        np.testing.assert_allclose(out[:, 1], a @ b, rtol=1e-12, atol=1e-12)
        assert not out[:, 0].any()


# -- as a function of tensors -----------------------------------------------------------------------------------------

MODES = pytest.mark.parametrize("mode", [lambda f: f, function], ids=["eager", "static"])


@MODES
@pytest.mark.parametrize(("kind", "causal"), [("none", False), ("none", True), ("of sources", False), ("whole", True)])
def test_second_derivatives_are_those_of_finite_differences(mode, kind, causal):
    q, k, v, dy = drawn(2, 3, 4, 2, 3, 2)
    mask = [Tensor(m) for m in drawn_mask(mask_shape(kind, 2, 3, 4, 2))]
    rng = np.random.default_rng(8)
    weights = [rng.normal(size=a.shape) for a in (q, k, v, dy)]

    def slope(q, k, v, dy):
        """A number made of the first derivatives in q, k, v and dy."""
        def f(q, k, v, dy):
            y = bind(P.attention, q, k, v, *mask, scale=0.7, causal=causal, fill=FILL)
            return P.sum_(P.mul(y, dy), axis=(0, 1, 2, 3))

        grads = autodiff.grad(f, (0, 1, 2, 3))(q, k, v, dy)
        total = [P.sum_(P.mul(g, Tensor(w)), axis=(0, 1, 2, 3)) for g, w in zip(grads, weights, strict=True)]
        return P.add(P.add(total[0], total[1]), P.add(total[2], total[3]))

    args = [q, k, v, dy]
    got = mode(lambda *xs: list(autodiff.grad(slope, (0, 1, 2, 3))(*xs)))(*map(Tensor, args))
    for i, g in enumerate(got):
        direction = rng.normal(size=args[i].shape)

        def moved(step, i=i, direction=direction):
            return float(slope(*[Tensor(a + step * direction if j == i else a) for j, a in enumerate(args)]))

        wanted = (moved(1e-5) - moved(-1e-5)) / 2e-5
        assert float(np.sum(np.asarray(g) * direction)) == pytest.approx(wanted, rel=1e-6, abs=1e-7)


def test_a_program_serves_every_batch():
    f = function(lambda q, k, v: ops.dot_product_attention(q, k, v, is_causal=True))
    for b in (1, 8, 11, 33):
        q, k, v, _ = drawn(b, 150, 150, 2, 8, 8, dtype="float32")
        y = np.asarray(f(q, k, v))
        np.testing.assert_array_equal(y, np.asarray(ops.dot_product_attention(q, k, v, is_causal=True)))
        np.testing.assert_allclose(y, plain(q, k, v, np.tri(150, dtype=bool), 8**-0.5)[0], rtol=1e-4, atol=1e-5)


def composed(q, k, v, **options):
    """The same op, kept from the primitive by a bias of zeros."""
    return ops.dot_product_attention(q, k, v, bias=np.zeros((1, 1, 1, 1), q.dtype), **options)


@pytest.mark.parametrize(
    "options",
    [
        {}, {"scale": 0.3}, {"is_causal": True}, {"mask": np.arange(6) > 2}, {"mask": np.tri(5, 6) > 0},
        {"mask": np.zeros((2, 1, 1, 6), bool)}, {"mask": np.arange(60).reshape(2, 1, 5, 6) % 3 > 0, "is_causal": True},
    ],
    ids=str,
)  # fmt: skip
def test_the_op_is_what_it_is_composed_of(options):
    q, k, v, _ = drawn(2, 5, 6, 4, 3, 3, dtype="float32")
    for heads in (4, 2):  # heads that share keys among them
        few = k[:, :, :heads], v[:, :, :heads]
        got, wanted = ops.dot_product_attention(q, *few, **options), composed(q, *few, **options)
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)


def test_a_bias_may_hide():
    q, k, v, _ = drawn(2, 5, 6, 2, 3, 3, dtype="float32")
    seen = np.arange(6) < 4
    bias = np.where(seen, 0, -np.inf).astype("float32").reshape(1, 1, 1, 6)
    np.testing.assert_allclose(
        ops.dot_product_attention(q, k, v, bias=bias), ops.dot_product_attention(q, k, v, mask=seen), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("options", [{}, {"use_causal_mask": True}, {"attention_mask": np.tri(5, 5, 1) > 0}], ids=str)
def test_layers_are_the_same_with_and_without_scores(options):
    x = np.random.default_rng(0).normal(size=(3, 5, 8)).astype("float32")
    for layer in (keras.layers.MultiHeadAttention(2, 4), keras.layers.GroupQueryAttention(4, 4, 2)):
        alone = layer(x, x, **options)
        with_scores, _ = layer(x, x, return_attention_scores=True, **options)
        np.testing.assert_allclose(alone, with_scores, rtol=1e-5, atol=1e-6)


def test_a_step_holds_no_matrix_of_weights():
    layer = keras.layers.MultiHeadAttention(2, 4)
    x = keras.Input((50, 8))
    model = keras.Model(x, layer(x, x))
    model.compile("sgd", "mse")
    data = np.zeros((4, 50, 8), "float32")
    model.fit(data, data, verbose=0)
    source = model.program("train").source
    assert "attention_grad(" in source
    assert "50, 50" not in source
