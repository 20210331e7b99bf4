"""Packages that a few functions need, and that are installed only if wanted."""

import importlib
from typing import Any


def optional(package: str, extra: str, user: str) -> Any:
    """The module, or an ImportError that says what needs it and how to install it.

    >>> optional("json", "plot", "this").dumps(1)
    '1'
    """
    try:
        return importlib.import_module(package)
    except ImportError as e:
        raise ImportError(
            f"You must install {package.partition('.')[0]} for `{user}` to work: `pip install 'kerasish[{extra}]'`."
        ) from e
