"""`get`, `serialize` and `deserialize` of the families."""

import pytest

from kerasish import activations, constraints, initializers, losses, metrics, optimizers, regularizers, saving
from kerasish.base.errors import UnsafeFileError

FAMILIES = {
    # module, a class, another name, what that name stands for
    "losses": (losses, "MeanSquaredError", "mse", "function"),
    "metrics": (metrics, "MeanSquaredError", "mse", "MeanSquaredError"),
    "initializers": (initializers, "GlorotUniform", "glorot_uniform", "GlorotUniform"),
    "regularizers": (regularizers, "L1L2", "l1_l2", "L1L2"),
    "constraints": (constraints, "MaxNorm", "max_norm", "MaxNorm"),
    "optimizers": (optimizers, "RMSprop", "RMSPROP", "RMSprop"),
    "activations": (activations, None, "relu", "function"),
}


@pytest.mark.parametrize("kind", FAMILIES)
def test_family(kind):
    module, class_name, name, meaning = FAMILIES[kind]
    found = module.get(name)
    assert type(found).__name__ == meaning and module.get(found) is found
    for bad in ("nothing", "get", "deserialize", 3):
        with pytest.raises((ValueError, TypeError), match="Could not"):
            module.get(bad)
    with pytest.raises(UnsafeFileError):
        module.get({"class_name": "__lambda__", "config": {}})
    if meaning == "function":
        assert module.deserialize(module.serialize(found)) is found
    if class_name is None:
        return
    cls = getattr(module, class_name)
    instance = module.get(class_name) if kind != "optimizers" else cls()
    assert type(instance) is cls
    config = module.serialize(instance)
    assert config["module"] == f"keras.{kind}" and config["class_name"] == class_name
    assert type(module.get(config)) is type(module.deserialize(config)) is cls
    # as old files have it; the same name may stand for something else in another family
    assert type(module.deserialize({"class_name": class_name, "config": {}})) is cls


def test_none():
    assert [m.get(None) for m in (losses, metrics, initializers, regularizers, constraints)] == [None] * 5


@pytest.mark.parametrize("module", [losses, metrics, initializers, activations])
def test_custom_names(module):
    with saving.custom_object_scope({"mine": abs}):
        assert module.get("mine") is abs


def test_activations_are_names_in_configs():
    def mine(x):
        return x

    assert activations.serialize(activations.relu) == "relu"
    form = {"module": "builtins", "class_name": "function", "config": "mine", "registered_name": "function"}
    assert activations.serialize(mine) == form
    assert losses.serialize(losses.mean_squared_error)["config"] == "mean_squared_error"
