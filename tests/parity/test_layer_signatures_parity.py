"""What layers take beside those of an installed Keras: every constructor, call and public method, name by name in order."""

import inspect
import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras")

import kerasish

pytestmark = pytest.mark.parity

# They wrap other frameworks
OTHERS = {"TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"}
PUBLIC = {n: c for n, c in vars(keras.layers).items() if n[0] != "_" and inspect.isclass(c) and n not in OTHERS}
LAYERS = sorted(n for n, c in PUBLIC.items() if c.__name__ == n)  # each under its own name
LAYERS += ["GroupQueryAttention"]  # whose class is called otherwise

# Quantization is a chapter of its own
QUANTIZATION = {"quantize", "quantized_build", "quantized_call", "quantization_mode", "variable_serialization_spec"}
# Steps of Keras's computations, not meant to be called
STEPS = {
    "get_transformed_x_y", "get_shifted_bbox", "get_clipped_bbox", "get_elastic_transform_params", "convert_weight",
}  # fmt: skip
# Keras names these arguments otherwise than in all its other layers: only their places are compared
PLACES = {"compute_mask", "get_random_transformation", "transform_labels", "transform_segmentation_masks"}


def parameters(fn):
    return [p for p in inspect.signature(fn).parameters.values() if p.name != "self"]


def default(p):
    """What is taken when nothing is given; a number for every axis is written as one number here."""
    value = p.default
    while isinstance(value, tuple) and value and len(set(value)) == 1:
        value = value[0]
    return value


def open_ended(found):
    return any(p.kind is p.VAR_KEYWORD for p in found) and any(p.kind is p.VAR_POSITIONAL for p in found)


def check(ours, theirs, names=True):
    """Every call that fits `theirs` fits `ours`, and means the same."""
    expected, found = parameters(theirs), parameters(ours)
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    fixed = [p for p in expected if p.kind not in kinds]
    for place, p in enumerate(fixed):
        q = found[place] if place < len(found) else None
        if q is None or q.kind in kinds:
            assert open_ended(found), p
            return
        assert q.kind == p.kind or p.kind is p.KEYWORD_ONLY
        assert q.name == p.name or not names, (p, q)
        if p.default is not p.empty:
            assert default(q) == default(p), (p, q)
    more = [q for q in found[len(fixed) :] if q.kind not in kinds]
    assert open_ended(expected) or all(q.default is not q.empty for q in more), "more is required"


@pytest.mark.parametrize("name", LAYERS)
def test_constructor(name):
    ours, theirs = getattr(kerasish.layers, name), getattr(keras.layers, name)
    if name == "Layer":  # Keras takes and checks keywords by name: its own __init__ has them
        ours, theirs = ours.__init__, theirs.__init__
    check(ours, theirs)


@pytest.mark.parametrize("name", [n for n in LAYERS if hasattr(getattr(keras.layers, n), "call")])
def test_call(name):
    check(getattr(kerasish.layers, name).call, getattr(keras.layers, name).call)


@pytest.mark.parametrize("name", LAYERS)
def test_methods(name):
    ours, theirs = getattr(kerasish.layers, name), getattr(keras.layers, name)
    missing = []
    for method in sorted(n for n in dir(theirs) if n[0] != "_" and n not in QUANTIZATION | STEPS | {"call"}):
        member = getattr(theirs, method)
        if not (inspect.isfunction(member) or inspect.ismethod(member)):
            continue
        if not hasattr(ours, method):
            missing.append(method)
        elif method != "from_config":  # some take custom_objects, too: neither library's are more than accepted
            check(getattr(ours, method), member, names=method not in PLACES)
    assert not missing


def test_every_layer_is_there():
    assert not {n for n in PUBLIC if not hasattr(kerasish.layers, n)}
    assert not {n for n in PUBLIC if getattr(kerasish.layers, n).__name__ != PUBLIC[n].__name__}
