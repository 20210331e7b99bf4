"""The bundled data sets: what is in them, and that it stays where it is."""

import hashlib
import importlib
import inspect
import pathlib

import numpy as np
import pytest

from kerasish import datasets
from kerasish.datasets import bundled

# name: shape and dtype of x, rows of each class, range of x, and the SHA-256 of x and y as stored
ROWS = {
    "digits": ((1797, 8, 8), "uint8", [178, 182, 177, 183, 181, 182, 181, 179, 174, 180], (0, 16), "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"),
    "iris": ((150, 4), "float32", [50, 50, 50], (0.1, 7.9), "cb8c4c65341776d8c4008316899387b8af8957eac23fd39a60463d1140dc8592"),
    "wine": ((178, 13), "float32", [59, 71, 48], (0.13, 1680), "ae0de5a349be2de6416238f8df5ffd9543d844a7546a07489417fdff442bac25"),
    "breast_cancer": ((569, 30), "float32", [212, 357], (0, 4254), "079df9a525cd8263cd770769db093248e5392c693106cff9ff8c0913306181dc"),
}
# What every machine and version must split off: the labels of the first ten rows for testing.
FIRST_TEST_LABELS = {
    "digits": [8, 0, 6, 2, 6, 4, 0, 0, 5, 3],
    "iris": [0, 1, 2, 1, 2, 2, 1, 2, 0, 1],
    "wine": [0, 1, 1, 1, 1, 2, 1, 1, 1, 0],
    "breast_cancer": [1, 1, 0, 1, 0, 1, 0, 1, 0, 1],
}


def module(name):
    return importlib.import_module(f"kerasish.datasets.{name}")


def test_every_data_set_has_a_row():
    folder = pathlib.Path(datasets.__file__).parent
    assert {path.stem for path in folder.glob("*.npz")} == set(ROWS)
    assert {path.stem for path in folder.glob("*.py")} == {
        *ROWS, *datasets.DOWNLOADED, "__init__", "bundled", "cifar", "downloaded", "pickles"
    }  # fmt: skip
    assert all(getattr(datasets, name) is module(name) for name in ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_contents(name):
    shape, dtype, counts, limits, digest = ROWS[name]
    (x, y), (x_none, y_none) = module(name).load_data(test_split=0)
    assert x.shape == shape and x.dtype == dtype and y.shape == shape[:1] and y.dtype == "uint8"
    assert len(x_none) == len(y_none) == 0
    assert np.bincount(y).tolist() == counts and len(module(name).CLASS_NAMES) == len(counts)
    assert np.isfinite(x).all()
    np.testing.assert_allclose((x.min(), x.max()), limits, rtol=1e-6)
    if x.ndim == 2:
        names = module(name).FEATURE_NAMES
        assert len(names) == len(set(names)) == x.shape[1]
    order = np.argsort(bundled.permutation(len(x), 113))
    assert hashlib.sha256(x[order].astype("<" + x.dtype.str[1:]).tobytes() + y[order].tobytes()).hexdigest() == digest


@pytest.mark.parametrize("name", ROWS)
def test_split(name):
    load_data = module(name).load_data
    (x_train, y_train), (x_test, y_test) = load_data()
    rows = ROWS[name][0][0]
    assert len(x_train) == len(y_train) == int(rows * 0.8) and len(x_test) == len(y_test) == rows - len(x_train)
    assert set(y_train) == set(y_test) == set(range(len(ROWS[name][2])))
    assert y_test[:10].tolist() == FIRST_TEST_LABELS[name]
    (x_all, y_all), _ = load_data(test_split=0)
    np.testing.assert_array_equal(np.concatenate([x_train, x_test]), x_all)
    np.testing.assert_array_equal(np.concatenate([y_train, y_test]), y_all)
    (_, y_other), _ = load_data(test_split=0, seed=7)
    assert (y_other != y_all).any() and sorted(y_other) == sorted(y_all)


@pytest.mark.parametrize("name", ROWS)
def test_signature_and_refusals(name):
    load_data = module(name).load_data
    assert str(inspect.signature(load_data)).startswith("(test_split: float = 0.2, seed: int = 113)")
    for wrong in (-0.1, 1, 1.5, float("nan")):
        with pytest.raises(ValueError, match="`test_split` is the fraction"):
            load_data(test_split=wrong)


@pytest.mark.parametrize("name", ROWS)
def test_each_call_gives_its_own_arrays(name):
    (x, _), _ = module(name).load_data()
    x[...] = 0
    (again, _), _ = module(name).load_data()
    assert again.any()


@pytest.mark.parametrize("n, seed", [(0, 113), (1, 113), (7, 0), (100, 113), (100, -5)])
def test_permutation(n, seed):
    assert sorted(bundled.permutation(n, seed)) == list(range(n))


def test_the_licence_names_every_file():
    licence = (pathlib.Path(__file__).parents[2] / "LICENSE-data").read_text()
    assert all(f"\n{name}.npz\n" in licence for name in ROWS) and "CC BY 4.0" in licence
