"""`keras.tree` and the settings beside an installed Keras."""

import inspect
import os
import pathlib
import sys

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "base"))

from tree_cases import DIFFERENT, answer, rows  # noqa: E402

from kerasish.base import config, registry, tree  # noqa: E402

pytestmark = pytest.mark.parity

# Elsewhere in the library: they need what stands above the settings.
ELSEWHERE = {"dtype_policy", "set_dtype_policy", "enable_unsafe_deserialization"}


@pytest.mark.parametrize("key, expression, names", [pytest.param(*row, id="-".join(row[0])) for row in rows()])
def test_answer(key, expression, names):
    if key not in DIFFERENT:
        assert answer(tree, expression, names) == answer(keras.tree, expression, names)


@pytest.mark.parametrize("module, ours", [("tree", tree), ("config", config)])
def test_names_and_signatures(module, ours):
    theirs = {name: value for name, value in vars(getattr(keras, module)).items() if not name.startswith("_")}
    for name in set(theirs) - ELSEWHERE:
        value = registry.lookup(f"keras.{module}.{name}")
        assert value is getattr(ours, name), name
        if inspect.isfunction(value):
            assert list(inspect.signature(value).parameters) == list(inspect.signature(theirs[name]).parameters), name


@pytest.mark.parametrize("name", ["floatx", "epsilon", "image_data_format", "max_epochs", "max_steps_per_epoch"])
def test_defaults(name):
    assert getattr(config, name)() == getattr(keras.config, name)()
