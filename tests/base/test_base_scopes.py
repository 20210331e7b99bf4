"""Scopes of names and devices."""

import pytest

import kerasish as keras
from kerasish.base.naming import current_path
from kerasish.engine import SymbolicScope, in_symbolic_scope


def test_name_scopes_nest():
    with keras.name_scope("a") as scope, keras.name_scope("a"):
        assert scope.name == "a"
        assert current_path() == "a/a"
        assert keras.Variable([1.0], name="v").path == "a/a/v"
    assert current_path() == ""


def test_a_caller_enters_its_scope_once():
    with keras.name_scope("a", caller=3), keras.name_scope("a", caller=3):
        assert current_path() == "a"
    with keras.name_scope("a", caller=3), keras.name_scope("a", caller=3, deduplicate=False):
        assert current_path() == "a/a"
    with keras.name_scope("a", caller=3), keras.name_scope("b"), keras.name_scope("a", caller=3):
        assert current_path() == "a/b/a"


def test_another_parent():
    with keras.name_scope("a"):
        with keras.name_scope("b", override_parent="x/y"):
            assert current_path() == "x/y/b"
        assert current_path() == "a"


def test_an_error_leaves_the_scope():
    with pytest.raises(KeyError), keras.name_scope("a"):
        raise KeyError
    assert current_path() == ""


@pytest.mark.parametrize("name", ["a/b", 3, None])
def test_names_that_are_refused(name):
    with pytest.raises(ValueError, match="must be a string and cannot contain character `/`"):
        keras.name_scope(name)


@pytest.mark.parametrize("name", ["cpu", "cpu:0", "CPU:0"])
def test_the_processor_is_a_device(name):
    with keras.device(name):
        assert float(keras.ops.add(1.0, 1.0)) == 2


@pytest.mark.parametrize("name, error", [("gpu:0", RuntimeError), ("cpu:1", ValueError), (3, ValueError), (None, ValueError)])
def test_other_devices_are_not_there(name, error):
    with pytest.raises(error, match="[Dd]evice"):
        keras.device(name)


def test_shapes_are_inferred_in_a_symbolic_scope():
    seen = []

    class Asks(keras.layers.Layer):
        def call(self, x):
            seen.append(in_symbolic_scope())
            return x

    Asks()(keras.Input((2,)))
    Asks()(keras.ops.ones((1, 2)))
    assert seen[0] is True
    assert seen[-1] is False
    with SymbolicScope():
        assert in_symbolic_scope()
    assert not in_symbolic_scope()
