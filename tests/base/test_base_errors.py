"""The library's own exceptions: which built-in ones they are, so that `except` clauses written for Keras catch them."""

import pytest

from kerasish.base import errors

CLASSES = {
    "TracingError": (TypeError,),
    "NeedsSize": (errors.TracingError, TypeError),
    "NonDifferentiableError": (ValueError,),
    "InputError": (ValueError, TypeError),
    "AxisError": (ValueError, IndexError),
    "UnsafeFileError": (ValueError,),
}


def test_every_class_has_a_row():
    assert set(CLASSES) == {name for name, value in vars(errors).items() if isinstance(value, type)}


@pytest.mark.parametrize("name", CLASSES)
def test_caught_as(name):
    for base in CLASSES[name]:
        with pytest.raises(base, match="why"):
            raise getattr(errors, name)("why")
    assert getattr(errors, name).__doc__
