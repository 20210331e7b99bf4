"""Names: unique automatic names, snake case, and the scopes that give variables their paths."""

import re
import threading
from collections import Counter
from typing import Any

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


class name_scope:
    """Variables made inside get `name/` in front of their path.

    caller:          the object that opens the scope; its own scope of this name is not entered twice in a row,
    deduplicate:     unless this is False.
    override_parent: the path to stand in, instead of that of the scopes around.

    >>> with name_scope("block"), name_scope("dense"):
    ...     current_path()
    'block/dense'
    """

    def __init__(self, name: str, caller: Any = None, deduplicate: bool = True, override_parent: str | None = None):
        if not isinstance(name, str) or "/" in name:
            raise ValueError(f"Argument `name` must be a string and cannot contain character `/`. Received: name={name!r}")
        self.name, self.caller, self.deduplicate, self.override_parent = name, caller, deduplicate, override_parent

    def __enter__(self) -> "name_scope":
        self._outer = _scopes()
        last = getattr(_state, "last", None)
        here = [*self._outer]
        if self.override_parent is not None:
            here = list(filter(None, self.override_parent.split("/")))
        mine = self.deduplicate and self.caller is not None and last == (id(self.caller), self.name)
        _state.scopes, self._last = here if mine else [*here, self.name], last
        _state.last = (id(self.caller), self.name) if self.caller is not None else None
        return self

    def __exit__(self, *exc: Any) -> None:
        _state.scopes, _state.last = self._outer, self._last
