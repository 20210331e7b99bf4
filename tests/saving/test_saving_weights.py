"""Trees of objects to groups of arrays and back."""

import h5py
import numpy as np
import pytest
from saving_fakes import Dense, Model, Momentum, Part, make_model, values

from kerasish import saving
from kerasish.base.errors import UnsafeFileError
from kerasish.saving.weights import attributes, children


def dense(n, name="d"):
    """A layer with numbers of its own."""
    layer = Dense(1, name)
    layer.build((None, 2))
    layer.kernel.assign(np.full((2, 1), n, "float32"))
    return layer


def tree(offset=0):
    """A model with parts in every kind of place."""
    model = Model(name="tree")
    model.build((None, 2))
    model.layers = [dense(offset + 1), Momentum(), dense(offset + 2)]
    model.single = dense(offset + 3)
    model.by_key = {"b": dense(offset + 4), "a": [dense(offset + 5), (dense(offset + 6), "text", None)], "n": 3}
    model._hidden = dense(offset + 7)
    model.also_single = model.single
    model.numbers = [[1, 2], {"x": 3}]
    model.add("scale", np.float32(offset + 8))
    return model


def kernels(model):
    found = [model.layers[0], model.layers[2], model.single, model.by_key["b"], model.by_key["a"][0]]
    found += [model.by_key["a"][1][0], model._hidden]
    return [float(layer.kernel.numpy()[0, 0]) for layer in found] + [float(model._trainable_variables[0].numpy())]


def arrays(path):
    found = []
    with h5py.File(path) as file:
        file.visititems(lambda name, obj: found.append(name) if isinstance(obj, h5py.Dataset) else None)
    return sorted(found)


def test_places(tmp_path):
    path = tmp_path / "a.weights.h5"
    saving.save_weights(tree(), path)
    places = [
        "_hidden",
        "also_single",  # sorted before `single`, which is the same layer
        "by_key/container/container/dense",
        "by_key/container/dense",
        "by_key/dense",
        "layers/dense",
        "layers/dense_1",
    ]
    assert arrays(path) == sorted([f"{p}/vars/{i}" for p in places for i in (0, 1)] + ["vars/0"])
    with h5py.File(path) as file:
        assert file["vars"].attrs["name"] == "tree" and file["by_key/dense/vars"].attrs["name"] == "d"
    again = tree(50)
    saving.load_weights(again, path)
    assert kernels(again) == kernels(tree())


def test_attributes_in_order():
    class Thing:
        b = 1
        _a = 2

        def __init__(self):
            self.a, self._B, self.C = 3, 4, 5

        @property
        def broken(self):
            raise RuntimeError("not yet")

        @property
        def whole(self):
            return 6

    assert list(attributes(Thing(), skip=["b"])) == [("C", 5), ("a", 3), ("whole", 6), ("_B", 4), ("_a", 2)]


def test_children_without_the_method_are_found_by_attribute():
    class Bare:
        def __init__(self):
            self.inner, self._late, self.other = dense(1), [dense(2)], 3

        def save_own_variables(self, store):
            pass

    assert [(path, inside) for path, _, inside in children(Bare())] == [("inner", None), ("_late/dense", None)]


def test_an_object_that_refers_to_its_owner(tmp_path):
    def make():
        model = tree()
        model.single.owner = model
        return model

    saving.save_weights(make(), tmp_path / "a.weights.h5")
    model = make()
    model.by_key["b"].kernel.assign(np.zeros((2, 1)))
    saving.load_weights(model, tmp_path / "a.weights.h5")
    assert kernels(model) == kernels(tree())


def test_a_list_inside_itself(tmp_path):
    model = tree()
    model.by_key["a"].append(model.by_key["a"])
    saving.save_weights(model, tmp_path / "a.weights.h5")
    saving.load_weights(model, tmp_path / "a.weights.h5")
    assert kernels(model) == kernels(tree())


def test_what_is_stored_under_another_of_its_names_is_found(tmp_path):
    """`also_single` is tried first and is not there; `single` is."""
    path = tmp_path / "a.weights.h5"
    model = tree()
    del model.also_single
    saving.save_weights(model, path)
    again = tree(50)
    saving.load_weights(again, path)
    assert kernels(again) == kernels(tree())


def test_files_without_nested_containers(tmp_path):
    """As older versions of Keras wrote them."""
    path = tmp_path / "a.weights.h5"
    saving.save_weights(tree(), path)
    with h5py.File(path, "r+") as file:
        del file["by_key/container"]
    again = tree(50)
    with pytest.warns(UserWarning, match="nested container 'by_key/container'"):
        saving.load_weights(again, path)
    assert kernels(again) == [1, 2, 3, 4, 55, 56, 7, 8]


def test_files_of_keras_2(tmp_path):
    path = tmp_path / "a.weights.h5"
    saving.save_weights(make_model(), path)
    with h5py.File(path, "r+") as file:
        file.move("layers", "_layer_checkpoint_dependencies")
    again = make_model(seed=5)
    saving.load_weights(again, path)
    assert values(again) == values(make_model())


def test_objects_to_skip(tmp_path):
    path, model = tmp_path / "a.weights.h5", make_model()
    saving.save_weights(model, path, objects_to_skip=[model.optimizer])
    assert not any(name.startswith("optimizer") for name in arrays(path))
    again = make_model(seed=5)
    kept = [v.numpy().tolist() for v in again.layers[1].weights + again.optimizer.weights]
    saving.load_weights(again, path, objects_to_skip=[again.optimizer, again.layers[1]])
    assert [v.numpy().tolist() for v in again.layers[1].weights + again.optimizer.weights] == kept
    assert again.layers[0].kernel.numpy().tolist() == model.layers[0].kernel.numpy().tolist()


def test_weights_of_a_whole_model_file(tmp_path):
    saving.save_model(make_model(), tmp_path / "a.keras")
    again = make_model(seed=5)
    saving.load_weights(again, tmp_path / "a.keras")
    assert values(again) == values(make_model())


@pytest.mark.parametrize("units", [(5, 2), (4, 3)])
def test_shapes_that_do_not_fit(units, tmp_path):
    path = tmp_path / "a.weights.h5"
    saving.save_weights(make_model(compiled=False), path)
    model = make_model(units, compiled=False, seed=5)
    message = r"shape \(3, 4\) .*none of the variables of Dense 'dense_0'.*\(3, 5\)" if units[0] == 5 else "dense_1"
    with pytest.raises(ValueError, match=message) as caught:
        saving.load_weights(model, path)
    assert "could not be loaded" in str(caught.value) and "skip_mismatch=True" in str(caught.value)
    with pytest.warns(UserWarning, match="could not be loaded"):
        saving.load_weights(model, path, skip_mismatch=True)
    fits = model.layers[0 if units[0] == 4 else 1].kernel.numpy().tolist()
    assert (fits == make_model(compiled=False).layers[0].kernel.numpy().tolist()) == (units[0] == 4)


def test_a_count_that_does_not_fit(tmp_path):
    path = tmp_path / "a.weights.h5"
    saving.save_weights(make_model((4,), compiled=False), path)
    with pytest.raises(ValueError, match="dense_1 has 2 variables, the file 0"):
        saving.load_weights(make_model(compiled=False), path)


STORED = {
    # stored as: (fits float32, fits int64)
    "float16": (True, False),
    "float32": (True, False),
    "float64": (True, False),
    ">f4": (True, False),
    "int8": (True, True),
    "uint32": (True, True),
    "int64": (True, True),
    "bool": (True, True),
    "complex64": (False, False),
    "S3": (False, False),
}


@pytest.mark.parametrize("dtype", STORED)
@pytest.mark.parametrize("variable", ["float32", "int64"])
def test_kinds_of_values(dtype, variable, tmp_path):
    part = Part("p")
    part.built = True
    part.add("v", np.zeros(2, variable))
    path = tmp_path / "a.weights.h5"
    saving.save_weights(part, path)
    with h5py.File(path, "r+") as file:
        del file["vars/0"]
        file["vars/0"] = np.ones(2).astype(dtype)
    if STORED[dtype][variable == "int64"]:
        saving.load_weights(part, path)
        assert part.weights[0].numpy().tolist() == [1, 1]
    else:
        with pytest.raises(ValueError, match="none of the variables of Part 'p'"):
            saving.load_weights(part, path)


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3)])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint64", "bool"])
def test_every_shape_and_dtype_comes_back(shape, dtype, tmp_path):
    def make(value):
        part = Part("p")
        part.built = True
        part.add("v", value)
        return part

    value = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    saving.save_weights(make(value), tmp_path / "a.weights.h5")
    again = make(np.zeros(shape, dtype))
    saving.load_weights(again, tmp_path / "a.weights.h5")
    assert np.array_equal(again.weights[0].numpy(), value)


def test_bfloat16_is_read_as_keras_writes_it(tmp_path):
    part = Part("p")
    part.built = True
    part.add("v", np.zeros(3, "float32"))
    path = tmp_path / "a.weights.h5"
    saving.save_weights(part, path)
    with h5py.File(path, "r+") as file:
        del file["vars/0"]
        upper = (np.array([1.5, -2, 0.0078125], "float32").view("uint32") >> 16).astype("<u2")
        dataset = file.create_dataset("vars/0", data=upper.view("V2"))
        dataset.attrs["dtype"] = "bfloat16"
    saving.load_weights(part, path)
    assert part.weights[0].numpy().tolist() == [1.5, -2, 0.0078125]
    with h5py.File(path, "r+") as file:
        del file["vars/0"].attrs["dtype"]
    with pytest.raises(UnsafeFileError, match="should hold numbers"):
        saving.load_weights(part, path)


def test_only_numbers_are_stored(tmp_path):
    class Texts(Part):
        def save_own_variables(self, store):
            store["words"] = np.array(["a", "b"])

    part = Texts()
    part.built = True
    with pytest.raises(ValueError, match=r"'vars/words'.*save_assets"):
        saving.save_weights(part, tmp_path / "a.weights.h5")


def test_stores_are_like_dictionaries(tmp_path):
    seen = []

    class Own(Part):
        def save_own_variables(self, store):
            store["b"], store["a"] = 1.0, np.arange(2)
            seen.append((len(store), sorted(store.keys()), "a" in store, "c" in store))

        def load_own_variables(self, store):
            seen.append((len(store), sorted(store.keys()), "a" in store, "c" in store))
            assert sorted(store) == ["a", "b"] and store.get("c", 5) == 5 and store.get("b") == 1
            assert [v.tolist() for _, v in sorted(store.items())] == [[0, 1], 1.0] and len(list(store.values())) == 2
            with pytest.raises(KeyError):
                store["c"]

    part = Own()
    part.built = True
    saving.save_weights(part, tmp_path / "a.weights.h5")
    saving.load_weights(part, tmp_path / "a.weights.h5")
    assert seen[0] == seen[1]


def test_unbuilt_models():
    for act, what in ((saving.save_weights, "saving the weights"), (saving.load_weights, "loading weights into")):
        with pytest.raises(ValueError, match=f"{what} .*not yet been built"):
            act(Model(), "a.weights.h5")
