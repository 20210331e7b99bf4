"""Every loss: values under every reduction, weighted and masked, gradients, configs and signatures are Keras's."""

import inspect
import json
import pathlib

import numpy as np
import pytest
from loss_rows import ACROSS, OWN_MASK, ROWS, WHOLE, C, cases, inputs, make

import kerasish as keras
from kerasish.engine.static import Function

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
FORMS = json.loads((GOLDEN / "losses.json").read_text())


@pytest.fixture(scope="module")
def numbers():
    with np.load(GOLDEN / "losses.npz") as file:
        return dict(file)


@pytest.mark.parametrize("name", ROWS)
def test_values(name, numbers):
    found = cases(keras, name)
    assert {f"{name}/{title}" for title in found} == {k for k in numbers if k.startswith(f"{name}/")} - {f"{name}/gradient"}
    for title, value in found.items():
        wanted = numbers[f"{name}/{title}"]
        assert value.dtype == wanted.dtype and value.shape == wanted.shape
        np.testing.assert_allclose(value, wanted, rtol=2e-6, atol=2e-6, err_msg=title)


@pytest.mark.parametrize("name", [n for n in ROWS if n not in OWN_MASK | WHOLE])
def test_masks_leave_out_and_weights_weigh(name):
    values = cases(keras, name)
    each, weighted = values["None"], values["None weighted"]
    weights = np.random.RandomState(2).uniform(0.5, 2, each.shape).astype(each.dtype)
    kept = np.arange(each.size).reshape(each.shape) % 3 != 1
    np.testing.assert_allclose(weighted, each * weights, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(values["None masked"], each * kept, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(values["sum_over_batch_size masked"], each[kept].mean(), rtol=1e-5)
    np.testing.assert_allclose(values["sum masked and weighted"], (each * weights)[kept].sum(), rtol=1e-5)


@pytest.mark.parametrize("name", ROWS)
def test_gradient(name, numbers):
    y_true, y_pred = inputs(name)
    loss = make(keras, name)
    for function in (loss, lambda t, p: Function(lambda t, p: keras.grad(lambda q: loss(t, q))(p))(t, p)):
        if function is loss:
            g = keras.grad(lambda p: loss(y_true, p))(keras.ops.convert_to_tensor(y_pred))
        else:
            g = function(y_true, y_pred)
        np.testing.assert_allclose(np.asarray(g), numbers[f"{name}/gradient"], rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("name", ROWS)
def test_a_program_computes_the_same(name):
    y_true, y_pred = inputs(name)
    loss = make(keras, name)
    np.testing.assert_allclose(np.asarray(Function(loss)(y_true, y_pred)), np.asarray(loss(y_true, y_pred)), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", None])
@pytest.mark.parametrize("name", [n for n in ROWS if n not in WHOLE | ACROSS])
def test_one_program_for_batches_of_all_sizes(name, reduction):
    loss = make(keras, name, reduction=reduction)
    program = Function(lambda y_true, y_pred, weights: loss(y_true, y_pred, sample_weight=weights))
    for n in (6, 4, 5):
        y, weights = inputs(name, n=n, seed=n), np.linspace(0.5, 2, n, dtype="float32")
        rank = len(make(keras, name, reduction=None)(*y).shape)
        weights = weights.reshape(n, *[1] * (rank - 1))
        wanted = np.asarray(loss(*y, sample_weight=weights))
        np.testing.assert_allclose(np.asarray(program(*y, weights)), wanted, rtol=2e-6, atol=1e-6)
    assert len(program.programs) == 1


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("name", ROWS)
def test_dtype(name, dtype):
    loss = getattr(keras.losses, name.split()[0])(**{**ROWS[name][0], "dtype": dtype})
    value = loss(*inputs(name), sample_weight=np.ones(1))
    assert loss.dtype == value.dtype == dtype
    np.testing.assert_allclose(np.asarray(value), np.asarray(make(keras, name)(*inputs(name))), rtol=2e-2, atol=1e-3)


@pytest.mark.parametrize("name", ROWS)
def test_no_samples(name):
    """There are no values of no samples (but for those of the batch as a whole), and the loss is a number."""
    each = make(keras, name, reduction=None)(*inputs(name, n=0))
    assert each.shape == () if name in WHOLE else each.shape[0] == (C if name in ACROSS else 0)
    for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
        value = make(keras, name, reduction=reduction)(*inputs(name, n=0))
        assert value.shape == () and value == (1 if name in WHOLE else 0)


@pytest.mark.parametrize("name", ROWS)
def test_config(name):
    form = json.loads(json.dumps(keras.losses.serialize(make(keras, name))))
    expected = FORMS[name]
    assert {k: v for k, v in form.items() if k != "config"} == {k: v for k, v in expected.items() if k != "config"}
    assert {k: form["config"][k] for k in expected["config"]} == expected["config"]
    # Keras forgets some arguments, which it takes: they are in our files
    takes = {n for n, _ in FORMS[f"signature {name.split()[0]}"]}
    assert set(form["config"]) - set(expected["config"]) <= takes
    again = keras.losses.deserialize(form)
    y = inputs(name)
    assert np.array_equal(np.asarray(again(*y)), np.asarray(make(keras, name)(*y)))


@pytest.mark.parametrize("name", [n.removeprefix("signature ") for n in FORMS if n.startswith("signature ")])
def test_signature(name):
    thing = getattr(keras.losses, name)
    parameters = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing).parameters.values()
    ours = [[p.name, None if p.default is p.empty else p.default] for p in parameters if p.name != "self"]
    assert ours == FORMS[f"signature {name}"]


def test_every_loss_has_a_row():
    classes = {n for n in dir(keras.losses) if inspect.isclass(getattr(keras.losses, n))} - {"Loss"}
    assert classes == {name.split()[0] for name in ROWS}
