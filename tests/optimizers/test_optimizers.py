"""Every optimizer and schedule: ten steps are Keras's, by a program and eagerly; configs, slots and signatures, too."""

import inspect
import json
import pathlib

import numpy as np
import pytest
from optimizer_rows import GRADIENTS, KINDS, ROWS, SCHEDULES, make, variables

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


@pytest.mark.parametrize("static", [False, True], ids=["eager", "static"])
@pytest.mark.parametrize("name", ROWS)
def test_stateless(name, static):
    """stateless_apply gives what apply would make, changes nothing, and goes on from apply's state to the same numbers."""
    optimizer, vs = run(name, False, GRADIENTS[:3])
    twin, ws = run(name, False, GRADIENTS[:3])
    own, trained = [[v.numpy() for v in group] for group in (twin.variables, ws)]
    before = [v.copy() for v in [*own, *trained]]
    step = Function(twin.stateless_apply) if static else twin.stateless_apply
    for gradients in GRADIENTS[3:6]:
        gradients = [keras.ops.convert_to_tensor(g) for g in gradients]
        optimizer.apply(gradients, vs)
        trained, own = step(own, gradients, trained)
    for v, value in zip([*vs, *optimizer.variables], [*trained, *own], strict=True):
        np.testing.assert_allclose(np.asarray(value), v.numpy(), rtol=1e-6, atol=1e-7)
    for v, value in zip([*twin.variables, *ws], before, strict=True):
        assert np.array_equal(v.numpy(), value)


def test_stateless_says_what_does_not_fit():
    optimizer = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="must be built"):
        optimizer.stateless_apply([], [], [])
    vs = variables(keras)
    optimizer.build(vs)
    with pytest.raises(ValueError, match="`optimizer_variables` must be a list.*length 0"):
        optimizer.stateless_apply([], [], [v.value for v in vs])
    with pytest.raises(ValueError, match="`trainable_variables` must be a list.*length 0"):
        optimizer.stateless_apply([v.value for v in optimizer.variables], [], [])


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


# -- several optimizers -----------------------------------------------------------------------------------------------


def test_a_map_finds_optimizers_by_path_and_by_expression():
    sgd, adam, lion = keras.optimizers.SGD(), keras.optimizers.Adam(), keras.optimizers.Lion()
    optimizers = keras.optimizers.OptimizerMap(sgd, {"encoder/.*": adam})
    optimizers["encoder/first"] = lion
    assert [optimizers[k] for k in ("encoder/first", "encoder/second", "encoder", "head")] == [lion, adam, sgd, sgd]
    assert (list(optimizers), len(optimizers)) == (["encoder/.*", "encoder/first"], 2)
    optimizers["enc.*"] = sgd
    with pytest.raises(ValueError, match="Multiple optimizers assigned to variable encoder/second"):
        optimizers["encoder/second"]
    del optimizers["enc.*"]
    for key, value, message in (
        ("encoder/first", sgd, "already exists"),
        (3, sgd, "key must be a string"),
        ("x", "adam", "must be a Keras Optimizer"),
        ("x", keras.optimizers.LossScaleOptimizer(sgd), "cannot be LossScaleOptimizer"),
        ("x", keras.optimizers.MultiOptimizer(optimizers), "cannot be MultiOptimizer"),
    ):
        with pytest.raises(ValueError, match=message):
            optimizers[key] = value
    for arguments in ((3,), (sgd, [adam])):
        with pytest.raises(TypeError, match="Received"):
            keras.optimizers.OptimizerMap(*arguments)


def test_several_optimizers_of_a_function_train_a_model():
    adam, sgd = keras.optimizers.Adam(0.1), keras.optimizers.SGD(0.1)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, "tanh", name="first"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.MultiOptimizer(lambda v: adam if "first" in v.path else sgd), "mse")
    x = np.random.RandomState(0).normal(size=(32, 2)).astype("float32")
    losses = model.fit(x, x[:, :1] * 2, epochs=10, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2
    assert model.optimizer.optimizers == [adam, sgd] and int(adam.iterations) == int(model.optimizer.iterations) == 10
    with pytest.raises(AttributeError, match="cannot be accessed on a MultiOptimizer"):
        model.optimizer.learning_rate  # noqa: B018
    with pytest.raises(AttributeError, match="cannot be set on a MultiOptimizer"):
        model.optimizer.learning_rate = 0.1


def test_muon_leaves_embeddings_and_vectors_to_adam():
    shapes = {"dense_kernel": (2, 3), "embeddings": (2, 3), "bias": (3,)}
    vs = [keras.Variable(np.ones(s, "float32"), name=name) for name, s in shapes.items()]
    optimizer = keras.optimizers.Muon()
    optimizer.build(vs)
    names = [v.name for v in optimizer.variables[2:]]
    assert names == ["dense_kernel_momentum", "embeddings_momentum", "embeddings_velocity", "bias_momentum", "bias_velocity"]


def test_decay_is_no_longer_an_argument():
    with pytest.warns(UserWarning, match="Pass a schedule"):
        keras.optimizers.Adam(0.1, decay=0.1)


# -- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", keras.optimizers.legacy.__all__)
def test_legacy_optimizers_say_what_to_use(name):
    with pytest.raises(ImportError, match=f"keras.optimizers.{name}"):
        getattr(keras.optimizers.legacy, name)(learning_rate=0.1)


def test_get():
    assert keras.optimizers.get(None) is None
    assert type(keras.optimizers.get("SGD")) is type(keras.optimizers.get("sgd")) is keras.optimizers.SGD
    assert type(keras.optimizers.get(keras.optimizers.Lion)) is keras.optimizers.Lion
    for wrong in ("nonsense", 3, {"class_name": "Nonsense", "config": {}}, np.sum):
        with pytest.raises(ValueError, match="Could not interpret optimizer identifier"):
            keras.optimizers.get(wrong)


def test_every_optimizer_and_schedule_has_a_row():
    kinds = {type(make(keras, name)).__name__ for name in ROWS}
    assert kinds | {"Optimizer", "OptimizerMap"} == {n for n in keras.optimizers.__all__ if n[0].isupper()}
    schedules = {n for n in keras.optimizers.schedules.__all__ if n[0].isupper()}
    assert set(SCHEDULES) | {"LearningRateSchedule"} == schedules


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_are_saved(name):
    schedules = keras.optimizers.schedules
    schedule = getattr(schedules, name)(*SCHEDULES[name])
    form = json.loads(json.dumps(schedules.serialize(schedule)))
    assert (form["module"], form["class_name"]) == ("keras.optimizers.schedules", name)
    assert [float(schedules.deserialize(form)(i)) for i in range(9)] == [float(schedule(i)) for i in range(9)]
