"""Every initializer: names, signatures, configs and fixed numbers are Keras's; what is drawn has the moments it should."""

import json

import numpy as np
import pytest
from parts_cases import DRAWN, FIXED, WRONG, failure, signature
from parts_golden import GOLDEN

import kerasish as keras

module = keras.initializers
ALL = {**FIXED, **DRAWN}


@pytest.mark.parametrize("name", GOLDEN["names"]["initializers"])
def test_names_and_signatures(name):
    expected = GOLDEN["signatures"]["initializers"].get(name)
    assert expected is None or signature(getattr(module, name)) == expected


@pytest.mark.parametrize("name", FIXED)
def test_numbers(name):
    make, shape = FIXED[name]
    y = make(module)(shape)
    assert y.shape == shape and y.dtype == "float32"
    np.testing.assert_allclose(y, GOLDEN["numbers"]["initializers"][name], rtol=1e-5, atol=1e-6)
    assert make(module)(shape, dtype="float16").dtype == "float16"


@pytest.mark.parametrize("name", DRAWN)
def test_moments(name):
    make, shape, mean, deviation, least, greatest = DRAWN[name]
    x = np.asarray(make(module)(shape), "float64")
    assert x.shape == shape and x.std() == pytest.approx(deviation, rel=0.03)
    assert abs(x.mean() - mean) < 5 * deviation / x.size**0.5 + 1e-3 * deviation
    assert least is None or least <= x.min() and x.max() <= greatest
    assert greatest is None or x.max() - x.min() > 0.95 * (greatest - least)


@pytest.mark.parametrize("name", DRAWN)
def test_seeds(name):
    make, shape, *_ = DRAWN[name]
    first, second = make(module), make(module)
    assert np.array_equal(first(shape), second(shape)) and np.array_equal(first(shape), second(shape))
    kind = type(first)
    assert not np.array_equal(kind()(shape), kind()(shape))
    seeds = keras.random.SeedGenerator(5)
    drawn = kind(seed=seeds)
    assert not np.array_equal(drawn(shape), drawn(shape))
    assert not np.array_equal(first.clone()(shape), kind(seed=2)(shape)) and np.array_equal(first.clone()(shape), first(shape))


@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (2, 3, 20), (20, 20)])
def test_orthogonal_matrices(shape):
    q = np.asarray(module.Orthogonal(gain=3.0, seed=2)(shape)).reshape(-1, shape[-1]) / 3
    product = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_configs(name):
    made = ALL[name][0](module)
    form = json.loads(json.dumps(module.serialize(made)))
    expected = GOLDEN["configs"]["initializers"][name]
    if isinstance(made, module.Identity):  # whose gain Keras forgets
        expected = {**expected, "config": {"gain": made.gain}}
    assert form == expected
    again = module.deserialize(form)
    assert type(again) is type(made) and json.loads(json.dumps(module.serialize(again))) == form
    assert np.array_equal(again(ALL[name][1]), made(ALL[name][1]))


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    assert failure(WRONG[name], module) == GOLDEN["errors"]["initializers"][name]


def test_get():
    assert isinstance(module.get("he_normal"), module.HeNormal) and isinstance(module.get("HeNormal"), module.HeNormal)
    assert isinstance(module.get(module.Zeros), module.Zeros) and module.get(None) is None
    function = lambda shape, dtype=None: keras.ops.ones(shape)
    assert module.get(function) is function
    assert isinstance(module.get({"class_name": "Constant", "config": {"value": 2.0}}), module.Constant)


def test_in_a_program():
    from kerasish.engine.static import Function

    make = Function(lambda x: x + module.HeNormal(seed=3)((4, 5)))
    np.testing.assert_allclose(make(np.zeros((4, 5), "float32")), module.HeNormal(seed=3)((4, 5)), rtol=1e-6)
