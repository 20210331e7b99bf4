"""keras.wrappers without scikit-learn; tests/parity has the rest."""

import subprocess
import sys

import pytest

from kerasish import wrappers

WITHOUT = "import sys; sys.modules['sklearn'] = None; import kerasish as keras; "


def test_loading_them_does_not_load_scikit_learn():
    code = "import sys, kerasish; kerasish.wrappers; print('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize("name", wrappers.__all__)
def test_scikit_learn_is_asked_for(name):
    code = f"{WITHOUT}keras.wrappers.{name}(model=None)"
    err = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr
    assert f"You must install sklearn for `{name}` to work: `pip install 'kerasish[sklearn]'`" in err


def test_unknown_names():
    with pytest.raises(AttributeError, match="has no attribute 'KerasClassifier'"):
        wrappers.KerasClassifier  # noqa: B018
