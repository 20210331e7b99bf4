"""Names, signatures, Operation classes and dtype promotion are those of Keras."""

import inspect
import json
import pathlib

import pytest

from kerasish import ops
from kerasish.base import config
from kerasish.base.registry import lookup
from kerasish.ops.dtypes import result_type, standardize_dtype

FACTS = json.loads((pathlib.Path(__file__).parent.parent / "golden" / "ops.json").read_text())
PYTHON = {"(int)": int, "(float)": float, "(bool)": bool}

# functions here, which make no node of their own, or other names of an operation
BRANCHES = {"Cond", "Switch"}  # their nodes hold the branches' results, where Keras's hold functions, which no file keeps
MISSING_OPERATIONS = {"ConvertToTensor", "SegmentReduction", "JVP", "Ndim", "Size", "Abs", "Conj"}


@pytest.mark.parametrize("name", sorted(FACTS["ops"]))
def test_every_op_has_the_signature_of_keras(name):
    params = inspect.signature(getattr(ops, name)).parameters.values()
    ours = [[p.name, None if p.default is p.empty else p.default] for p in params]
    theirs = [[n, None if d is None else eval(d)] for n, d in FACTS["ops"][name]]
    assert ours == theirs
    assert lookup(f"keras.ops.{name}") is getattr(ops, name)


@pytest.mark.parametrize("path", sorted(FACTS["operations"]))
def test_every_operation_takes_what_that_of_keras_takes(path):
    cls = lookup(path)
    if path.rpartition(".")[2] in BRANCHES or path.rpartition(".")[2] in MISSING_OPERATIONS and cls is None:
        return
    assert cls is not None
    made, called = FACTS["operations"][path]
    if cls.variadic:
        return
    assert [n for n in cls.config_names if n != "kwargs"] == [n for n in made if n not in ("kwargs", "rms_scaling")]
    assert list(cls.call_names) == called


@pytest.mark.parametrize("floatx", ["float32", "float16"])
def test_promotion_is_that_of_keras(floatx):
    config.set_floatx(floatx)
    try:
        for key, wanted in FACTS["promotions"].items():
            case, a, b = key.split()
            if case != floatx:
                continue
            try:
                got = result_type(*[PYTHON.get(k, k) for k in (a, b)])
            except ValueError:
                got = "ValueError"
            assert got == wanted, key
    finally:
        config.set_floatx("float32")


def test_float64_survives_where_floatx_is_float64():
    config.set_floatx("float64")
    try:
        assert result_type("float64", "float32") == "float64"
        assert result_type("int32", float) == "float64"
        assert ops.convert_to_tensor([1.0]).dtype == "float64"
    finally:
        config.set_floatx("float32")
    assert ops.add(ops.convert_to_tensor([1.0], "float64"), 1.0).dtype == "float32"


@pytest.mark.parametrize("bad", ["foo", "half", "float", object(), 3])
def test_an_unknown_dtype_is_a_value_error(bad):
    with pytest.raises(ValueError, match="Invalid dtype"):
        standardize_dtype(bad)
