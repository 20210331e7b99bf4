"""Every public name of Keras is here, or stands in one list of what is not."""

import fnmatch
import inspect
import os
import types

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

import kerasish

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

# Patterns of paths, and why nothing is there
ABSENT = {
    "keras.applications.*": "the model zoo",
    "keras.distribution.*": "there is one device",
    "keras.export.*": "not yet",
    "keras.quantizers.*": "not yet",
    "keras.Quantizer": "not yet",
    "keras.dtype_policies.*QDTypePolicy": "policies that quantize",
    "keras.dtype_policies.Int4DTypePolicy": "policies that quantize",
    "keras.dtype_policies.Quantized*": "policies that quantize",
    "keras.layers.FlaxLayer": "wraps another framework",
    "keras.layers.JaxLayer": "wraps another framework",
    "keras.layers.TFSMLayer": "wraps another framework",
    "keras.layers.TorchModuleWrapper": "wraps another framework",
    "keras.callbacks.OrbaxCheckpoint": "writes the format of a package for JAX",
}
FUNCTIONS_HERE = {"keras.name_scope", "keras.device"}  # or classes here: blocks, either way


def public_names(module, path):
    """The paths of all that is public in a module and the public modules within."""
    found = []
    for name in dir(module):
        value = getattr(module, name)
        if name.startswith("_") or name == "src":
            continue
        if not isinstance(value, types.ModuleType):
            found.append(f"{path}.{name}")
        elif value.__name__.startswith("keras."):
            found += public_names(value, f"{path}.{name}")
    return found


def is_here(path):
    value = kerasish
    for name in path.split(".")[1:]:
        if not hasattr(value, name):
            return False
        value = getattr(value, name)
    return True


NAMES = public_names(keras, "keras")
MISSING = [path for path in NAMES if not is_here(path)]


def test_the_walk_finds_keras():
    assert len(NAMES) > 1300
    assert {"keras.Model", "keras.layers.Dense", "keras.ops.image.resize", "keras.datasets.mnist.load_data"} <= set(NAMES)


def test_what_is_missing_is_listed():
    assert [path for path in MISSING if not any(fnmatch.fnmatchcase(path, pattern) for pattern in ABSENT)] == []


@pytest.mark.parametrize("pattern", ABSENT)
def test_what_is_listed_is_missing(pattern):
    assert fnmatch.filter(MISSING, pattern), f"{pattern} is here, or was never in Keras"


@pytest.mark.parametrize("path", [path for path in NAMES if path not in MISSING])
def test_classes_are_classes_and_functions_are_functions(path):
    theirs, ours = keras, kerasish
    for name in path.split(".")[1:]:
        theirs, ours = getattr(theirs, name), getattr(ours, name)
    assert isinstance(ours, type) == isinstance(theirs, type) or path in FUNCTIONS_HERE
    assert callable(ours) == callable(theirs)


# Parameters that mean nothing here, or that Keras itself takes as **kwargs
PARAMETERS_ABSENT = {
    "keras.Variable": {"layout"},  # of tensors on several devices
}


def parameters(function):
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # written in C
        return None


@pytest.mark.parametrize("path", [path for path in NAMES if path not in MISSING])
def test_what_keras_takes_is_taken(path):
    """Parameters of the same names, at the same places if given by place; more of them may follow."""
    theirs, ours = keras, kerasish
    for name in path.split(".")[1:]:
        theirs, ours = getattr(theirs, name), getattr(ours, name)
    theirs, ours = (parameters(x) if callable(x) else None for x in (theirs, ours))
    if theirs is None or ours is None or any(p.kind is p.VAR_POSITIONAL for p in (*theirs, *ours)):
        return
    absent = PARAMETERS_ABSENT.get(path, set())
    wanted = [p.name for p in theirs if p.kind is not p.VAR_KEYWORD and p.name not in absent]
    taken = [p.name for p in ours if p.kind is not p.VAR_KEYWORD]
    places = [name for name in taken if name in wanted]
    if not any(p.kind is p.VAR_KEYWORD for p in ours):
        assert places == wanted
    assert places == [name for name in wanted if name in taken]
