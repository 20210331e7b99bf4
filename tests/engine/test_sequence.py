"""Sequences of C calls (kernels/sequence.py, kernels/joined.py): what they compute is what NumPy computes, wherever arrays
are, from any thread, with signals and after a fork; and kernels do run as sequences where there are any."""

import gc
import os
import signal
import subprocess
import sys
import threading
import weakref
from functools import partial

import numpy as np
import pytest

import kerasish as keras
from kerasish.engine import GradientTape
from kerasish.engine import kernels as K
from kerasish.engine.kernels import crew, sequence
from kerasish.engine.kernels.elementwise import add_weighted
from kerasish.engine.kernels.joined import _write, joined
from kerasish.engine.kernels.scratch import zeros
from kerasish.engine.kernels.sequence import Direct, Unfit, prepared, together
from kerasish.engine.kernels.threads import in_order
from kerasish.engine.static import function

rng = np.random.default_rng(0)
PARTS = [(0, 5), (5, 12)]
THERE = prepared(lambda do, part, x: do.call(np.negative, x, x), [0], np.zeros(3, "f")) is not None
needs_sequences = pytest.mark.skipif(not THERE, reason="no contexts or no crew on this machine")


def drawn(*shape, dtype="float32"):
    return rng.normal(size=shape).astype(dtype)


def record(do, part, x, u, row, y, z):
    """A bit of everything."""
    rows = slice(*part)
    term = do.memory("term", y[rows].shape, y.dtype)
    do.product(x[rows], u, y[rows])
    do.call(np.add, y[rows], row, term)
    do.call(np.tanh, term, term)
    do.call(np.multiply, term, np.array(0.5, y.dtype), y[rows])
    do.copy(x[rows, 1:4], z[rows, :3])
    do.copy(np.broadcast_to(row[:2], (part[1] - part[0], 2)), z[rows, 3:5])


def arrays(dtype):
    x, u, row = drawn(12, 6, dtype=dtype), drawn(6, 6, dtype=dtype), drawn(6, dtype=dtype)
    return x, u, row, np.zeros((12, 6), dtype), np.zeros((12, 5), dtype)


def expected(*given):
    """What NumPy computes."""
    x, u, row, y, z = (a.copy() for a in given)
    for part in PARTS:
        record(Direct, part, x, u, row, y, z)
    return y, z


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_as_numpy_wherever_arrays_are(dtype):
    for _ in range(4):
        given = arrays(dtype)
        want = expected(*given)
        for _ in range(2):
            together(record, PARTS, *given)
            for got, wanted in zip(given[3:], want):
                np.testing.assert_array_equal(got, wanted)


@needs_sequences
def test_they_are_prepared_once_for_a_layout():
    first, second = arrays("float32"), arrays("float32")
    made = prepared(record, PARTS, *first)
    assert made is not None and prepared(record, PARTS, *second) is made
    made(*second)
    np.testing.assert_array_equal(second[3], expected(*second)[0])
    assert not first[3].any()


def sums(do, part, x, y, z):
    do.call(np.add, x, y, z)


def test_arrays_may_share_memory_or_not():
    a, b, both = np.ones(6, "f"), np.full(6, 5, "f"), np.arange(24, dtype="f")
    cases = [
        (a, a), (a, b), (b, a), (b, b), (both[:6], both[6:12]), (both[6:12], both[:6]), (both[:6], both[2:8]),
        (both[2:8], both[:6]), (both[:6], both[3:9]),
    ]  # fmt: skip
    for x, y in 2 * cases:
        z = np.zeros(6, "f")
        together(sums, [0], x, y, z)
        np.testing.assert_array_equal(z, x + y)


def columns(do, part, x, y, z):
    do.product(x, y, z)


def test_arrays_may_lie_between_each_other():
    for order in (0, 1, 2), (2, 0, 1), (1, 2, 0):
        whole = drawn(4, 3, 4)
        x, y, z = (whole[:, i] for i in order)
        wanted = x @ y
        together(columns, [0], x, y, z)
        np.testing.assert_allclose(z, wanted, rtol=1e-5, atol=1e-6)


def test_queries_may_be_keys():
    x, y = drawn(2, 9, 2, 4), drawn(2, 9, 2, 4)
    options = {"scale": 0.5, "causal": False, "fill": -1e9}
    for q, k, v in ((x, x, x), (x, y, y), (y, x, x), (x, y, x), (x.copy(), y, x)):
        scores = np.einsum("bthd,bshd->bhts", q.astype("d"), k) * 0.5
        weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
        wanted = np.einsum("bhts,bshd->bthd", weights, v)
        np.testing.assert_allclose(K.attention(q, k, v, **options), wanted, rtol=1e-5, atol=1e-6)


def test_arrays_are_let_go():
    given = arrays("float32")
    together(record, PARTS, *given)
    before = [sys.getrefcount(a) for a in given]
    again = [a.copy() for a in given]
    together(record, PARTS, *again)
    assert [sys.getrefcount(a) for a in again] == before
    known = weakref.ref(given[0])
    del given
    gc.collect()
    assert known() is None


def test_one_thread_computes_the_same(monkeypatch):
    given = arrays("float32")
    want = expected(*given)
    monkeypatch.setattr(crew, "size", lambda: 1)
    found = threading.Thread(target=lambda: together(record, PARTS, *given))  # sequences are prepared for each thread
    found.start()
    found.join()
    np.testing.assert_array_equal(given[3], want[0])


def gaps(do, part, x, y):
    do.call(np.exp, x[::2], y)


def types(do, part, x, y):
    do.call(np.add, x[:3], x[:3].astype("float64"), y[:3])


def backwards(do, part, x, y):
    do.copy(x[None, ::-1], np.zeros((1, 6), "f"))
    do.call(np.exp, x[3:], y)


@pytest.mark.parametrize("what", [gaps, types, backwards])
def test_what_c_functions_do_not_take_is_done_on_the_spot(what):
    x, y, z = drawn(6), np.zeros(3, "f"), np.zeros(3, "f")
    assert prepared(what, [0], x, y) is None
    together(what, [0], x, y)
    what(Direct, 0, x, z)
    np.testing.assert_array_equal(y, z)


def test_from_several_threads_at_once():
    wrong = []

    def work(seed):
        for _ in range(200):
            given = arrays("float32")
            want = expected(*given)
            together(record, PARTS, *given)
            wrong.extend(not np.array_equal(a, b) for a, b in zip(given[3:], want) if not np.array_equal(a, b))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def many(do, part, x, y):
    for _ in range(2000):
        do.call(np.add, x, y, y)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no such signals")
def test_signals_arrive_meanwhile():
    x, y, seen = np.ones(4096, "f"), np.zeros(4096, "f"), []
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        for _ in range(20):
            together(many, [0], x, y)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert seen and (y == 40_000).all()


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no such signals")
def test_signals_that_a_thread_holds_back_stay_so():
    x, y, seen = np.ones(4096, "f"), np.zeros(4096, "f"), []
    together(many, [0], x, y)  # made while the signal is let through
    before = signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    try:
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        together(many, [0], x, y)
        assert not seen and signal.SIGUSR1 in signal.sigpending()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        signal.signal(signal.SIGUSR1, before)
    assert seen == [1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_after_a_fork():
    code = """
import os, sys
import numpy as np
from tests.engine import test_sequence as t
given = t.arrays("float32")
t.together(t.record, t.PARTS, *given)
child = os.fork()
if not child:
    other = t.arrays("float32")
    t.together(t.record, t.PARTS, *other)
    os._exit(0 if np.array_equal(other[3], t.expected(*other)[0]) else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=os.path.dirname(__file__) + "/../..")


def test_switched_off():
    code = """
import numpy as np
from tests.engine import test_sequence as t
assert not t.THERE
given = t.arrays("float32")
t.together(t.record, t.PARTS, *given)
assert np.array_equal(given[3], t.expected(*given)[0])
"""
    subprocess.run(
        [sys.executable, "-c", code], check=True, timeout=60, cwd=os.path.dirname(__file__) + "/../..",
        env={**os.environ, "KERASISH_CREW": "0"},
    )  # fmt: skip


def convolve():
    geometry = {"strides": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1)}
    x, w = drawn(2, 40, 40, 16), drawn(3, 3, 16, 8)
    y = K.conv(x, w, **geometry, groups=1)
    K.conv_kernel_grad(x, y, kernel_shape=w.shape, **geometry, groups=1)
    K.conv_input_grad(y, w, input_shape=x.shape, **geometry, groups=1)


def attend(causal=True, length=40, mask=()):
    q, k, v, dy = (drawn(2, length, 3, 8) for _ in range(4))
    options = {"scale": 0.3, "causal": causal, "fill": -1e9}
    y = K.attention(q, k, v, *mask, **options)
    K.attention_grad(dy, y, q, k, v, *mask, **options)


def recur(layer, seen=None):
    x = drawn(8, 20, 6)
    with GradientTape() as tape:
        watched = keras.ops.convert_to_tensor(x)
        tape.watch(watched)
        y = keras.ops.sum(layer(watched, mask=seen))
    tape.gradient(y, watched)


@needs_sequences
@pytest.mark.parametrize(
    "kernel",
    [
        convolve,
        attend,
        partial(attend, False),
        partial(attend, True, 300),  # blocks of rows
        partial(attend, False, 40, (np.arange(40)[None, None, None] < 30,)),
        partial(attend, False, 40, (np.tri(40, dtype=bool)[None, None],)),
        lambda: recur(keras.layers.LSTM(5)),
        lambda: recur(keras.layers.GRU(5)),
        lambda: recur(keras.layers.LSTM(5), np.arange(20)[None] < rng.integers(1, 20, (8, 1))),
        lambda: recur(keras.layers.GRU(5, return_sequences=True), np.arange(20)[None] < rng.integers(1, 20, (8, 1))),
    ],
    ids=["conv", "causal", "attention", "long", "columns hidden", "mask", "lstm", "gru", "lstm masked", "gru masked"],
)
def test_kernels_are_sequences(kernel, monkeypatch):
    made = []

    def watched(*args):
        made.append(prepared(*args))
        return made[-1]

    for module in (sequence, sys.modules["kerasish.engine.kernels.attention"]):
        monkeypatch.setattr(module, "prepared", watched)
    kernel()
    assert made and all(m is not None for m in made)


# -- sums and turned copies -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [1, 7, 64, 10001])
def test_weighted_sums(n, dtype):
    a, b = np.zeros((), dtype), np.zeros((), dtype)
    x, y = drawn(n, dtype=dtype), drawn(n, dtype=dtype)
    run = joined(*[partial(add_weighted, x, a, b, y)] * 8)
    assert not THERE or isinstance(run, sequence._Fixed)
    for a[()], b[()] in ((0.5, -0.25), (-1.5, 1.0), (2.0, 0.0)):  # numbers may change from run to run
        wanted = y.astype("d")
        for _ in range(8):
            wanted = float(a) * x + float(b) * wanted
        run()
        np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows, columns", [(2, 2), (3, 70), (64, 64), (33, 5), (1, 4), (4, 1)])
def test_copies_of_turned_matrices(rows, columns, dtype):
    whole = drawn(columns + 2, rows + 3, dtype=dtype)
    for x in (whole[:columns, :rows].T, np.ascontiguousarray(whole[:columns, :rows]).T):
        wide = np.zeros((rows, columns + 4), dtype)
        for out in (np.zeros((rows, columns), dtype), wide[:, 1 : columns + 1]):
            run = joined(*[partial(np.copyto, out, x)] * 8)
            assert not THERE or isinstance(run, sequence._Fixed) or min(rows, columns) == 1
            for _ in range(2):
                run()
                np.testing.assert_array_equal(out, x)
                x += 1
        assert not wide[:, 0].any() and not wide[:, columns + 1 :].any()


# -- joined -----------------------------------------------------------------------------------------------------------


def statements():
    """Prepared calls as programs have them, and the arrays they work on."""
    x, w, b, y, z, s = drawn(8, 6), drawn(6, 4), drawn(4), np.zeros((8, 4), "f"), np.zeros((8, 4), "f"), np.zeros(4, "f")
    mask, number = np.zeros((8, 4), bool), np.zeros((), "f")
    calls = [
        partial(np.dot, x, w, y),
        partial(np.add, y, b, y),
        partial(np.maximum, y, np.zeros((8, 4), "f"), out=y),
        in_order(partial(np.negative, y, z), partial(np.exp, z, z), partial(np.square, z, z)),
        partial(np.dot, np.ones(8, "f"), z, s),
        partial(np.dot, s, b, number),
        partial(np.greater, z, number, mask),
        partial(np.copyto, z, mask),  # no C function for this
        lambda: y.sort(axis=0),  # nor for this
        partial(np.multiply, z, y, z),
        partial(np.copyto, y, z),
        partial(np.add, y, s, y),
        partial(np.matmul, y, w.T, x),
        partial(np.subtract, x, x, x),
        partial(np.add, x, np.array(2, "f"), x),
        partial(np.reciprocal, x, x),
        partial(np.add, x, x, x),
    ]
    return calls, (x, w, b, y, z, s, mask, number)


def test_joined_calls_compute_the_same_bits():
    calls, places = statements()
    start = [a.copy() for a in places]
    for call in calls:
        call()
    wanted = [a.copy() for a in places]
    run = joined(*calls)
    assert not THERE or len(run.calls) < 6
    for _ in range(2):
        for a, b in zip(places, start):
            np.copyto(a, b)
        run()
        for a, b in zip(places, wanted):
            np.testing.assert_array_equal(a, b)


def rows_twice(dtype):
    return partial(np.add, drawn(6, dtype=dtype), drawn(6, dtype=dtype), np.zeros((5, 6), dtype))


ODD = {
    "rows of two types": [partial(np.add, np.ones((5, 6), t), drawn(6, dtype=t), np.zeros((5, 6), t)) for t in "fd" * 4],
    "two rows in a call": [rows_twice(t) for t in "ffffddddd"],
    "copies to more": [partial(np.copyto, np.zeros((2, 3, 4), "f"), drawn(1, 3, 4)) for _ in range(8)],
    "copies of fewer axes": [partial(np.copyto, np.zeros((5, 3, 4), "f"), drawn(3, 4)) for _ in range(8)],
    "bytes in another order": [partial(np.add, drawn(4), np.array(3, ">f4"), np.zeros(4, "f")) for _ in range(8)],
}


@pytest.mark.parametrize("case", ODD)
def test_odd_calls_joined(case):
    joined(*ODD[case])()
    for call in ODD[case]:
        copies = call.func is np.copyto
        out = call.args[0] if copies else call.args[-1]
        got = out.copy()
        out.fill(0)
        call()
        np.testing.assert_array_equal(got, out)


def test_arguments_that_are_shared_constants():
    def work(do, part, x, y):
        sequence.clear(do, y)
        do.call(np.add, y, x, y)

    y = np.zeros((3, 4), "f")
    for x in (zeros(12, np.dtype("f")).reshape(3, 4), np.full((3, 4), 5, "f")):
        together(work, [0], x, y)
        np.testing.assert_array_equal(y, x)


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 1, 1, 1), (1, 3, 9, 1), (2, 1, 1, 9)])
def test_masks_of_any_shape(shape):
    q, k, v = (drawn(2, 9, 3, 4) for _ in range(3))
    mask = np.ones(shape, bool)
    options = {"scale": 0.5, "causal": False, "fill": -1e9}
    sequence._made.__dict__.clear()
    np.testing.assert_allclose(
        K.attention(q, k, v, mask, **options), K.attention(q, k, v, **options), rtol=1e-5, atol=1e-6
    )


def test_fewer_parts_than_threads():
    geometry = {"strides": (1, 1), "padding": ((0, 0), (1, 1)), "dilation": (1, 1)}
    x, w = drawn(1, 1, 8192, 32), drawn(1, 3, 32, 32)
    y = K.conv(x, w, **geometry, groups=1)
    twice = np.concatenate([x, x])
    np.testing.assert_allclose(K.conv(twice, w, **geometry, groups=1)[:1], y, rtol=1e-5, atol=1e-5)
    grads = [
        K.conv_kernel_grad(a, b, kernel_shape=w.shape, **geometry, groups=1) for a, b in ((x, y), (twice, np.concatenate([y, y])))
    ]
    np.testing.assert_allclose(2 * grads[0], grads[1], rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("layer", ["LSTM", "GRU"])
def test_no_sequences_in_a_batch(layer):
    model = keras.Sequential([keras.layers.Input((5, 3)), getattr(keras.layers, layer)(4)])
    assert model.predict_on_batch(np.zeros((0, 5, 3), "f")).shape == (0, 4)


def test_empty_arrays():
    x = np.zeros((0, 4), "f")
    together(lambda do, part, x: do.call(np.exp, x, x), [0, 1], x)
    together(lambda do, part, x, y: do.call(np.exp, *((x, x) if part else (y, y))), [0, 1], x, np.zeros(3, "f"))
    joined(*[partial(np.exp, x, x)] * 9)()


@pytest.mark.parametrize(
    "call",
    [
        lambda: None,
        partial(np.add.reduce, np.ones(3, "f")),
        partial(np.add, np.ones(3, "f"), 2.0, np.ones(3, "f")),
        partial(np.add, np.ones((3, 1), "f"), np.ones((3, 2), "f"), np.ones((3, 2), "f")),
        partial(np.dot, np.ones((100, 100), "f"), np.ones((100, 100), "f"), np.ones((100, 100), "f")),  # by threads
        partial(np.dot, np.ones((2, 3, 4), "f"), np.ones(4, "f"), np.ones((2, 3), "f")),
        (lambda x: partial(np.add, x[1:], x[:-1], x[:-1]))(np.ones(9, "f")),
        partial(np.multiply, np.ones(3, "f"), np.ones(3, "d"), np.ones(3, "d")),
        partial(np.dot, np.ones((2, 0), "f"), np.ones((0, 3), "f"), np.ones((2, 3), "f")),
        partial(np.copyto, np.ones((0, 3), "f"), np.ones((0, 3), "f")),
        partial(np.copyto, np.ones((4, 6), "f")[:, ::2], np.ones((3, 4), "f").T),
        partial(add_weighted, np.ones(3, "f"), np.ones((), "d"), np.ones((), "f"), np.ones(3, "f")),
        partial(add_weighted, np.ones((), "f"), np.ones((), "f"), np.ones((), "f"), np.ones(3, "f")),
    ],
)
def test_what_cannot_be_joined_stays_as_it_is(call):
    with pytest.raises(Unfit):
        _write(call, sequence._Written(sequence._contexts()) if THERE else Direct)


def test_small_models_run_joined_statements():
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential([layers.Input((6,)), *[layers.Dense(8, "tanh") for _ in range(5)], layers.Dense(1)])
    model.compile("adam", "mse")
    x, y = drawn(64, 6), drawn(64, 1)
    twin = keras.models.clone_model(model)
    twin.compile("adam", "mse", run_eagerly=True)
    twin.set_weights(model.get_weights())
    for m in (model, twin):
        m.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), twin.get_weights()):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(model.predict(x, verbose=0), np.asarray(model(x)), rtol=1e-6, atol=1e-6)


def test_every_run_of_statements_is_a_call_of_its_own():
    def f(x, w):
        for _ in range(6):  # products by a moving matrix interrupt the runs
            x = keras.ops.tanh(keras.ops.matmul(x, w)) * 0.5 + 0.25
            x = keras.ops.square(x) - keras.ops.exp(x)
        return x

    x, w = drawn(3, 3), drawn(3, 3)
    np.testing.assert_allclose(function(f)(x, w), f(x, w), rtol=1e-5, atol=1e-6)
