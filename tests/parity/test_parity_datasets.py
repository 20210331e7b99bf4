"""The bundled data beside the copies in an installed scikit-learn."""

import importlib

import numpy as np
import pytest

from kerasish.datasets import bundled

sklearn_datasets = pytest.importorskip("sklearn.datasets")
pytestmark = pytest.mark.parity


@pytest.mark.parametrize("name", ["digits", "iris", "wine", "breast_cancer"])
def test_equal(name):
    theirs = getattr(sklearn_datasets, f"load_{name}")()
    ours = importlib.import_module(f"kerasish.datasets.{name}")
    (x, y), _ = ours.load_data(test_split=0)
    order = bundled.permutation(len(x), 113)
    np.testing.assert_array_equal(x.reshape(len(x), -1), theirs.data[order].astype(x.dtype))
    np.testing.assert_array_equal(y, theirs.target[order])
