"""NumPy's loops on OpenBLAS's threads: the same bits as NumPy, from any number of callers, after a fork, and switched off."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import kerasish.engine  # noqa: F401 - before the kernels, which it imports
from kerasish.engine.kernels import crew
from kerasish.engine.kernels.scratch import aligned

rng = np.random.default_rng(0)
needs_crew = pytest.mark.skipif(crew.size() == 1, reason="one processor, or no OpenBLAS that is known")
UNARY = ["exp", "log", "sqrt", "tanh", "square", "negative", "absolute", "reciprocal", "log1p", "sin", "floor", "isnan"]
BINARY = ["add", "subtract", "multiply", "divide", "maximum", "minimum", "power", "greater", "equal", "arctan2"]
SIZES = [crew.LEAST, crew.LEAST + 1, 50_000, 131_072 + 63]


def values(n, dtype):
    return rng.uniform(0.1, 3.0, n).astype(dtype)


def out_like(ufunc, x):
    return aligned(x.shape, ufunc(*[x[:1]] * ufunc.nin).dtype)


@needs_crew
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", UNARY + BINARY)
def test_the_same_bits_as_numpy(name, dtype, n):
    ufunc = getattr(np, name)
    args = [values(n, dtype) for _ in range(ufunc.nin)]
    out = out_like(ufunc, args[0])
    call = crew.bind(ufunc, (*args, out))
    assert call is not None
    for _ in range(2):  # it may be called again
        out.fill(0)
        call()
        np.testing.assert_array_equal(out, ufunc(*args))


@needs_crew
def test_numbers_are_repeated_and_results_may_stand_in_place():
    x = values(20_000, "float32")
    expected = x * np.float32(3)
    number = np.array(3, np.float32)
    call = crew.bind(np.multiply, (x, number, x))
    call()
    np.testing.assert_array_equal(x, expected)
    number[()] = 0.5  # it is read when the call is made
    call()
    np.testing.assert_array_equal(x, expected * np.float32(0.5))


@pytest.mark.parametrize(
    "arrays",
    [
        (values(99, "float32"), np.empty(99, "float32")),  # not worth it
        (values(40_000, "float32")[::2], np.empty(20_000, "float32")),  # not in order
        (values(20_000, "float32"), np.empty(20_000, "float64")),  # no loop for these types
        (values(200, "float32"), np.empty((100, 200), "float32")),  # a row is not repeated
    ],
    ids=["small", "strided", "types", "row"],
)
def test_what_it_does_not_do(arrays):
    assert crew.bind(np.exp, arrays) is None


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_stacks_of_products(dtype, turned):
    a, b = rng.normal(size=(7, 40, 30)).astype(dtype), rng.normal(size=(7, 30, 50)).astype(dtype)
    if turned:
        b = np.ascontiguousarray(b.swapaxes(1, 2)).swapaxes(1, 2)
    out = np.empty((7, 40, 50), dtype)
    call = crew.bind_products(a, b, out)
    assert (call is None) == (crew.size() == 1)
    for _ in range(3 if call else 0):
        out.fill(0)
        call()
        np.testing.assert_array_equal(out, np.matmul(a, b))


def test_apply_is_the_ufunc():
    for n in (5, 30_000):
        x, y, out = values(n, "float32"), values(n, "float32"), np.empty(n, "float32")
        for _ in range(2):
            assert crew.apply(np.add, x, y, out) is out
            np.testing.assert_array_equal(out, x + y)
        row = np.empty((3, n), "float32")
        np.testing.assert_array_equal(crew.apply(np.add, x, np.zeros((3, 1), "float32"), row), np.stack([x] * 3))


def test_many_callers_at_once():
    x = values(100_000, "float32")
    wrong = []

    def work(k):
        a, out = x * k, np.empty_like(x)
        for _ in range(200):
            out.fill(0)
            crew.apply(np.sqrt, a, out)
            if not np.array_equal(out, np.sqrt(a)):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 9)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


TRAINING = """
import os, sys
import numpy as np, kerasish as keras
keras.utils.set_random_seed(0)
x = np.random.default_rng(0).normal(size=(256, 64)).astype("float32")
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(256, "relu"), keras.layers.Dropout(0.1), keras.layers.Dense(8)])
model.compile("adam", "mse")
def fit():
    model.fit(x, x[:, :8], batch_size=128, epochs=2, verbose=0)
    return float(model.evaluate(x, x[:, :8], verbose=0))
fit()
"""


def run(code, **env):
    found = subprocess.run(
        [sys.executable, "-c", TRAINING + code], env={**os.environ, **env}, capture_output=True, text=True, timeout=120
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


def test_switched_off_the_numbers_are_the_same():
    code = "from kerasish.engine.kernels import crew; print(crew.size() == 1, round(fit(), 4))"
    off, loss = run(code, KERASISH_CREW="0").split()
    assert off == "True" and loss == run(code).split()[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_after_a_fork():
    code = """
sys.stdout.flush()
child = os.fork()
loss = fit()
if not child:
    os._exit(0 if np.isfinite(loss) else 1)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), np.isfinite(fit()))
"""
    assert run(code) == "0 True"


def test_an_unknown_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(crew, "KNOWN", ((9, 0, 0), (9, 1, 0)))
    crew._library.cache_clear()
    crew.size.cache_clear()
    try:
        assert crew.size() == 1
        assert crew.bind(np.exp, (values(50_000, "float32"), np.empty(50_000, "float32"))) is None
    finally:
        crew._library.cache_clear()
        crew.size.cache_clear()
