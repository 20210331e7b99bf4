"""Every public name that an installed Keras has for tensors, with its signature; every method of the classes of its engine."""

import inspect
import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import pytest

keras = pytest.importorskip("keras")

import kerasish
from kerasish.base import registry

pytestmark = pytest.mark.parity

MODULES = ["ops", "ops.numpy", "ops.nn", "ops.linalg", "ops.image", "random", "tree", "activations", "initializers"]
CLASSES = ["Operation", "KerasTensor", "Function", "StatelessScope", "SymbolicScope", "name_scope", "RematScope", "Variable"]


def module(root, path):
    for part in path.split("."):
        root = getattr(root, part)
    return root


NAMES = [
    (path, name)
    for path in MODULES
    for name, value in vars(module(keras, path)).items()
    if not name.startswith("_") and not inspect.ismodule(value)
]


def signature(fn):
    """Names, kinds and defaults; annotations are each library's own."""
    return [(p.name, p.kind, None if p.default is p.empty else repr(p.default)) for p in inspect.signature(fn).parameters.values()]


@pytest.mark.parametrize("path, name", NAMES)
def test_the_name_is_there_with_its_signature(path, name):
    ours, theirs = getattr(module(kerasish, path), name), getattr(module(keras, path), name)
    assert registry.lookup(f"keras.{path}.{name}") is ours
    assert signature(ours) == signature(theirs)


def test_there_are_as_many_as_keras_has():
    counts = {path: sum(p == path for p, _ in NAMES) for path in MODULES}
    assert counts["ops"] >= 330
    assert all(n >= 11 for n in counts.values()), counts


# quantization is a matter of layers here
NOT_HERE = {"Operation": {"quantized_call"}, "Function": {"quantized_call"}}
# what other libraries ask for
FOREIGN = {"__jax_array__", "__tf_tensor__", "__div__", "__rdiv__", "__torch_function__"}


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_has_every_method(name):
    ours, theirs = getattr(kerasish, name), getattr(keras, name)
    if name != "name_scope":  # whose `caller`, `deduplicate` and `override_parent` Keras takes as keywords without a name
        assert signature(ours.__init__) == signature(theirs.__init__)
    for member, value in inspect.getmembers(theirs):
        if member.startswith("_") and not (member.startswith("__") and callable(value)):
            continue
        if member in FOREIGN or member in NOT_HERE.get(name, ()):
            continue
        own = getattr(ours, member, None)
        if own is None and isinstance(value, property):
            continue  # an attribute of the instance: see below
        assert own is not None, member
        if inspect.isfunction(value) and not member.startswith("__"):
            assert signature(own) == signature(value), member


def instances(root):
    x = root.Input((2,))
    return {
        "Variable": root.Variable([1.0, 2.0]), "KerasTensor": x, "Function": root.Function(x, x + 1),
        "Operation": (x + 1)._keras_history.operation, "StatelessScope": root.StatelessScope(),
        "RematScope": root.RematScope(), "name_scope": root.name_scope("a"), "SymbolicScope": root.SymbolicScope(),
    }  # fmt: skip


@pytest.mark.parametrize("name", CLASSES)
def test_an_instance_has_every_attribute(name):
    ours, theirs = instances(kerasish)[name], instances(keras)[name]
    wanted = {n for n in dir(theirs) if not n.startswith("_")} - NOT_HERE.get(name, set())
    assert wanted - set(dir(ours)) == set()


@pytest.mark.parametrize("name", ["remat", "device"])
def test_functions_of_the_top_module(name):
    ours, theirs = getattr(kerasish, name), getattr(keras, name)
    assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)
