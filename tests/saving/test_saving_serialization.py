"""Objects to configs and back: Keras's forms, round trips, and what is refused."""

import json
import pathlib
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import saving_cases
from hypothesis import given
from hypothesis import strategies as st
from saving_cases import ERRORS, FORMS, Built, Plain, Thing

from kerasish import activations, saving
from kerasish.base.errors import UnsafeFileError
from kerasish.base.registry import get_custom_objects
from kerasish.engine.tensor import Tensor
from kerasish.engine.variable import Variable
from kerasish.ops.symbolic import KerasTensor
from kerasish.saving.serialization import ObjectSharingScope, in_safe_mode, to_json

GOLDEN = json.loads((pathlib.Path(__file__).parents[1] / "golden" / "saving.json").read_text())

K = SimpleNamespace(
    saving=saving,
    ops=SimpleNamespace(convert_to_tensor=Tensor),
    activations=activations,
    KerasTensor=KerasTensor,
    Variable=Variable,
)


@pytest.fixture(autouse=True)
def registered(own_registry):
    saving_cases.register(K)


def through_json(config):
    return json.loads(to_json(config))


def same(a, b):
    """Equal, in type too where JSON keeps types; lists stand for tuples."""
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(v, b[key]) for key, v in a.items())
    if isinstance(a, (np.ndarray, Tensor)) and np.ndim(a):
        return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(np.asarray(a), np.asarray(b))
    if isinstance(a, KerasTensor):
        return isinstance(b, KerasTensor) and (tuple(a.shape), a.dtype) == (tuple(b.shape), b.dtype)
    if isinstance(a, Thing):
        return type(a) is type(b) and a.size == b.size
    return bool(np.asarray(a == b).all())


@pytest.mark.parametrize("name", FORMS)
def test_form_is_keras(name):
    config = saving.serialize_keras_object(FORMS[name][0](K))
    assert through_json(config) == GOLDEN["forms"][name]


@pytest.mark.parametrize("name", [n for n, (_, again) in FORMS.items() if again])
def test_round_trip(name):
    value = FORMS[name][0](K)
    again = saving.deserialize_keras_object(through_json(saving.serialize_keras_object(value)))
    assert same(value, again)


@pytest.mark.parametrize("name", [n for n, (_, again) in FORMS.items() if again])
def test_keras_config_is_read(name):
    assert same(FORMS[name][0](K), saving.deserialize_keras_object(GOLDEN["forms"][name]))


@pytest.mark.parametrize("name", ERRORS)
def test_no_config(name):
    make, error = ERRORS[name]
    assert error.__name__ == GOLDEN["errors"][name]
    with pytest.raises(error):
        saving.serialize_keras_object(make(K))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary().filter(
        lambda b: not b or b.decode("latin1").isascii()
    ),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text().filter(lambda k: k not in ("class_name", "config")), inner, max_size=3)
    | st.builds(slice, inner, inner, inner)
    | st.builds(lambda n: np.arange(n, dtype="int64"), st.integers(1, 4)),
    max_leaves=10,
)


@given(values)
def test_any_structure_comes_back(value):
    again = saving.deserialize_keras_object(through_json(saving.serialize_keras_object(value)))
    assert repr(again) == repr(value)


# -- objects ----------------------------------------------------------------------------------------------------------


def test_shared_objects_are_one_again():
    a = Thing()
    with ObjectSharingScope():
        config = through_json(saving.serialize_keras_object([a, {"again": a}, Thing(5)]))
    ids = [c.pop("shared_object_id", None) for c in (config[0], config[1]["again"], config[2])]
    assert ids[0] == ids[1] is not None and ids[2] is None
    golden = json.loads(json.dumps(GOLDEN["shared"]))
    assert golden[0].pop("shared_object_id") == golden[1]["again"].pop("shared_object_id")
    assert config == golden
    config[0]["shared_object_id"] = config[1]["again"]["shared_object_id"] = 1
    with ObjectSharingScope():
        first, second, third = saving.deserialize_keras_object(config)
    assert first is second["again"] and third is not first
    first, second, _ = saving.deserialize_keras_object(config)
    assert first is not second["again"]


def test_build_and_compile_configs_are_used():
    calls = []

    class Late(Built):
        built = False

        def build_from_config(self, config):
            calls.append(("build", config["input_shape"]))

        def compile_from_config(self, config):
            calls.append(("compile", saving.deserialize_keras_object(config)["optimizer"].size))

    get_custom_objects()["saving_cases>Built"] = Late
    again = saving.deserialize_keras_object(GOLDEN["forms"]["object with build and compile configs"])
    assert calls == [("build", [None, 3]), ("compile", 2)] and again.built and again.compiled


def test_ways_to_make_a_class_known():
    config = saving.serialize_keras_object(Plain(7))
    with pytest.raises(TypeError, match=r"Could not locate class 'Plain'.*register_keras_serializable.*custom_objects"):
        saving.deserialize_keras_object(config)
    assert saving.deserialize_keras_object(config, custom_objects={"Plain": Plain}).size == 7
    with saving.custom_object_scope({"Plain": Plain}):
        assert saving.deserialize_keras_object(config).size == 7
    with pytest.raises(TypeError, match="Could not locate"):
        saving.deserialize_keras_object(config)


def test_functions():
    def mine(x):
        return x

    form = {"module": "builtins", "class_name": "function", "config": "mine", "registered_name": "function"}
    with pytest.raises(TypeError, match="Could not locate function 'mine'"):
        saving.deserialize_keras_object(form)
    assert saving.deserialize_keras_object(form, custom_objects={"mine": mine}) is mine
    assert saving.deserialize_keras_object("mine", custom_objects={"mine": mine}) is mine
    old = {**form, "config": "fn"}  # Keras up to 3.6 left the package out
    assert saving.deserialize_keras_object(old) is K.registered["function"]


def test_module_objects():
    table = {"thing": Thing, "fn": saving_cases.named_function}
    read = saving.deserialize_keras_object
    assert read("fn", module_objects=table) is table["fn"]
    assert read("thing", module_objects=table).size == 1
    assert read({"class_name": "thing", "config": {"size": 2}}, module_objects=table).size == 2
    assert read("unknown", module_objects=table) == "unknown"
    function = {"module": "builtins", "class_name": "function", "config": "fn", "registered_name": "function"}
    assert read(function, module_objects=table) is table["fn"]
    assert read(saving.serialize_keras_object(Thing(6)), module_objects=table).size == 6
    with pytest.raises(TypeError, match="register"):
        read({"module": None, "class_name": "Unknown", "config": {}, "registered_name": "Unknown"}, module_objects=table)
    with pytest.raises(ValueError, match="Unknown `config`"):
        read({"a": 1}, module_objects=table)


def test_the_config_passed_is_not_changed():
    config = through_json(saving.serialize_keras_object({"x": Thing(3), "y": [Built(1)]}))
    before = json.dumps(config)
    with saving.custom_object_scope({"saving_cases>Built": Thing}):
        saving.deserialize_keras_object(config["x"])
    assert json.dumps(config) == before


def test_the_place_of_what_json_cannot_hold():
    with pytest.raises(TypeError, match=r"`config\.layers\[1\]\.x`"):
        to_json({"config": {"layers": [{}, {"x": object()}]}})


@pytest.mark.parametrize("bad", [
    {"class_name": 3, "config": {}},
    {"class_name": "X", "config": {}, "module": 7, "registered_name": ["a"]},
    {"class_name": "X", "config": 3, "module": "keras.layers"},
    {"class_name": "function", "config": {"a": 1}, "module": "builtins"},
    {"class_name": "__numpy__", "config": {}},
    {"class_name": "__bytes__", "config": {"value": 3}},
    {"class_name": "__typespec__", "config": [], "spec_name": "X", "module": "tensorflow"},
    {"class_name": "__other__", "config": {}},
])
def test_what_is_no_config(bad):
    with pytest.raises(TypeError):
        saving.deserialize_keras_object(bad)


# -- what a config may not ask for ------------------------------------------------------------------------------------

REFUSED = {
    "a module of Python": ({"module": "os", "class_name": "Popen"}, TypeError, "Could not locate"),
    "a function of Python": ({"module": "os", "class_name": "function", "config": "system"}, TypeError, "Could not locate"),
    "a builtin": ({"module": "builtins", "class_name": "function", "config": "eval"}, TypeError, "Could not locate"),
    "a class as a function": (
        {"module": "builtins", "class_name": "function", "config": "CustomObjectScope"}, TypeError, "Could not locate"
    ),
    "a module not imported yet": ({"module": "wave", "class_name": "Wave_read"}, TypeError, "Could not locate"),
    "a function of ours that is not for models": (
        {"module": "keras.saving", "class_name": "function", "config": "load_model"}, UnsafeFileError, "can't be part"
    ),
    "a setting": (
        {"module": "keras.config", "class_name": "function", "config": "enable_unsafe_deserialization"},
        UnsafeFileError, "can't be part",
    ),
    "a function of ours as a class": (
        {"module": "keras.saving", "class_name": "load_model", "config": {"filepath": "x"}}, UnsafeFileError, "can't be"
    ),
    "a class that is not made from a config": (
        {"module": "keras.saving", "class_name": "CustomObjectScope", "config": {}}, UnsafeFileError, "can't be part"
    ),
    "an internal of ours": (
        {"module": "kerasish.saving.archive", "class_name": "ZipArchive", "config": {"source": "x"}}, TypeError, "locate"
    ),
    "an internal of Keras": (
        {"module": "keras.src.utils.python_utils", "class_name": "func_load"}, TypeError, "Could not locate"
    ),
    "an array of objects": (
        {"class_name": "__numpy__", "config": {"value": [{}], "dtype": "O"}}, UnsafeFileError, "numbers"
    ),
    "an array of giant elements": (
        {"class_name": "__tensor__", "config": {"value": [0], "dtype": "V1000000000"}}, UnsafeFileError, "numbers"
    ),
    "an array of arrays": (
        {"class_name": "__numpy__", "config": {"value": [0], "dtype": "(1000,1000)f8"}}, UnsafeFileError, "numbers"
    ),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("safe_mode", [True, False])
def test_refused(name, safe_mode):
    config, error, message = REFUSED[name]
    modules = set(sys.modules)
    with pytest.raises(error, match=message):
        saving.deserialize_keras_object({"registered_name": None, "config": {}, **config}, safe_mode=safe_mode)
    assert set(sys.modules) == modules


def test_safe_mode_is_known_inside_and_forgotten_after():
    class Asks(Thing):
        @classmethod
        def from_config(cls, config):
            return in_safe_mode()

    config = {"module": None, "class_name": "Asks", "config": {}, "registered_name": "Asks"}
    for safe_mode in (True, False):
        assert saving.deserialize_keras_object(config, {"Asks": Asks}, safe_mode=safe_mode) is safe_mode
    assert in_safe_mode() is None
