"""Modules of the standard library that are imported when they are first used, since importing this library must be quick."""

import importlib
from typing import Any


class Lazy:
    """Stands for a module.

    >>> Lazy("fractions").Fraction(1, 2) * 2
    Fraction(1, 1)
    """

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(importlib.import_module(self._name), attribute)
        setattr(self, attribute, value)
        return value
