"""Logs: names to Python floats, computed only when somebody looks."""

import sys
from typing import Any, Callable, Mapping


def pythonify_logs(logs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Logs as callbacks see them: sorted by name, nested dicts flattened, one-element values as Python floats.

    >>> pythonify_logs({"loss": 1, "b": {"a": "text"}})
    {'a': 'text', 'loss': 1.0}
    """
    result: dict[str, Any] = {}
    for name, value in sorted((logs or {}).items()):
        if isinstance(value, dict):
            result.update(pythonify_logs(value))
        else:
            result[name] = _to_float(value)
    return result


def _to_float(value: Any) -> Any:
    if isinstance(value, (str, bytes)):
        return value
    try:
        return float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError):
        return value


class LazyLogs(dict):
    """A dict whose contents are computed when they are first read or written.

    >>> logs = LazyLogs(lambda: {"loss": 0.5})
    >>> logs["loss"], dict(logs), f"{logs}"
    (0.5, {'loss': 0.5}, "{'loss': 0.5}")
    """

    __slots__ = ("_compute",)

    def __init__(self, compute: Callable[[], Mapping[str, Any]]):
        # A stand-in entry: C code that asks a dict for its size without a method call must not find it empty.
        super().__init__({"": None})
        self._compute: Callable[[], Mapping[str, Any]] | None = compute

    def materialise(self) -> None:
        """Compute the contents now, if that has not happened yet."""
        if self._compute is not None:
            compute, self._compute = self._compute, None
            dict.clear(self)
            dict.update(self, compute())

    def __reduce__(self) -> tuple:
        return dict, (dict(self),)


def _reader(name: str) -> Callable:
    method = getattr(dict, name)

    def read(self: LazyLogs, *args: Any, **kwargs: Any) -> Any:
        if self._compute is not None:
            self.materialise()
        return method(self, *args, **kwargs)

    read.__name__ = name
    return read


# Also __iter__: with it overridden, dict(logs), {**logs} and f(**logs) go through these methods too.
for _name in (
    "__contains__ __delitem__ __eq__ __ge__ __getitem__ __gt__ __ior__ __iter__ __le__ __len__ __lt__ __ne__ __or__ "
    "__repr__ __reversed__ __ror__ __setitem__ clear copy get items keys pop popitem setdefault update values"
).split():
    setattr(LazyLogs, _name, _reader(_name))


def as_lazy(logs: Mapping[str, Any] | Callable[[], Mapping[str, Any]] | None) -> dict[str, Any]:
    """Batch logs from a mapping, or from a function that returns one."""
    if not logs:
        return {}
    if isinstance(logs, LazyLogs):
        return logs
    if callable(logs):
        return LazyLogs(lambda: pythonify_logs(logs()))
    return LazyLogs(lambda: pythonify_logs(logs))


def _holders(logs: LazyLogs) -> int:
    return sys.getrefcount(logs)


def _holders_of_unkept() -> int:
    logs = LazyLogs(dict)
    return _holders(logs)


_UNKEPT = _holders_of_unkept()


def is_kept(logs: dict[str, Any]) -> bool:
    """Asked by the only rightful holder of `logs`, in a local variable: whether a callback holds them too."""
    return sys.getrefcount(logs) > _UNKEPT
