"""The public names of the parts a model is trained with, and all their signatures, beside an installed Keras."""

import importlib
import inspect
import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

import kerasish
from kerasish.base import registry

pytestmark = pytest.mark.parity

MODULES = (
    "losses", "metrics", "optimizers", "optimizers.schedules", "optimizers.legacy", "regularizers", "constraints",
    "initializers", "activations", "callbacks",
)  # fmt: skip

# What differs on purpose, each with its reason
MISSING = {
    "callbacks.OrbaxCheckpoint": "stands on JAX's orbax",
    "callbacks.TensorBoard": "stands on TensorFlow's summaries",
}
MEMBERS = {
    "optimizers.Muon": ("lr_adjust", "transpose_last_axis", "zeropower_via_newtonschulz5"),  # parts of its step
}


def at(package, path):
    for part in path.split("."):
        package = getattr(package, part)
    return package


def public(module):
    """The names of a module of Keras, other modules in it left out."""
    return {name for name, obj in vars(module).items() if name[0] != "_" and not inspect.ismodule(obj)}


def signature(obj):
    """Name, kind and default of each parameter; what it is called first ("self", "cls") is no matter."""
    return [(p.name, p.kind.name, p.default) for p in inspect.signature(obj).parameters.values()]


SHARED = sorted({f"{path}.{name}" for path in MODULES for name in public(at(keras, path))} - set(MISSING))
CLASSES = [path for path in SHARED if inspect.isclass(at(keras, path))]


@pytest.mark.parametrize("path", MODULES)
def test_names(path):
    ours = importlib.import_module(f"kerasish.{path}")
    listed = {name for name in ours.__all__ if not inspect.ismodule(getattr(ours, name))}
    missing = {name.rpartition(".")[2] for name in MISSING if name.rpartition(".")[0] == path}
    assert listed == public(at(keras, path)) - missing
    assert len(listed) == len(set(ours.__all__) - {"schedules", "legacy"})


@pytest.mark.parametrize("path", SHARED)
def test_path_and_signature(path):
    ours, theirs = at(kerasish, path), at(keras, path)
    assert registry.lookup(f"keras.{path}") is ours
    assert inspect.isclass(ours) == inspect.isclass(theirs)
    assert signature(ours) == signature(theirs)


@pytest.mark.parametrize("path", CLASSES)
def test_members(path):
    """What can be called on an object takes the same, by the same names."""
    ours, theirs = at(kerasish, path), at(keras, path)
    for name in dir(theirs):
        member = getattr(theirs, name)
        if name[0] == "_" or not inspect.isfunction(member) or name in MEMBERS.get(path, ()):
            continue
        parameters = [(n, d) for n, k, d in signature(member) if not k.startswith("VAR")]
        found = [(n, d) for n, k, d in signature(getattr(ours, name)) if not k.startswith("VAR")]
        assert found[: len(parameters)] == parameters, name


def test_nothing_is_excused_without_need():
    for name in MISSING:
        module, _, last = name.rpartition(".")
        assert not hasattr(at(kerasish, module), last) and hasattr(at(keras, module), last)
