"""Random draws: reproducible from their seed, the same in a program, and distributed as they should be."""

import numpy as np
import pytest

from kerasish import random
from kerasish.engine.static import function

N = 20000
DRAWS = [
    (lambda s: random.normal((N,), 1.0, 2.0, seed=s), 1.0, 2.0),
    (lambda s: random.uniform((N,), -1.0, 3.0, seed=s), 1.0, 4 / 12**0.5),
    (lambda s: random.truncated_normal((N,), seed=s), 0.0, 0.8796),
    (lambda s: random.randint((N,), 0, 10, seed=s), 4.5, (99 / 12) ** 0.5),
    (lambda s: random.gamma((N,), 3.0, seed=s), 3.0, 3.0**0.5),
    (lambda s: random.beta((N,), 2.0, 3.0, seed=s), 0.4, 0.2),
    (lambda s: random.binomial((N,), 10.0, 0.3, seed=s), 3.0, 2.1**0.5),
    (lambda s: random.categorical(np.log([[0.2, 0.8]]), N, seed=s), 0.8, 0.4),
    (lambda s: random.dropout(np.ones(N), 0.25, seed=s), 1.0, (1 / 3) ** 0.5),
]


@pytest.mark.parametrize("draw, mean, deviation", DRAWS)
def test_moments(draw, mean, deviation):
    x = np.asarray(draw(3)).astype("float64")
    assert x.mean() == pytest.approx(mean, abs=5 * deviation / N**0.5)
    assert x.std() == pytest.approx(deviation, rel=0.03)


@pytest.mark.parametrize("draw", [d[0] for d in DRAWS])
def test_a_seed_fixes_the_draw_and_a_generator_moves_on(draw):
    np.testing.assert_array_equal(draw(5), draw(5))
    generator = random.SeedGenerator(5)
    first, second = np.asarray(draw(generator)), np.asarray(draw(generator))
    np.testing.assert_array_equal(first, draw(5))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("draw", [d[0] for d in DRAWS])
def test_a_program_draws_what_eager_code_does(draw):
    eager, traced = random.SeedGenerator(5), random.SeedGenerator(5)
    program = function(lambda x: draw(traced) + x * 0)
    zero = np.zeros(1, "float32")
    for _ in range(3):
        np.testing.assert_array_equal(np.asarray(program(zero)).reshape(-1), np.asarray(draw(eager) + zero).reshape(-1))
    np.testing.assert_array_equal(eager.state.numpy(), traced.state.numpy())


def test_set_random_seed_fixes_everything():
    def draws() -> list:
        random.set_random_seed(11)
        return [np.asarray(random.normal((3,))), np.asarray(random.SeedGenerator().state), np.random.rand(2)]

    for a, b in zip(draws(), draws(), strict=True):
        np.testing.assert_array_equal(a, b)
    random.reset_global_seed()


def test_shuffle_and_dropout():
    x = np.arange(12).reshape(6, 2)
    y = np.asarray(random.shuffle(x, seed=1))
    assert not np.array_equal(x, y)
    np.testing.assert_array_equal(np.sort(y, axis=0), x)
    mask = np.asarray(random.dropout(np.ones((4, 5)), 0.5, noise_shape=(None, 1), seed=2))
    assert np.all(mask == mask[:, :1])
    assert set(np.unique(mask)) <= {0.0, 2.0}
    np.testing.assert_array_equal(random.dropout(x, 0.0), x.astype("float32"))


def test_configuration_and_state():
    g = random.SeedGenerator(3, name="mine")
    assert g.get_config() == {"seed": 3, "name": "mine"}
    assert g.state.path == "mine/seed_generator_state"
    assert g.state.dtype == "uint32" and not g.state.trainable
    np.testing.assert_array_equal(g.next(), [3, 0])
    np.testing.assert_array_equal(g.state, [3, 1])


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: random.SeedGenerator("a"), "must be an integer"),
        (lambda: random.normal((2,), seed="a"), "SeedGenerator"),
        (lambda: random.uniform((2,), dtype="int32"), "floating point"),
        (lambda: random.randint((2,), 0, 3, dtype="float32"), "integer"),
        (lambda: random.categorical([1.0, 2.0], 2), "2-D"),
        (lambda: random.set_random_seed("a"), "to be an integer"),
    ],
)
def test_errors(call, text):
    with pytest.raises(ValueError, match=text):
        call()


