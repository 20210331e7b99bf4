"""Chains that run tile by tile (engine/chains.py, kernels/tiles.py): to the numbers that eager mode has, for every length of
the leading axis, in sequences and without, however many threads there are."""

from functools import partial

import numpy as np
import pytest
from fresh import output

import kerasish as keras
from kerasish import ops
from kerasish.engine import GradientTape
from kerasish.engine.chains import TILE
from kerasish.engine.kernels import sequence
from kerasish.engine.kernels.bound import bound_ufunc
from kerasish.engine.kernels.tiles import Tiles
from kerasish.engine.static import function

rng = np.random.default_rng(0)


def drawn(*shape, dtype="float32"):
    return rng.normal(size=shape).astype(dtype)


def elementwise(x, bias, scale):
    y = ops.relu(x + bias)
    return y * scale - ops.tanh(y)


def with_sums(x, bias, scale):
    y = ops.square(x - bias) * scale
    return y, ops.sum(y, axis=tuple(range(len(x.shape) - 1))), ops.sum(y * x, axis=0)


def along_rows(x, bias, scale):
    y = ops.softmax(x * scale, axis=-1) + bias
    return ops.sum(y, axis=-1), ops.max(y * y, axis=-1), y


def no_c_function(x, bias, scale):
    """Truth values are made numbers by NumPy alone, between statements that sequences do."""
    y = x * scale + bias
    kept = ops.cast(y > 0.1, x.dtype)
    return ops.exp(-y) * kept + ops.where(kept > 0, y, bias)


def number_within(x, bias, scale):
    """What is computed from all elements is a number in the chain that follows."""
    return (x - ops.mean(x)) / (ops.std(x) + 1.0) * scale + bias


def slopes(x, bias, scale):
    with GradientTape() as tape:
        tape.watch([x, bias])
        y = ops.clip(ops.relu(x * scale + bias), 0.25, 1.5)
        loss = ops.sum(y * y)
    return tape.gradient(loss, [x, bias])


def turned(x, bias, scale):
    """Over views that do not lie in lines."""
    y = ops.transpose(x, (1, 0, *range(2, len(x.shape)))) * scale
    return ops.exp(y[::2]) - y[::2], y[:, 1:] - y[:, :-1]


CHAINS = [elementwise, with_sums, along_rows, no_c_function, number_within, slopes, turned]
SHAPES = {
    "one tile": (40, 300), "tiles and a part of one": (301, 16, 32), "one row": (1, 512), "wide": (67, 8191),
    "a row is longer than a tile": (3, 64, 40, 17), "rows of two axes": (5, 7, 9000), "few channels": (5000, 3, 3),
}  # fmt: skip


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    before = keras.config.floatx()
    keras.config.set_floatx(request.param)
    yield request.param
    keras.config.set_floatx(before)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("chain", CHAINS)
def test_the_numbers_of_eager_mode(chain, shape, dtype):
    shape = SHAPES[shape]
    program = function(chain)
    bias, scale = drawn(shape[-1], dtype=dtype), np.asarray(1.3, dtype)
    for rows in dict.fromkeys([shape[0], 1, shape[0] // 2 + 1, shape[0]]):
        x = drawn(rows, *shape[1:], dtype=dtype)
        for _ in range(2):
            given = [ops.convert_to_tensor(v, dtype) for v in (x, bias, scale)]
            got, wanted = program(*given), chain(*given)
            for a, b in zip(*[v if isinstance(v, (list, tuple)) else [v] for v in (got, wanted)], strict=True):
                assert a.dtype == dtype
                np.testing.assert_allclose(a, b, rtol=2e-5 if dtype == "float32" else 1e-11, atol=1e-6 * x.size**0.5)
            x += 1


def test_a_long_row_is_divided():
    shape = (2, 64, 40, 17)
    assert np.prod(shape[1:]) > TILE
    program = function(elementwise)
    program(drawn(*shape), drawn(17), np.float32(2))
    assert "64*b" in program.programs[-1].source and "reshape((64*b, 40, 17))" in program.programs[-1].source


def test_without_sequences_and_with_any_number_of_threads_the_same_bits():
    code = (
        "import numpy as np, sys\n"
        "sys.path.insert(0, 'tests/engine')\n"
        "import test_tiles as t\n"
        "for chain in t.CHAINS:\n"
        "    for shape in ((301, 16, 32), (3, 64, 40, 17)):\n"
        "        got = t.function(chain)(t.drawn(*shape), t.drawn(shape[-1]), np.float32(1.3))\n"
        "        for v in got if isinstance(got, (list, tuple)) else [got]:\n"
        "            sys.stdout.write(np.asarray(v).tobytes().hex())\n"
    )

    wanted = output(code)
    assert wanted == output(code, KERASISH_NUM_THREADS="1") == output(code, KERASISH_NUM_THREADS="3")
    assert len(output(code, KERASISH_CREW="0")) == len(wanted)  # where sums of rows may be taken otherwise


@pytest.mark.parametrize("rows", [0, 1, 5, 64, 1000])
def test_tiles_share_room_but_not_with_other_threads(rows):
    x, out, row = drawn(rows, 300), np.zeros((rows, 300), "float32"), drawn(300)
    tiles = Tiles(rows, 100)
    room, wide = np.zeros((tiles.room, 300), "f"), np.zeros((tiles.room, 300), "f")
    number = np.zeros((), "f")

    def start(do, k, n):
        do(partial, np.copyto, wide[k : k + n], np.broadcast_to(row, (n, 300)))

    def tile(do, i, j, k):
        middle = room[k : k + j - i]
        do(bound_ufunc, np.square, x[i:j], middle)
        do(bound_ufunc, np.add, middle, wide[k : k + j - i], middle)
        do(bound_ufunc, np.multiply, middle, number, out[i:j])

    run = tiles.prepare(tile, start)
    for number[()] in (2, 3):
        run()
        np.testing.assert_array_equal(out, (np.square(x) + row) * number)
        row += 1


@pytest.mark.skipif(not sequence.possible(), reason="no contexts or no crew on this machine")
def test_chains_are_sequences():
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((300,)), layers.Dense(512), layers.ReLU(max_value=6), layers.Dropout(0.2), layers.Dense(512, "relu"), layers.Dense(3)]
    )  # fmt: skip
    model.compile("adam", "mse")
    x, y = drawn(256, 300), drawn(256, 3)
    model.fit(x, y, batch_size=128, verbose=0)
    program = model.program("train")
    found = []

    class Watched(Tiles):
        def prepare(self, *args):
            found.append(super().prepare(*args))
            return found[-1]

    scope = program._build.__globals__
    before, scope["Tiles"] = scope["Tiles"], Watched
    try:
        program.bind((128,))
    finally:
        scope["Tiles"] = before
    assert len(found) >= 5 and all(isinstance(call, sequence._FixedParts) for call in found)


def test_numbers_of_a_run_reach_the_chains():
    """The step of Adam changes from one run to the next, and so does a learning rate."""
    results = []
    for eagerly in False, True:
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((200,)), keras.layers.Dense(300), keras.layers.Dense(1)])
        model.compile(keras.optimizers.Adam(0.01), "mse", run_eagerly=eagerly)
        x, y = drawn(64, 200) * 0 + np.linspace(-1, 1, 200, dtype="f"), np.linspace(0, 1, 64, dtype="f")[:, None]
        for rate in (0.01, 0.002):
            model.optimizer.learning_rate = rate
            model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
        results.append(model.get_weights())
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


# -- what was once wrong ----------------------------------------------------------------------------------------------


def same(f, *args, rtol=2e-4, atol=2e-4):
    program = function(f)
    for _ in range(2):
        got, wanted = program(*args), f(*map(ops.convert_to_tensor, args))
        for a, b in zip(*[v if isinstance(v, (list, tuple)) else [v] for v in (got, wanted)], strict=True):
            np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def test_a_loop_may_give_out_sums_over_rows():
    w = drawn(300, 300) * 0.05

    def f(x):
        def step(carry, t):
            return carry + 1, ops.sum(ops.sin(ops.tanh(ops.matmul(t, w))) * 2, axis=0)

        return ops.scan(step, ops.zeros(()), x)

    same(f, drawn(5, 400, 300))


def test_a_loop_may_have_long_rows():
    w = drawn(300, 300) * 0.05

    def f(x):
        def body(i, carry):
            return ops.tanh(ops.sum(ops.sin(ops.tanh(ops.matmul(x + carry, w))) * 2, axis=(0, 1)) * 0.01)

        return ops.fori_loop(0, 4, body, ops.zeros(300))

    same(f, drawn(4, 300, 300))


def test_what_is_read_whole_through_a_view_is_not_overwritten():
    def f(x):
        b = ops.matmul(x, x)
        wide = ops.tanh(ops.matmul(ops.reshape(b, (200, 200, 1)), np.ones((1, 200), "f")))
        y, z = wide + ops.reshape(b, (1, 200, 200)), ops.sin(b)
        return ops.tanh(y) * 2, z

    same(f, drawn(200, 200) * 0.05)


def test_views_of_sums_wait_for_all_tiles():
    w = drawn(200, 200) * 0.05

    def f(sizes_are_known, x):
        y = ops.tanh(ops.matmul(x, w))
        return ops.tanh(ops.reshape(ops.sum(y, axis=0), (200, 200, 1)) * y * 0.1)

    same(f, np.zeros(3, "f"), drawn(200, 200, 200) * 0.3)


@pytest.mark.parametrize("shapes", [((0, 0), (0, 0, 0)), ((1, 0, 1), (1, 1, 1)), ((2, 3, 0), (2, 0, 4))])
def test_empty_products(shapes):
    same(ops.matmul, *(np.zeros(s, "f") for s in shapes))


@pytest.mark.parametrize("threads", ["1", "2"])
def test_products_within_chains_do_not_depend_on_threads(threads):
    code = (
        "import numpy as np, sys\nfrom kerasish import ops\nfrom kerasish.engine.static import function\n"
        "def f(x):\n"
        "    y = ops.matmul(x * 2.0, ops.transpose(x, (0, 2, 1)) * 3.0)\n"
        "    return ops.sum(y * 2.0, axis=-1), y\n"
        "for shape in ((3, 900, 20), (6, 129, 300), (4, 64, 900)):\n"
        "    for v in function(f)(np.random.default_rng(0).normal(size=shape).astype('f')):\n"
        "        sys.stdout.write(str(hash(np.asarray(v).tobytes())))\n"
    )

    found = output(code, KERASISH_NUM_THREADS=threads, PYTHONHASHSEED="0")
    assert found and found == output(code, KERASISH_NUM_THREADS="3", PYTHONHASHSEED="0")
