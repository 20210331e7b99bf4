"""Importing the library loads next to nothing; what is used later loads the rest."""

import subprocess
import sys

import pytest

import kerasish as keras

HEAVY = ("kerasish.layers", "kerasish.models", "zipfile", "concurrent.futures", "tqdm", "multiprocessing", "pandas", "csv")


def modules_after(code):
    code += "; import sys; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(out.stdout.split())


def test_importing_loads_only_the_face():
    loaded = modules_after("import numpy, h5py, kerasish") - modules_after("import numpy, h5py")
    assert not loaded & set(HEAVY), sorted(loaded & set(HEAVY))


def test_a_name_loads_its_part():
    assert "kerasish.layers" in modules_after("import kerasish; kerasish.Layer")


def test_what_is_looked_up_by_name_is_loaded():
    code = "import kerasish; m = kerasish.metrics.get('mse'); o = kerasish.optimizers.get('adam')"
    assert "kerasish.optimizers" in modules_after(code)


@pytest.mark.parametrize("name", keras.__all__)
def test_every_name_of_the_face_is_there(name):
    assert getattr(keras, name) is not None
    assert name in dir(keras)


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="module 'kerasish' has no attribute 'layer'"):
        keras.layer  # noqa: B018
