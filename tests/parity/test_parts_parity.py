"""Initializers, regularizers and constraints beside an installed Keras."""

import json
import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

from parts_cases import CONSTRAINTS, DRAWN, FIXED, REGULARIZERS, same

import kerasish

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]  # Keras's own warnings are not ours to judge
NUMBERS = [
    pytest.param(kind, *row, id=f"{kind} {name}")
    for kind, table in (("initializers", FIXED), ("regularizers", REGULARIZERS), ("constraints", CONSTRAINTS))
    for name, row in table.items()
]
CONFIGS = [*NUMBERS, *[pytest.param("initializers", row[0], row[1], id=f"initializers {name}") for name, row in DRAWN.items()]]


def plain(form):
    form = json.loads(json.dumps(form, default=lambda x: np.asarray(x).tolist()))
    if form["class_name"] == "Identity":  # whose gain Keras forgets
        form["config"] = {}
    return form


@pytest.mark.parametrize("kind, make, argument", NUMBERS)
def test_numbers(kind, make, argument):
    ours, theirs = make(getattr(kerasish, kind))(argument), make(getattr(keras, kind))(argument)
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind, make, argument", CONFIGS)
def test_configs_both_ways(kind, make, argument):
    modules = getattr(kerasish, kind), getattr(keras, kind)
    ours, theirs = (m.serialize(make(m)) for m in modules)
    assert same(plain(ours), plain(theirs))
    assert same(plain(modules[1].serialize(modules[1].deserialize(plain(ours)))), plain(ours))
    assert same(plain(modules[0].serialize(modules[0].deserialize(plain(theirs)))), plain(theirs))


@pytest.mark.parametrize("kind", ["initializers", "regularizers", "constraints", "activations", "random"])
def test_every_name_is_there(kind):
    assert not {n for n in dir(getattr(keras, kind)) if n[0] != "_"} - set(dir(getattr(kerasish, kind)))
