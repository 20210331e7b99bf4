"""Every constraint: names, signatures, numbers, configs and errors are Keras's."""

import json

import numpy as np
import pytest
from parts_cases import CONSTRAINTS, same, signature
from parts_golden import GOLDEN

import kerasish as keras

module = keras.constraints


@pytest.mark.parametrize("name", GOLDEN["names"]["constraints"])
def test_names_and_signatures(name):
    expected = GOLDEN["signatures"]["constraints"].get(name)
    assert expected is None or signature(getattr(module, name)) == expected


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_numbers(name):
    make, w = CONSTRAINTS[name]
    y = make(module)(w)
    assert y.dtype == "float32"
    np.testing.assert_allclose(y, GOLDEN["numbers"]["constraints"][name], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(make(module)(keras.Variable(w)), y, rtol=1e-6)


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_configs(name):
    made = CONSTRAINTS[name][0](module)
    form = json.loads(json.dumps(module.serialize(made)))
    assert same(form, GOLDEN["configs"]["constraints"][name])
    again = module.deserialize(form)
    assert type(again) is type(made) and module.serialize(again) == module.serialize(made)


def test_get():
    first = next(iter(CONSTRAINTS.values()))[0](module)
    kind = type(first)
    assert module.get(first) is first and module.get(None) is None and isinstance(module.get(kind.__name__), kind)
    assert isinstance(module.get(kind), kind) and isinstance(module.get(module.serialize(first)), kind)
    with pytest.raises(ValueError):
        module.get("nothing")


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_weights_are_kept_within(name):
    make, w = CONSTRAINTS[name]
    layer = keras.layers.Layer()
    weight = layer.add_weight(shape=w.shape, initializer=lambda shape, dtype: keras.ops.convert_to_tensor(w), constraint=make(module))
    keras.optimizers.SGD(0.1).apply([np.zeros_like(w)], [weight])
    np.testing.assert_allclose(weight, make(module)(w), rtol=1e-6)
