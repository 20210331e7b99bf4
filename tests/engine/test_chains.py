"""Programs run statements over large arrays a tile of rows at a time: the numbers must be those of eager code, whatever is
read across tiles, however values share memory, and for every number of rows."""

import os
import subprocess
import sys

import numpy as np
import pytest
from fresh import output

import kerasish as keras
from kerasish import ops
from kerasish.engine.static import function

ROWS = [1, 2, 7, 64, 301]


@pytest.fixture(autouse=True)
def double_precision():
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


def batch_norm(x, w, s):
    mean = ops.mean(x, axis=(0, 1), keepdims=True)
    var = ops.mean(ops.square(x - mean), axis=(0, 1), keepdims=True)
    return ops.relu((x - mean) / ops.sqrt(var + 1e-3) * s) + mean


def layer_norm(x, w, s):
    mean = ops.mean(x, axis=-1, keepdims=True)
    y = (x - mean) * ops.rsqrt(ops.mean(ops.square(x - mean), axis=-1, keepdims=True) + 1e-6)
    return y * s + 1.0


def attention(x, w, s):
    q, k = (
        ops.transpose(ops.reshape(x, (-1, 16, 4, 8)), (0, 2, 1, 3)),
        ops.transpose(ops.reshape(x * 2, (-1, 16, 4, 8)), (0, 2, 3, 1)),
    )
    p = ops.softmax(ops.matmul(q * 0.3, k), axis=-1)
    y = ops.matmul(p, ops.tanh(q))
    return ops.reshape(ops.transpose(y, (0, 2, 1, 3)), (-1, 16, 32)) + x


def weighted_rows(x, w, s):
    weight = ops.mean(x, axis=(1, 2), keepdims=True)  # a number for each row, of another width than the rows themselves
    y = x * weight
    return ops.sum(y, axis=0) + ops.max(y, axis=1, keepdims=True) * s


def dense(x, w, s):
    y = ops.relu(ops.matmul(x, w) + s)
    y = y / (1.0 + ops.sum(ops.abs(y), axis=-1, keepdims=True))
    return ops.log_softmax(y, axis=-1) * ops.reshape(x, (-1, 16, 32))


def looks_at_all_rows(x, w, s):
    y = ops.exp(x * 0.1)
    total = ops.sum(y, axis=0, keepdims=True)
    z = y / total
    return z - ops.mean(z, axis=0) + ops.flip(y, axis=0)


def several_sums(x, w, s):
    y = ops.sin(x)
    a, b = ops.sum(y, axis=(0, 1)), ops.sum(y * y, axis=(0, 1))
    return y * ops.sqrt(b) + ops.tanh(y + a)


CASES = [batch_norm, layer_norm, attention, weighted_rows, dense, looks_at_all_rows, several_sums]


def arguments(rows, dtype):
    rng = np.random.default_rng(rows)
    return [rng.normal(size=shape).astype(dtype) for shape in ((rows, 16, 32), (32, 32), (32,))]


def with_gradients(f):
    def run(x, w, s):
        return keras.value_and_grad(lambda *args: ops.sum(ops.square(f(*args))), argnums=(0, 1, 2))(x, w, s), f(x, w, s)

    return run


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("f", CASES)
def test_tiles_change_nothing(f, rows):
    args = arguments(rows, "float64")
    program = function(lambda *a: f(*a))
    np.testing.assert_allclose(
        np.asarray(program(*args)), np.asarray(f(*map(ops.convert_to_tensor, args))), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("f", CASES)
def test_gradients_in_tiles(f):
    run = with_gradients(f)
    program = function(run)
    for rows in (301, 7):  # the second size runs in the program made for the first
        args = arguments(rows, "float64")
        got, wanted = program(*args), run(*map(ops.convert_to_tensor, args))
        for a, b in zip(keras.tree.flatten(got), keras.tree.flatten(wanted), strict=True):
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-8, atol=1e-9)
    assert len(program.programs) == 1


@pytest.mark.parametrize("n", [200, 300])
def test_sums_over_rows_are_not_taken_for_rows(n):
    x = np.random.default_rng(0).normal(size=(n, n))
    program = function(lambda x: ops.exp(ops.sum(ops.transpose(x) * 0.1, axis=0)) + ops.sum(ops.transpose(x) * x, axis=0))
    np.testing.assert_allclose(np.asarray(program(x)), np.exp(x.sum(1) * 0.1) + (x.T * x).sum(0), rtol=1e-9)


@pytest.mark.parametrize("n", [200, 300])
def test_square_matrices_are_not_taken_for_rows_of_their_transposes(n):
    x = np.random.default_rng(0).normal(size=(n, n))
    program = function(lambda x: (ops.exp(x) + ops.transpose(ops.exp(x))) * ops.sum(ops.transpose(x) * x, axis=0))
    e = np.exp(x)
    np.testing.assert_allclose(np.asarray(program(x)), (e + e.T) * (x.T * x).sum(0), rtol=1e-9)


def test_sums_over_rows_stand_in_the_tiles_of_what_they_sum():
    program = function(lambda x, w, s: batch_norm(x, w, s))
    program(*arguments(301, "float32"))
    source = program.programs[-1].source
    inside = [line for line in source.splitlines() if line.startswith(" " * 8 + "do(")]
    assert any("square" in line for line in inside)
    assert any("sum" in line and "// " in line for line in inside)


@pytest.mark.parametrize("threads", ["1", "2"])
def test_the_number_of_threads_changes_no_bit(threads):
    code = (
        "import sys, numpy as np, kerasish as keras\n"
        "from kerasish import ops\nfrom kerasish.engine.static import function\n"
        "x = np.random.default_rng(0).normal(size=(301, 16, 32)).astype('float32')\n"
        "def f(x):\n"
        "    p = ops.softmax(ops.matmul(x, ops.transpose(x, (0, 2, 1))), axis=-1)\n"
        "    return ops.sum(ops.matmul(p, x), axis=(0, 1)), ops.sum(x * x, axis=0)\n"
        "a, b = function(f)(x)\n"
        "sys.stdout.write(np.asarray(a).tobytes().hex() + np.asarray(b).tobytes().hex())\n"
    )

    found = output(code, KERASISH_NUM_THREADS=threads)
    assert len(found) > 100
    assert found == output(code, KERASISH_NUM_THREADS="3")


@pytest.mark.slow
def test_every_layer_in_tiles_of_a_few_numbers():
    """All programs of the table of layers again, cut into the smallest tiles there can be."""
    code = (
        "import sys, pytest\nimport kerasish.engine.chains as chains\n"
        "chains.LEAST = chains.LEAST_ROW = 1\nchains.TILE = chains.TILE_OF_THREADS = 4\n"
        "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', 'tests/layers/test_layers.py', '-k', 'program or gradients_are_keras']))"
    )
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
