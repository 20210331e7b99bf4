"""Every regularizer: names, signatures, numbers, configs and errors are Keras's."""

import json

import numpy as np
import pytest
from parts_cases import REGULARIZERS, WRONG_REGULARIZERS, failure, same, signature
from parts_golden import GOLDEN

import kerasish as keras

module = keras.regularizers


@pytest.mark.parametrize("name", GOLDEN["names"]["regularizers"])
def test_names_and_signatures(name):
    expected = GOLDEN["signatures"]["regularizers"].get(name)
    assert expected is None or signature(getattr(module, name)) == expected


@pytest.mark.parametrize("name", REGULARIZERS)
def test_numbers(name):
    make, w = REGULARIZERS[name]
    y = make(module)(w)
    assert y.dtype == "float32"
    np.testing.assert_allclose(y, GOLDEN["numbers"]["regularizers"][name], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(make(module)(keras.Variable(w)), y, rtol=1e-6)


@pytest.mark.parametrize("name", REGULARIZERS)
def test_configs(name):
    made = REGULARIZERS[name][0](module)
    form = json.loads(json.dumps(module.serialize(made)))
    assert same(form, GOLDEN["configs"]["regularizers"][name])
    again = module.deserialize(form)
    assert type(again) is type(made) and module.serialize(again) == module.serialize(made)


def test_get():
    first = next(iter(REGULARIZERS.values()))[0](module)
    kind = type(first)
    assert module.get(first) is first and module.get(None) is None and isinstance(module.get(kind.__name__), kind)
    assert isinstance(module.get(kind), kind) and isinstance(module.get(module.serialize(first)), kind)
    with pytest.raises(ValueError):
        module.get("nothing")


@pytest.mark.parametrize("name", REGULARIZERS)
def test_gradients_are_differences(name):
    make, w = REGULARIZERS[name]
    keras.config.set_floatx("float64")
    try:
        penalty, w = make(module), w.astype("float64")
        d = np.random.RandomState(0).uniform(-1, 1, w.shape)
        slope = float(np.sum(np.asarray(keras.grad(penalty)(keras.ops.convert_to_tensor(w))) * d))
        step = 1e-6
        assert slope == pytest.approx((float(penalty(w + step * d)) - float(penalty(w - step * d))) / (2 * step), rel=1e-5, abs=1e-7)
    finally:
        keras.config.set_floatx("float32")


@pytest.mark.parametrize("name", WRONG_REGULARIZERS)
def test_errors(name):
    assert failure(WRONG_REGULARIZERS[name], module) == GOLDEN["errors"]["regularizers"][name]


def test_columns_are_made_orthogonal():
    rows, columns = module.OrthogonalRegularizer(0.5), module.OrthogonalRegularizer(0.5, "columns")
    w = next(iter(REGULARIZERS.values()))[1]
    assert float(columns(w)) == pytest.approx(float(rows(w.T))) and float(columns(np.eye(3, dtype="float32"))) == 0
