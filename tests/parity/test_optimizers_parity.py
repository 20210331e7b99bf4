"""Optimizers and schedules beside an installed Keras: ten steps on gradients that were not recorded, configs, slots."""

import json
import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

from optimizer_rows import ROWS, SCHEDULES, apply, make

import kerasish

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]  # Keras's own warnings are not ours to judge

STEPS = 10
rng = np.random.RandomState(7)
SHAPES = ((2, 5), (), (2, 2, 3, 2))
START = [rng.normal(size=s).astype("float32") for s in SHAPES]
GRADIENTS = [[np.asarray(rng.normal(size=s), "float32") for s in SHAPES] for _ in range(STEPS)]


def run(k, name, optimizer=None, steps=GRADIENTS, start=START):
    variables = [k.Variable(v, name=f"v{i}") for i, v in enumerate(start)]
    optimizer = optimizer or make(k, name)
    optimizer.build(variables)
    for gradients in steps:
        apply(k, optimizer, gradients, variables)
    return optimizer, variables


def fresh():
    for k in (kerasish, keras):
        k.utils.clear_session()


def close(ours, theirs):
    for v, w in zip(ours, theirs, strict=True):
        wanted = np.asarray(w)
        scale = max(1.0, float(np.abs(wanted).max(initial=0)))
        np.testing.assert_allclose(v.numpy(), wanted, rtol=2e-5, atol=2e-6 * scale, err_msg=w.path)


def form(k, optimizer):
    return json.loads(json.dumps(k.optimizers.serialize(optimizer)))


@pytest.mark.parametrize("name", ROWS)
def test_ten_steps(name):
    """The variables, then the slots under Keras's names; what one reads of the other's config goes on alike."""
    fresh()
    (ours, vs), (theirs, ws) = run(kerasish, name), run(keras, name)
    close(vs, ws)
    close(ours.variables, theirs.variables)
    unnamed = {"Nadam", "Adafactor"}  # slots that Keras numbers as it goes
    if ROWS[name] is None or ROWS[name][0] not in unnamed:
        assert [v.path for v in ours.variables] == [v.path for v in theirs.variables]
    assert form(kerasish, ours) == form(keras, theirs)
    assert form(kerasish, kerasish.optimizers.deserialize(form(keras, theirs))) == form(keras, theirs)
    if not name.startswith("Lamb"):  # which Keras does not find by its name
        assert form(keras, keras.optimizers.deserialize(form(kerasish, ours))) == form(keras, theirs)
    ours.finalize_variable_values(vs)
    theirs.finalize_variable_values(ws)
    close(vs, ws)


@pytest.mark.parametrize("name", [n for n in ROWS if " {}" in n])
def test_state_of_keras_goes_on_here(name):
    fresh()
    theirs, ws = run(keras, name, steps=GRADIENTS[:3])
    store = {}
    theirs.save_own_variables(store)
    start = [np.asarray(w) for w in ws]
    ours = make(kerasish, name)
    vs = [kerasish.Variable(v, name=f"v{i}") for i, v in enumerate(start)]
    ours.build(vs)
    ours.load_own_variables(store)
    for gradients in GRADIENTS[3:6]:
        apply(kerasish, ours, gradients, vs)
        apply(keras, theirs, gradients, ws)
    close(vs, ws)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name):
    ours, theirs = (getattr(k.optimizers.schedules, name)(*SCHEDULES[name]) for k in (kerasish, keras))
    for step in range(20):
        np.testing.assert_allclose(float(ours(step)), float(theirs(step)), rtol=1e-5, atol=1e-7)
    forms = [json.loads(json.dumps(k.optimizers.schedules.serialize(s))) for k, s in ((kerasish, ours), (keras, theirs))]
    assert forms[0] == forms[1]
    for k in (kerasish, keras):
        assert k.optimizers.schedules.deserialize(forms[0]).get_config() == forms[0]["config"]


WRONG = [
    ("SGD", {"momentum": -1}), ("SGD", {"momentum": 2.0}),
    ("Adam", {"clipnorm": 1.0, "clipvalue": 1.0}), ("Adam", {"use_ema": True, "ema_momentum": 2.0}), ("Adam", {"nonsense": 1}),
    ("Adam", {"gradient_accumulation_steps": 1}), ("Adam", {"ema_overwrite_frequency": 0, "use_ema": True}),
    ("Adam", {"learning_rate": "fast"}), ("Lion", {"beta_1": 0.0}), ("Ftrl", {"initial_accumulator_value": -1.0}),
    ("Ftrl", {"learning_rate_power": 1.0}), ("Ftrl", {"l1_regularization_strength": -1.0}), ("AdamW", {"weight_decay": None}),
    ("LossScaleOptimizer", {"inner_optimizer": None, "dynamic": False}),
    ("Adam", {"decay": 0.1}), ("Adam", {"lr": 0.1}), ("Adam", {"loss_scale_factor": 2.0}),
]  # fmt: skip


@pytest.mark.parametrize("kind, options", WRONG, ids=map(str, WRONG))
def test_mistakes(kind, options):
    answers = []
    for k in (kerasish, keras):
        try:
            getattr(k.optimizers, kind)(**options)
            answers.append(None)
        except Exception as error:
            answers.append(type(error))
    assert answers[0] is answers[1]
