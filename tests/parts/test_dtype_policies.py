"""Policies by name and by path, and the modules that have them under older names."""

import numpy as np
import pytest

import kerasish as keras
from kerasish import dtype_policies
from kerasish.dtype_policies import DTypePolicy, DTypePolicyMap, FloatDTypePolicy

PATHS = {
    "layer/x": "float16",
    "a": "float64",
    "xa": "float32",
    "ax": "float32",
    "a/b": "float32",
    "dense": "mixed_float16",
    "x/dense": "float32",
    "bd": "float16",
    "xb": "float32",
}


def make_map():
    policies = {"layer/.*": "float16", "a": "float64", "dense": "mixed_float16", "b.*": "float16", ".*c": "float64"}
    return DTypePolicyMap("float32", {path: DTypePolicy(name) for path, name in policies.items()})


@pytest.mark.parametrize("path", PATHS)
def test_policy_of_a_path(path):
    assert make_map()[path].name == PATHS[path]


def test_two_expressions_for_a_path():
    with pytest.raises(ValueError, match="matches multiple dtype policy specification keys"):
        make_map()["bc"]


def test_a_map_is_a_mapping():
    policies = make_map()
    policies["new"] = "float16"
    del policies["a"]
    assert list(policies) == ["layer/.*", "dense", "b.*", ".*c", "new"] and len(policies) == 5
    assert policies["new"] == DTypePolicy("float16") and "a" not in policies
    with pytest.raises(ValueError, match="new already exist"):
        policies["new"] = "float32"
    with pytest.raises(ValueError, match="Cannot interpret the assigned value"):
        policies["other"] = 3
    with pytest.raises(KeyError):
        del policies["other"]
    with pytest.raises(TypeError, match="must be a dict"):
        DTypePolicyMap(policy_map=[1])


@pytest.mark.parametrize("policy", [DTypePolicy("mixed_float16"), FloatDTypePolicy("float16"), make_map(), DTypePolicyMap()])
def test_configs(policy):
    config = dtype_policies.serialize(policy)
    again = dtype_policies.deserialize(config)
    assert again == policy and type(again) is type(policy)
    assert keras.saving.deserialize_keras_object(config) == policy
    assert config["module"] == ("keras.dtype_policies" if isinstance(policy, DTypePolicyMap) else "keras")


def test_a_default_that_follows_floatx():
    policies = DTypePolicyMap()
    assert policies.get_config() == {"default_policy": None, "policy_map": {}}
    assert (policies.name, policies.compute_dtype, policies.variable_dtype) == ("map_float32", "float32", "float32")
    assert policies.quantization_mode is None


class Outer(keras.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = keras.layers.Dense(2, name="inner", dtype=self.dtype_policy)

    def build(self, input_shape):
        self.inner.build(input_shape)

    def call(self, x):
        return self.inner(x)


def test_layers_follow_the_policy_of_their_path():
    layer = Outer(name="outer", dtype=DTypePolicyMap("float32", {"outer/inner": DTypePolicy("float16")}))
    assert layer(np.ones((1, 2), "float32")).dtype == "float16"
    assert (layer.compute_dtype, layer.inner.compute_dtype, layer.inner.kernel.dtype) == ("float32", "float16", "float16")


BAD = {"number": (3, "Cannot interpret"), "list": ([1], "Cannot interpret"), "no dtype": ("x", "Cannot convert 'x'")}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_policy(case):
    value, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        dtype_policies.get(value)


def test_quantizing_policies_are_named():
    with pytest.raises(ValueError, match="QuantizedDTypePolicy"):
        dtype_policies.get({"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8"}})


def test_older_names():
    mixed = keras.mixed_precision
    mixed.set_global_policy("mixed_float16")
    assert mixed.global_policy() == mixed.Policy("mixed_float16") == keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    assert mixed.LossScaleOptimizer is keras.optimizers.LossScaleOptimizer


# -- keras.backend ----------------------------------------------------------------------------------------------------

DTYPES = {
    "int8": (True, False), "uint8": (True, False), "bool": (False, False), "float16": (False, True),
    "bfloat16": (False, True), "float8_e4m3fn": (False, True), int: (True, False), float: (False, True),
}  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_kinds_of_dtypes(dtype):
    assert (keras.backend.is_int_dtype(dtype), keras.backend.is_float_dtype(dtype)) == DTYPES[dtype]


def test_backend():
    assert keras.backend.floatx() == keras.config.floatx()
    assert keras.backend.result_type("int8", "float16") == "float16"
    keras.backend.clear_session()
    assert [keras.backend.get_uid("a"), keras.backend.get_uid("a"), keras.backend.get_uid("b")] == [1, 2, 1]
    keras.backend.clear_session()
    assert keras.backend.get_uid("a") == 1


# -- keras.legacy.saving ----------------------------------------------------------------------------------------------


def test_legacy_configs():
    saving = keras.legacy.saving
    config = saving.serialize_keras_object(keras.layers.Dense(3, name="d"))
    assert sorted(config) == ["class_name", "config"]
    again = saving.deserialize_keras_object(config, module_objects={"Dense": keras.layers.Dense})
    assert again.get_config() == config["config"]
    assert saving.serialize_keras_object(keras.activations.relu) == "relu"
    assert saving.serialize_keras_object(None) is saving.deserialize_keras_object(None) is None
    assert saving.deserialize_keras_object("f", custom_objects={"f": abs}) is abs
    assert saving.deserialize_keras_object(abs) is abs


UNKNOWN = {
    "a class": ({"class_name": "Q", "config": {}}, "Unknown layer: 'Q'"),
    "a name": ("q", "Unknown layer: 'q'"),
    "no class": ({"a": 1}, "Improper config format"),
    "a number": (3, "Could not interpret serialized layer: 3"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_legacy_configs_of_nothing(case):
    value, message = UNKNOWN[case]
    with pytest.raises(ValueError, match=message):
        keras.legacy.saving.deserialize_keras_object(value, printable_module_name="layer")


def test_no_legacy_config():
    with pytest.raises(ValueError, match="doesn't implement `get_config"):
        keras.legacy.saving.serialize_keras_object(3)
