"""Lambdas in files: refused whatever is asked for, unless the user passes the function."""

import json
import warnings

import numpy as np
import pytest

import kerasish as keras
from kerasish import saving
from kerasish.base.errors import UnsafeFileError
from kerasish.base.registry import lookup
from kerasish.saving import legacy_h5, serialization
from kerasish.saving.lambdas import serialize_lambda


class Box:
    """A layer that holds whatever its config says, deserialized."""

    def __init__(self, **config):
        self.config = config

    @classmethod
    def from_config(cls, config):
        return cls(**saving.deserialize_keras_object(config))


class Stubborn(Box):
    """Hides a config in a string, where nobody looks before it is made."""

    @classmethod
    def from_config(cls, config):
        return cls(**saving.deserialize_keras_object(json.loads(config["text"])))


KNOWN = {"Box": Box, "Lambda": Box, "Stubborn": Stubborn}
CODE = {"class_name": "__lambda__", "config": {"code": "4wEA", "defaults": None, "closure": None}}
OTHER_CODE = {"class_name": "__lambda__", "config": {"value": ["4wEA", None, None]}}


def layer(class_name="Lambda", **config):
    return {"module": None, "class_name": class_name, "registered_name": class_name, "config": config}


# Every place a lambda may stand in
PLACES = {
    "alone": OTHER_CODE,
    "in a list": [1, [OTHER_CODE]],
    "in a layer": layer(name="l", function=CODE),
    "as an output shape": layer(name="l", output_shape=CODE),
    "as a mask": layer(name="l", mask=CODE),
    "in a layer in a model": layer("Box", name="m", layers=[layer("Box", name="a"), layer(name="l", function=CODE)]),
    "in a wrapper": layer("Box", name="w", layer=layer(name="l", function=CODE)),
    "in a compile config": {**layer("Box", name="m"), "compile_config": {"loss": CODE}},
    "in a build config": {**layer("Box", name="m"), "build_config": {"x": CODE}},
    "in a dict that is no object": {"a": {"b": CODE}},
    "without its own config": layer("Box", name="l", x={"class_name": "__lambda__"}),
    "as a list, as old files have it": layer(name="l", function=["4wEA", None, None]),
    "by its type, as old files have it": layer(name="l", function="4wEA", function_type="lambda"),
    "output shape by its type": layer(name="l", output_shape="4wEA", output_shape_type="lambda"),
    "in a text that is read late": layer("Stubborn", name="l", text=json.dumps({"x": CODE})),
}


@pytest.fixture
def unsafe():
    with pytest.warns(UserWarning, match="never run"):
        lookup("keras.config.enable_unsafe_deserialization")()
    assert serialization.in_safe_mode() is False
    yield
    serialization._state.safe_mode = None


def assert_refused(config, **options):
    with pytest.raises(UnsafeFileError, match=r"bytecode(.|\n)*register_keras_serializable(.|\n)*custom_objects"):
        saving.deserialize_keras_object(config, {**KNOWN, "known": len}, **options)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("safe_mode", [True, False])
def test_refused(place, safe_mode):
    assert_refused(PLACES[place], safe_mode=safe_mode)


@pytest.mark.parametrize("place", PLACES)
def test_refused_though_unsafe_is_enabled(place, unsafe):
    assert_refused(PLACES[place], safe_mode=False)


@pytest.mark.parametrize("place", [p for p in PLACES if p.startswith(("in a layer", "as a", "by", "output"))])
def test_refused_in_old_files(place):
    config = {k: v for k, v in PLACES[place].items() if k not in ("module", "registered_name")}
    with pytest.raises(UnsafeFileError, match="bytecode"):
        legacy_h5.model_from_config(config, KNOWN, safe_mode=False)


@pytest.mark.parametrize("config", [
    layer(name="twice", function=CODE),
    layer(name="twice", function=["4wEA", None, None], function_type="lambda"),
])
def test_the_user_may_pass_the_function(config):
    def twice(x):
        return 2 * x

    again = saving.deserialize_keras_object(config, {**KNOWN, "twice": twice})
    assert again.config["function"] is twice
    with saving.custom_object_scope({**KNOWN, "twice": twice}):
        again = saving.deserialize_keras_object(layer("Box", name="m", layers=[config]))
    assert again.config["layers"][0].config["function"] is twice
    with pytest.raises(UnsafeFileError, match="The layer 'twice'"):
        saving.deserialize_keras_object(config, {**KNOWN, "other": twice})


def test_output_shape_and_mask_have_names_of_their_own():
    config = layer(name="l", function=CODE, output_shape=CODE, mask=CODE)
    passed = {"l": abs, "l.output_shape": len}
    with pytest.raises(UnsafeFileError):
        saving.deserialize_keras_object(config, {**KNOWN, **passed})
    again = saving.deserialize_keras_object(config, {**KNOWN, **passed, "l.mask": max})
    assert [again.config[k] for k in ("function", "output_shape", "mask")] == [abs, len, max]


def test_writing_a_lambda_warns_and_says_what_to_do():
    with pytest.warns(UserWarning, match="register_keras_serializable"):
        config = saving.serialize_keras_object(lambda x, n=2: x * n)
    assert config["class_name"] == "__lambda__"
    code, defaults, closure = config["config"]["value"]
    assert isinstance(code, str) and defaults == (2,) and closure is None
    assert_refused(json.loads(json.dumps(config)))


def test_a_lambda_with_a_closure_is_written_whole():
    n = 3
    config = serialize_lambda(lambda x: x * n)
    assert config["config"]["closure"] == (3,)


def test_named_functions_do_not_warn():
    def named(x):
        return x

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert saving.serialize_keras_object(named)["config"] == "named"


# -- the layer --------------------------------------------------------------------------------------------------------


def double(x):
    return 2 * x


def model_with(function, **options):
    layers = keras.layers
    return keras.Sequential([layers.Input((3,)), layers.Lambda(function, name="twice", **options)])


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_a_layer_with_a_named_function(name, tmp_path, own_registry):
    path = tmp_path / name
    model_with(double, output_shape=(3,), arguments={}).save(path)
    with pytest.raises(TypeError, match="Could not locate function 'double'"):
        keras.models.load_model(path)
    x = np.ones((2, 3), "float32")
    assert keras.models.load_model(path, custom_objects={"double": double})(x).numpy().tolist() == (2 * x).tolist()
    saving.register_keras_serializable("tests")(double)
    model_with(double).save(path)
    assert keras.models.load_model(path)(x).numpy().tolist() == (2 * x).tolist()


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_a_layer_with_a_lambda(name, tmp_path):
    path = tmp_path / name
    with pytest.warns(UserWarning, match="holds lambdas, twice, twice.output_shape"):
        model_with(lambda x: 2 * x, output_shape=lambda shape: shape).save(path)
    for safe_mode in (True, False):
        with pytest.raises(UnsafeFileError, match="The layer 'twice' of the file holds the bytecode"):
            keras.models.load_model(path, safe_mode=safe_mode)
    passed = {"twice": double, "twice.output_shape": lambda shape: shape}
    x = np.ones((2, 3), "float32")
    assert keras.models.load_model(path, custom_objects=passed)(x).numpy().tolist() == (2 * x).tolist()


def test_a_layer_made_of_a_config_alone():
    with pytest.raises(UnsafeFileError):
        keras.layers.Lambda.from_config({"name": "l", "function": CODE})
    with pytest.raises(UnsafeFileError):
        keras.layers.Lambda.from_config({"name": "l", "function": ["4wEA", None, None]}, safe_mode=False)
    assert keras.layers.Lambda.from_config({"name": "l", "function": CODE}, {"l": double}).function is double
