"""Names: unique automatic names, snake case, and the scopes that give variables their paths."""

import re
import threading
from collections import Counter
from contextlib import contextmanager
from typing import Iterator

_state = threading.local()
_counts: Counter[str] = Counter()
_uids: Counter[str] = Counter()


def to_snake_case(name: str) -> str:
    """`Conv2DTranspose` to `conv2d_transpose`, by Keras's rule.

    >>> to_snake_case("LayerNormalization"), to_snake_case("Conv2D"), to_snake_case("L1L2")
    ('layer_normalization', 'conv2d', 'l1l2')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def uniquify(name: str) -> str:
    """`name` the first time, then `name_1`, `name_2`, …"""
    seen = _counts[name]
    _counts[name] += 1
    return f"{name}_{seen}" if seen else name


def auto_name(prefix: str) -> str:
    """A unique name from a class name."""
    return uniquify(to_snake_case(prefix))


def next_uid(prefix: str) -> int:
    """1 the first time, then 2, 3, …"""
    _uids[prefix] += 1
    return _uids[prefix]


def reset_uids() -> None:
    """Start the automatic names again from the first."""
    _counts.clear()
    _uids.clear()


def _scopes() -> list[str]:
    if not hasattr(_state, "scopes"):
        _state.scopes = []
    return _state.scopes


def current_path() -> str:
    """The slash-separated path of the open name scopes; empty outside any."""
    return "/".join(_scopes())


@contextmanager
def name_scope(name: str) -> Iterator[None]:
    """Variables made inside get `name/` in front of their path."""
    if not isinstance(name, str) or "/" in name:
        raise ValueError(f"Argument `name` must be a string without '/'. Received: name={name!r}")
    scopes = _scopes()
    scopes.append(name)
    try:
        yield
    finally:
        scopes.pop()
