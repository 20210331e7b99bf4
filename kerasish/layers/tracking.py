"""Containers that tell their layer what is put into them, so that layers and variables in lists and dicts are found."""

from typing import Any, Iterator

from kerasish.base.tree import register_container


def tracked(layer: Any, value: Any) -> Any:
    """`value` noted by the layer; lists and dicts become their tracking kinds."""
    if isinstance(value, (TrackedList, TrackedDict)) and value._layer is layer:
        return value
    if type(value) is list:
        return TrackedList(layer, value)
    if type(value) is dict:
        return TrackedDict(layer, value)
    if isinstance(value, tuple):
        items = [tracked(layer, v) for v in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    layer._track(value)
    return value


def contents(value: Any) -> Iterator[Any]:
    """What an attribute's value holds, in containers within containers, too."""
    if isinstance(value, (TrackedList, tuple)):
        for v in value:
            yield from contents(v)
    elif isinstance(value, TrackedDict):
        for v in value.values():
            yield from contents(v)
    else:
        yield value


class TrackedList(list):
    """A list in a layer."""

    def __init__(self, layer: Any, items: Any = ()):
        self._layer = layer
        super().__init__(tracked(layer, v) for v in items)

    def append(self, value: Any) -> None:
        super().append(tracked(self._layer, value))

    def insert(self, index: Any, value: Any) -> None:
        super().insert(index, tracked(self._layer, value))

    def extend(self, values: Any) -> None:
        super().extend(tracked(self._layer, v) for v in values)

    def __setitem__(self, index: Any, value: Any) -> None:
        before = tuple(self)
        if isinstance(index, slice):
            super().__setitem__(index, [tracked(self._layer, v) for v in value])
        else:
            super().__setitem__(index, tracked(self._layer, value))
        self._layer._untrack(before)

    def __iadd__(self, values: Any) -> "TrackedList":  # type: ignore[misc,override]
        self.extend(values)
        return self

    def __delitem__(self, index: Any) -> None:
        before = tuple(self)
        super().__delitem__(index)
        self._layer._untrack(before)

    def pop(self, index: Any = -1) -> Any:
        value = super().pop(index)
        self._layer._untrack(value)
        return value

    def remove(self, value: Any) -> None:
        super().remove(value)
        self._layer._untrack(value)

    def clear(self) -> None:
        before = tuple(self)
        super().clear()
        self._layer._untrack(before)

    def __reduce__(self) -> tuple:
        return list, (list(self),)


class TrackedDict(dict):
    """A dict in a layer."""

    def __init__(self, layer: Any, items: Any = ()):
        self._layer = layer
        super().__init__({k: tracked(layer, v) for k, v in dict(items).items()})

    def __setitem__(self, key: Any, value: Any) -> None:
        before = self.get(key)
        super().__setitem__(key, tracked(self._layer, value))
        self._layer._untrack(before)

    def update(self, *args: Any, **kwargs: Any) -> None:
        for k, v in dict(*args, **kwargs).items():
            self[k] = v

    def setdefault(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: Any, *default: Any) -> Any:
        value = super().pop(key, *default)
        self._layer._untrack(value)
        return value

    def __delitem__(self, key: Any) -> None:
        before = self.get(key)
        super().__delitem__(key)
        self._layer._untrack(before)

    def __reduce__(self) -> tuple:
        return dict, (dict(self),)


# Users' structures may hold them: they are looked into like what they stand for.
register_container(TrackedList, like=list)
register_container(TrackedDict, like=dict)
