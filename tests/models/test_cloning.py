"""clone_model and model_from_json."""

import json

import numpy as np
import pytest

import kerasish as keras
from kerasish import Input, layers
from kerasish.models import clone_model, model_from_json


class Subclassed(keras.Model):
    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(units, name="dense")

    def call(self, x):
        return self.dense(x)


class OwnSequential(keras.Sequential):
    pass


class OwnFunctional(keras.Model):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)


class Preset(keras.Model):
    """Makes its own graph, so it can't be made from another."""

    def __init__(self):
        x = Input((4,), name="x")
        super().__init__(x, layers.Dense(2, name="dense")(x), name="preset")


def sequential(name="stack"):
    stack = [Input((4,), name="x"), layers.Dense(3, activation="relu", name="first"), layers.Dropout(0.5, name="drop")]
    return keras.Sequential(stack, name=name)


def functional():
    a, b = Input((4,), name="a"), Input((4,), name="b")
    return keras.Model([a, b], layers.Add(name="add")([sequential()(a), layers.Dense(3, name="second")(b)]), name="joined")


def shared():
    layer, x = layers.Dense(4, name="shared"), Input((4,), name="x")
    return keras.Model({"x": x}, {"y": layer(layer(x)) * 2 + 1}, name="twice")


def own_sequential():
    return OwnSequential([Input((4,)), layers.Dense(1)], name="own")


def own_functional():
    x = Input((4,))
    return OwnFunctional(x, layers.Dense(1)(x), name="own")


MAKERS = {m.__name__: m for m in (sequential, functional, shared, own_sequential, own_functional, Subclassed, Preset)}


def call(model):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 4)).astype("float32")
    return model([x, x[::-1]] if model.name == "joined" else {"x": x} if model.name == "twice" else x)


def numbers(model):
    return [np.asarray(y) for y in keras.tree.flatten(call(model))]


@pytest.mark.parametrize("name", MAKERS)
def test_a_clone_computes_the_same_with_the_same_weights(name):
    model = MAKERS[name]()
    wanted = numbers(model)
    clone = clone_model(model)
    call(clone)
    assert clone is not model and clone.name == model.name
    assert [layer.name for layer in clone.layers] == [layer.name for layer in model.layers]
    assert not {id(w) for w in clone.weights} & {id(w) for w in model.weights}
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(numbers(clone), wanted)


@pytest.mark.parametrize("name", MAKERS)
def test_a_clone_has_fresh_weights(name):
    model = MAKERS[name]()
    call(model)
    clone = clone_model(model)
    call(clone)
    assert not any(np.array_equal(a, b) for a, b in zip(clone.get_weights(), model.get_weights()) if np.any(a))


@pytest.mark.parametrize("name", MAKERS)
def test_a_clone_is_of_the_same_class(name):
    model = MAKERS[name]()
    assert type(clone_model(model)) is (keras.models.Functional if name == "Preset" else type(model))


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "Preset"])
def test_json(name):
    model = MAKERS[name]()
    known = {cls.__name__: cls for cls in (Subclassed, OwnSequential, OwnFunctional)}
    again = model_from_json(model.to_json(), custom_objects=known)
    wanted = numbers(model)
    call(again)
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(numbers(again), wanted)


def recorder(seen):
    def clone(layer):
        seen.append(layer.name)
        return type(layer).from_config(layer.get_config())

    return clone


def caller(seen):
    def call_layer(layer, *args, **kwargs):
        seen.append(layer.name)
        return layer(*args, **kwargs)

    return call_layer


SEEN = {
    "stack": (sequential, {}, ["first", "drop"]),
    "graph": (functional, {}, ["stack", "second", "add"]),
    "recursive": (functional, {"recursive": True}, ["first", "drop", "second", "add"]),
    "shared": (shared, {}, ["shared"]),
}


@pytest.mark.parametrize("case", SEEN)
def test_what_clone_functions_see(case):
    make, options, wanted = SEEN[case]
    seen = []
    clone_model(make(), clone_function=recorder(seen), **options)
    assert seen == wanted


@pytest.mark.parametrize("recursive", [False, True])
def test_what_call_functions_see(recursive):
    seen = []
    clone_model(functional(), call_function=caller(seen), recursive=recursive)
    assert seen == ["stack", "second", "add"]


def test_layers_may_be_shared_with_the_model():
    model = functional()
    clone = clone_model(model, clone_function=lambda layer: layer)
    np.testing.assert_array_equal(numbers(clone), numbers(model))
    assert {id(w) for w in clone.weights} == {id(w) for w in model.weights}


def test_layers_may_be_replaced():
    def wider(layer):
        return layers.Dense(5, name=layer.name) if isinstance(layer, layers.Dense) else layer

    assert clone_model(sequential(), clone_function=wider).output_shape == (None, 5)
    assert clone_model(functional(), clone_function=wider, recursive=True).output_shape == (None, 5)


def test_input_tensors():
    x = Input((6,), name="new")
    clone = clone_model(sequential(), input_tensors=x)
    assert clone.input is x and clone.weights[0].shape == (6, 3)
    pair = [Input((4,)), Input((7,))]
    assert clone_model(functional(), input_tensors=pair).input_shape == [(None, 4), (None, 7)]


def test_how_it_is_compiled_comes_along():
    model = sequential()
    model.compile("sgd", "mse", metrics=["mae"])
    clone = clone_model(model)
    assert clone.compiled and clone.optimizer is not model.optimizer
    clone.fit(np.ones((4, 4)), np.ones((4, 3)), verbose=0)
    assert not clone_model(sequential()).compiled


def test_frozen_models_stay_frozen():
    model = functional()
    model.trainable = False
    assert clone_model(model).trainable_weights == []


def test_models_without_a_shape_yet():
    clone = clone_model(keras.Sequential([layers.Dense(3, name="dense")], name="stack"))
    assert not clone.built and clone(np.ones((2, 5))).shape == (2, 3)


REFUSED = {
    "calls of a stack": (sequential, {"call_function": caller([])}, "is not supported with Sequential models"),
    "layers of a class": (Subclassed, {"clone_function": recorder([])}, "only supported for Sequential models or Functional"),
    "calls of a class": (Subclassed, {"call_function": caller([])}, "only supported for Functional models"),
    "inputs of a class": (Subclassed, {"input_tensors": Input((3,))}, "only supported for Sequential models or Functional"),
    "arrays for a stack": (sequential, {"input_tensors": np.ones((2, 4))}, "must be a KerasTensor"),
    "arrays for a graph": (functional, {"input_tensors": [1, 2]}, "must be KerasTensors"),
    "one of two": (functional, {"input_tensors": [Input((4,))]}, "must have the same structure"),
    "an unknown argument": (sequential, {"deep": True}, "Unexpected keyword argument"),
    "no model": (int, {}, "Only models can be cloned"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    make, options, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        clone_model(make(), **options)


def test_json_of_a_compiled_model():
    model = sequential()
    model.compile("sgd", "mse")
    text = model.to_json(indent=1, sort_keys=True)
    assert list(json.loads(text)) == ["build_config", "class_name", "compile_config", "config", "module", "registered_name"]
    assert model_from_json(text).compiled


def test_json_of_an_unknown_class():
    with pytest.raises(TypeError, match="Could not locate class 'Subclassed'"):
        model_from_json(Subclassed().to_json())


def test_bad_json():
    with pytest.raises(json.JSONDecodeError):
        model_from_json("{")
