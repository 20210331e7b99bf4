"""Every layer, by every invariant: see layer_row.py for the rows."""

import json
import pathlib
import random

import numpy as np
import pytest
from layer_row import cotangents, draw, fill, flat, is_float
from layer_table import ROWS

import kerasish as keras
from kerasish import tree
from kerasish.base import config, registry
from kerasish.engine.static import Function

GOLDEN = pathlib.Path(__file__).parents[1] / "golden/layers"
ALL = [pytest.param(family, row, id=row.id) for family, rows in ROWS.items() for row in rows]


def every(*conditions):
    """The rows for which all these attributes hold; "not x" for those that are not x."""
    wanted = [(c.removeprefix("not "), not c.startswith("not ")) for c in conditions]
    return pytest.mark.parametrize(
        "family, row", [p for p in ALL if all(bool(getattr(p.values[1], name)) is value for name, value in wanted)]
    )


@pytest.fixture(autouse=True)
def fresh_names():
    keras.utils.clear_session()


@pytest.fixture
def precision():
    """Sets floatx and the global policy for a test."""
    before = config.floatx(), keras.dtype_policies.dtype_policy().name

    def choose(policy):
        if policy == "float64":
            keras.config.set_floatx("float64")
        keras.config.set_dtype_policy(policy)

    yield choose
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])
    keras.dtype_policies._global.clear()


def tensors(inputs):
    return tree.map_structure(keras.ops.convert_to_tensor, inputs)


def made(row):
    """The layer, built, with the weights that all libraries give it; and its inputs."""
    layer = row.make(keras)
    inputs = tensors(row.inputs)
    if not layer.built:
        row.apply(layer, inputs)
    fill(layer)
    return layer, inputs


def run(layer, inputs, row):
    return [np.asarray(y) for y in flat(row.apply(layer, inputs))]


def golden(family, row):
    with np.load(GOLDEN / f"{family}.npz") as file:
        prefix = f"{row.id}/"
        return {k.removeprefix(prefix): v for k, v in file.items() if k.startswith(prefix)}


def test_ids_are_unique_and_every_family_has_numbers():
    ids = [p.values[1].id for p in ALL]
    assert len(ids) == len(set(ids))
    assert {p.stem for p in GOLDEN.glob("*.npz")} == set(ROWS)


@every("not random")
def test_outputs_are_keras(family, row):
    layer, inputs = made(row)
    expected = golden(family, row)
    outputs = run(layer, inputs, row)
    assert len(outputs) == int(expected["outputs"])
    for i, y in enumerate(outputs):
        want = expected[f"y{i}"]
        assert y.shape == want.shape and str(y.dtype) == str(want.dtype)
        np.testing.assert_allclose(y, want, rtol=row.tolerance, atol=row.tolerance)


@every("not random", "differentiable")
def test_gradients_are_keras(family, row):
    layer, inputs = made(row)
    expected = golden(family, row)
    leaves = flat(inputs)
    with keras.GradientTape() as tape:
        tape.watch([x for x in leaves if is_float(x)])
        loss = weighted(flat(row.apply(layer, inputs)))
    sources = [x for x in leaves if is_float(x)] + list(layer.trainable_weights)
    grads = tape.gradient(loss, sources)
    assert len(grads) == int(expected["grads"])
    for i, g in enumerate(grads):
        want = expected[f"g{i}"]
        g = np.zeros(want.shape) if g is None else np.asarray(g)
        scale = max(1.0, np.abs(want).max(initial=0))
        np.testing.assert_allclose(g, want, rtol=row.tolerance, atol=row.tolerance * scale, err_msg=str(i))


def weighted(outputs):
    outputs = [y for y in outputs if is_float(y)]
    loss = keras.ops.zeros((), dtype=config.floatx())
    for y, c in zip(outputs, cotangents(outputs), strict=True):
        loss = loss + keras.ops.sum(keras.ops.cast(y, config.floatx()) * keras.ops.cast(c, config.floatx()))
    return loss


@every("differentiable", "not random", "smooth")
def test_gradients_are_differences(family, row, precision):
    precision("float64")
    layer = row.make(keras)
    inputs = tree.map_structure(lambda x: x.astype("float64") if is_float(x) else x, row.inputs)
    if not layer.built:
        row.apply(layer, tensors(inputs))
    fill(layer)
    leaves = flat(inputs)
    rng = np.random.RandomState(1)
    weights = list(layer.trainable_weights)
    places = [x for x in leaves if is_float(x)] + [np.asarray(w) for w in weights]
    direction = [rng.uniform(-1, 1, np.shape(p)) for p in places]
    state = [np.asarray(v) for v in layer.non_trainable_variables]

    def loss(t):
        moved = iter([p + t * d for p, d in zip(places, direction, strict=True)])
        x = tree.map_structure(lambda leaf: next(moved) if is_float(leaf) else leaf, inputs)
        for w in weights:
            w.assign(next(moved))
        for v, value in zip(layer.non_trainable_variables, state, strict=True):
            v.assign(value)
        return x

    x = tensors(loss(0.0))
    with keras.GradientTape() as tape:
        tape.watch([leaf for leaf in flat(x) if is_float(leaf)])
        total = weighted(flat(row.apply(layer, x)))
    grads = tape.gradient(total, [leaf for leaf in flat(x) if is_float(leaf)] + weights)
    slope = sum(float(np.sum(np.asarray(g) * d)) for g, d in zip(grads, direction, strict=True) if g is not None)
    step = 1e-6
    ends = [float(weighted(flat(row.apply(layer, tensors(loss(t)))))) for t in (step, -step)]
    assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=2e-5, abs=2e-6)


@every("symbolic")
def test_shapes_are_inferred(family, row):
    layer, inputs = made(row)
    outputs = run(layer, inputs, row)
    symbolic = tree.map_structure(lambda x: keras.KerasTensor((None, *x.shape[1:]), str(x.dtype)), row.inputs)
    again = row.make(keras)
    call = {k: v for k, v in row.call.items() if not isinstance(v, np.ndarray) and not flat(v) or np.isscalar(v)}
    if set(call) != set(row.call):
        return  # arrays among the arguments have a batch size of their own
    for y, s in zip(outputs, flat(row.apply(again, symbolic, call)), strict=True):
        assert len(s.shape) == y.ndim and str(s.dtype) == str(y.dtype)
        assert all(a is None or a == b for a, b in zip(s.shape, y.shape, strict=True))
        if s.shape:
            assert list(s.shape[1:]) == list(y.shape[1:])


@every("symbolic")
def test_compute_output_shape_leaves_the_layer_as_it_is(family, row):
    if row.call:
        return  # whether scores or states are returned is no matter of shapes
    layer, inputs = made(row)
    expected = [y.shape for y in run(layer, inputs, row)]
    again = row.make(keras)
    before = again.built, len(again.variables), random.getstate()
    shapes = tree.map_structure(lambda x: tuple(x.shape), row.inputs)
    found = again.compute_output_shape(*shapes) if row.star else again.compute_output_shape(shapes)
    found = [tuple(s) for s in flat_shapes(found)]
    assert found == expected or (row.random and [len(s) for s in found] == [len(s) for s in expected])
    assert (again.built, len(again.variables), random.getstate()) == before


def flat_shapes(found):
    """Shapes in lists, tuples and dicts."""
    if isinstance(found, dict):
        return [s for key in sorted(found) for s in flat_shapes(found[key])]
    if all(d is None or isinstance(d, int) for d in found):
        return [found]
    return [s for part in found for s in flat_shapes(part)]


@every("symbolic", "not random")
def test_a_program_computes_the_same(family, row):
    layer, inputs = made(row)
    state = [np.asarray(v) for v in layer.variables]
    eager = run(layer, inputs, row)
    for v, value in zip(layer.variables, state, strict=True):
        v.assign(value)
    program = Function(lambda *leaves: flat(row.apply(layer, tree.pack_sequence_as(row.inputs, leaves))))
    for y, z in zip(eager, flat(program(*[np.asarray(x) for x in flat(inputs)])), strict=True):
        np.testing.assert_allclose(np.asarray(z), y, rtol=2e-6, atol=2e-6)


@every()
def test_config_and_weights_make_the_layer_again(family, row):
    layer, inputs = made(row)
    form = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    again = keras.saving.deserialize_keras_object(form)
    if not again.built:
        row.apply(again, inputs)
    again.set_weights(layer.get_weights())
    fresh, _ = made(row)
    for v, w in zip(again.variables, fresh.variables, strict=True):  # the states of seeds, too
        v.assign(w)
    for y, z in zip(run(fresh, inputs, row), run(again, inputs, row), strict=True):
        assert np.array_equal(y, z, equal_nan=is_float(y))
    assert json.loads(json.dumps(again.get_config())) == json.loads(json.dumps(layer.get_config()))


@every("random")
def test_the_same_seed_draws_the_same(family, row):
    inputs = tensors(row.inputs)
    first, second = (run(made(row)[0], inputs, row) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@every("mixed", "not random")
def test_mixed_precision(family, row, precision):
    layer, inputs = made(row)
    full = run(layer, inputs, row)
    precision("mixed_float16")
    layer = row.make(keras)
    if not layer.built:
        row.apply(layer, inputs)
    fill(layer)
    assert all(str(w.dtype) != "float16" for w in layer.weights)
    for y, z in zip(full, run(layer, inputs, row), strict=True):
        if is_float(y):
            assert str(z.dtype) == "float16"
            np.testing.assert_allclose(z.astype("float32"), y, rtol=0.03, atol=0.03 * max(1, np.abs(y).max(initial=0)))


@every("symbolic", "not random")
def test_in_a_saved_model(family, row, tmp_path):
    if any(isinstance(v, np.ndarray) or flat(v) and not np.isscalar(v) for v in row.call.values()):
        return  # arrays are no part of a model's graph
    inputs = tree.map_structure(lambda x: keras.Input(x.shape[1:], dtype=str(x.dtype)), row.inputs)
    layer = row.make(keras)
    model = keras.Model(inputs, row.apply(layer, inputs))
    fill(layer)
    expected = [np.asarray(y) for y in flat(model(tensors(row.inputs)))]
    fill(layer)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    for y, z in zip(expected, flat(again(tensors(row.inputs))), strict=True):
        np.testing.assert_allclose(np.asarray(z), y, rtol=1e-6, atol=1e-6)


def test_every_layer_has_a_row():
    # made of what they are given, or of strings, which no row holds: tested on their own
    exempt = {"Layer", "InputLayer", "Wrapper", "Lambda", "StringLookup", "TextVectorization"}
    exempt |= {name for name in registry.exported("keras.layers") if not isinstance(registry.lookup(f"keras.layers.{name}"), type)}
    classes = {c for n, c in registry.exported("keras.layers").items() if isinstance(c, type) and n not in exempt}
    found = {type(p.values[1].make(keras)) for p in ALL}
    missing = {c.__name__ for c in classes - found if issubclass(c, keras.Layer)}
    assert not missing - exempt, sorted(missing)


def test_drawn_inputs_are_away_from_zero():
    assert np.abs(draw(5, 5)).min() >= 0.05
