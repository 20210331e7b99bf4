"""Every optimizer and schedule: ten steps are Keras's, by a program and eagerly; configs, slots and signatures, too."""

import inspect
import json
import pathlib

import numpy as np
import pytest
from optimizer_rows import GRADIENTS, KINDS, ROWS, make, variables

import kerasish as keras
from kerasish.engine.static import Function

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
FORMS = json.loads((GOLDEN / "optimizers.json").read_text())


@pytest.fixture(scope="module")
def numbers():
    with np.load(GOLDEN / "optimizers.npz") as file:
        return dict(file)


@pytest.fixture(autouse=True)
def fresh_names():
    keras.utils.clear_session()


def run(name, static, steps=GRADIENTS):
    optimizer, vs = make(keras, name), variables(keras)
    optimizer.build(vs)
    apply = (lambda *grads: optimizer.apply(list(grads), vs)) if not static else Function(
        lambda *grads: optimizer.apply(list(grads), vs) or 0
    )  # fmt: skip
    for step in steps:
        apply(*[keras.ops.convert_to_tensor(g) for g in step])
    return optimizer, vs


@pytest.mark.parametrize("static", [False, True], ids=["eager", "static"])
@pytest.mark.parametrize("name", ROWS)
def test_ten_steps(name, static, numbers):
    optimizer, vs = run(name, static)
    optimizer.finalize_variable_values(vs)
    for i, v in enumerate(vs):
        np.testing.assert_allclose(v.numpy(), numbers[f"{name}/{i}"], rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", ROWS)
def test_config(name):
    optimizer = make(keras, name)
    form = json.loads(json.dumps(keras.optimizers.serialize(optimizer)))
    expected = FORMS[name]["config"]
    assert set(form["config"]) == set(expected["config"])
    for key, want in expected["config"].items():
        got = form["config"][key]
        assert got == (pytest.approx(want, rel=1e-6) if isinstance(want, float) else want), key
    again = keras.optimizers.deserialize(expected)
    assert json.loads(json.dumps(keras.optimizers.serialize(again)))["config"].keys() == expected["config"].keys()


@pytest.mark.parametrize("name", ROWS)
def test_slots(name):
    optimizer, _ = run(name, False)
    assert [list(v.shape) for v in optimizer.variables] == [shape for _, shape in FORMS[name]["variables"]]


@pytest.mark.parametrize("name", ROWS)
def test_a_saved_state_goes_on_to_the_same_bits(name):
    optimizer, vs = run(name, True, GRADIENTS[:4])
    store = {}
    optimizer.save_own_variables(store)
    again, ws = make(keras, name), variables(keras)
    again.build(ws)
    for v, w in zip(vs, ws, strict=True):
        w.assign(v)
    again.load_own_variables(store)
    for step in GRADIENTS[4:]:
        for o, xs in ((optimizer, vs), (again, ws)):
            o.apply([keras.ops.convert_to_tensor(g) for g in step], xs)
    for v, w in zip(vs, ws, strict=True):
        assert np.array_equal(v.numpy(), w.numpy())


@pytest.mark.parametrize("kind", KINDS)
def test_signature(kind):
    parameters = inspect.signature(getattr(keras.optimizers, kind).__init__).parameters.values()
    ours = [[p.name, None if p.default is p.empty else p.default] for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD][1:]
    assert ours == FORMS[kind]


def test_loss_scaling_skips_overflows_and_finds_a_scale():
    v = keras.Variable(np.ones(3, "float32"))
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=8.0, dynamic_growth_steps=2)
    optimizer.build([v])
    step = Function(lambda g: optimizer.apply([g], [v]) or 0)
    step(np.full(3, np.inf, "float32"))
    assert np.array_equal(v.numpy(), np.ones(3)) and float(optimizer.dynamic_scale) == 4.0
    for scale in (4.0, 8.0):
        step(np.full(3, float(optimizer.dynamic_scale), "float32"))
        assert float(optimizer.dynamic_scale) == scale
    np.testing.assert_allclose(v.numpy(), 0.8, rtol=1e-6)
    assert int(optimizer.iterations) == 2 and float(optimizer.scale_loss(1.0)) == 8.0
    again = keras.optimizers.deserialize(json.loads(json.dumps(keras.optimizers.serialize(optimizer))))
    assert again.dynamic_growth_steps == 2 and type(again.inner_optimizer) is keras.optimizers.SGD
