"""get_state_tree and set_state_tree."""

import numpy as np
import pytest
from state_tree_case import trained

import kerasish as keras


def test_the_tree():
    tree = trained(keras).get_state_tree()
    assert list(tree) == ["trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables"]
    assert {name: list(inner) for name, inner in tree["trainable_variables"]["m"].items()} == {"norm": ["gamma", "beta"], "d": ["kernel", "bias"]}
    assert int(tree["optimizer_variables"]["sgd"]["iteration"]) == 1
    assert set(tree["metrics_variables"]) == {"loss", "mean_absolute_error"}
    assert isinstance(tree["trainable_variables"]["m"]["d"]["kernel"], keras.Tensor)


def test_there_and_back():
    model, other = trained(keras), trained(keras, factor=3.0)
    other.set_state_tree(model.get_state_tree(value_format="numpy_array"))
    for a, b in zip(keras.tree.flatten(other.get_state_tree("numpy_array")), keras.tree.flatten(model.get_state_tree("numpy_array"))):
        np.testing.assert_array_equal(a, b)


def test_arrays_are_copies():
    model = trained(keras)
    model.get_state_tree("numpy_array")["trainable_variables"]["m"]["d"]["kernel"][:] = 100
    assert not (model.layers[1].kernel.numpy() == 100).any()


def test_a_part():
    model = trained(keras)
    model.set_state_tree({"trainable_variables": {"m": {"d": {"bias": np.array([7.0])}}}})
    assert model.layers[1].bias.numpy() == 7.0


BAD = {
    "format": (lambda m: m.get_state_tree("list"), "Invalid `value_format`"),
    "kind": (lambda m: m.set_state_tree({"weights": {}}), "Unknown kind of variables: 'weights'"),
    "path": (lambda m: m.set_state_tree({"trainable_variables": {"m": {"e": {"bias": 1}}}}), "has no 'm/e/bias'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad(case):
    call, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        call(trained(keras))


def test_nothing_is_set_unless_all_is_known():
    model = trained(keras)
    before = model.get_weights()
    with pytest.raises(ValueError, match="has no"):
        model.set_state_tree({"trainable_variables": {"m": {"d": {"bias": np.array([7.0]), "other": 1}}}})
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


def test_paths_that_meet():
    x = keras.Input((2,))
    inner = [keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, name="d")], name="same") for _ in range(2)]
    outer = [keras.Sequential([keras.Input((2,)), stack], name=f"outer_{i}") for i, stack in enumerate(inner)]
    with pytest.raises(ValueError, match="Two variables have the path 'same/d/kernel'"):
        keras.Model(x, outer[1](outer[0](x))).get_state_tree()
