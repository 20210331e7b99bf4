"""Nested structures: `keras.tree`.

The containers are lists, tuples, named tuples, dicts, OrderedDicts, defaultdicts, deques, and what is registered.
Everything else is a leaf: None too, and so are instances of subclasses of list, tuple and dict (as in Keras).
Leaves come in the order of positions; in a dict or defaultdict in the order of the sorted keys, in an OrderedDict in its
own order. A rebuilt mapping keeps the order its keys had.
"""

import warnings
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from reprlib import repr as short
from typing import Any, NamedTuple

from kerasish.base.registry import export

# -- the kinds of container -------------------------------------------------------------------------------------------


class _Kind(NamedTuple):
    """One row: what a type of container calls its children, which they are, and how it is built anew from others."""

    family: str  # members of one family may stand for each other when structures are compared
    names: Callable[[Any], Sequence]  # keys or positions, in leaf order
    children: Callable[[Any], Sequence]
    rebuild: Callable[[Any, list], Any]


def _sorted_keys(d: dict) -> list:
    try:
        return sorted(d)
    except TypeError:  # keys of several types: group them by type
        pass
    try:
        return sorted(d, key=lambda k: (f"{type(k).__module__}.{type(k).__qualname__}", k))
    except TypeError:
        return list(d)


def _positions(x: Any) -> range:
    return range(len(x))


def _refilled(keys: Callable[[Any], list]) -> Callable[[Any, list], Any]:
    def rebuild(like: Any, children: list) -> Any:
        out = like.copy()  # keeps the order of the keys and a defaultdict's factory
        out.update(zip(keys(like), children, strict=True))
        return out

    return rebuild


_DICT = _Kind("dict", _sorted_keys, lambda d: [d[k] for k in _sorted_keys(d)], _refilled(_sorted_keys))
_LIST = _Kind("list", _positions, lambda x: x, lambda like, children: children)
_TUPLE = _Kind("tuple", _positions, lambda x: x, lambda like, children: tuple(children))
_NAMED_TUPLE = _Kind("named tuple", _positions, lambda x: x, lambda like, children: type(like)(*children))

_KINDS: dict[type, _Kind] = {
    list: _LIST,
    tuple: _TUPLE,
    dict: _DICT,
    defaultdict: _DICT,
    OrderedDict: _Kind("dict", list, lambda d: list(d.values()), _refilled(list)),
    deque: _Kind("deque", _positions, list, lambda like, children: deque(children, like.maxlen)),
}


def _kind(x: Any) -> _Kind | None:
    """The row for `x`, or None if it is a leaf."""
    cls = type(x)
    found = _KINDS.get(cls)
    if found is None and issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return _NAMED_TUPLE
    return found


def register_container(cls: type, like: type) -> None:
    """Look into instances of `cls`, a subclass of `like` (list or dict); mapping makes a plain `like` of them."""
    _KINDS[cls] = _KINDS[like]


@export("keras.tree.is_nested")
def is_nested(structure: Any) -> bool:
    """Whether `structure` is a container that the functions here look into.

    >>> is_nested([]), is_nested({"a": 1}), is_nested("text"), is_nested(None)
    (True, True, False, False)
    """
    return _kind(structure) is not None


# -- to leaves and back -----------------------------------------------------------------------------------------------


@export("keras.tree.flatten")
def flatten(structure: Any) -> list:
    """The leaves in order.

    >>> flatten({"b": 2, "a": [0, (1, None)]})
    [0, 1, None, 2]
    """
    kind = _kind(structure)
    if kind is None:
        return [structure]
    leaves: list = []
    _collect(kind.children(structure), leaves)
    return leaves


def _collect(children: Iterable, leaves: list) -> None:
    for child in children:
        kind = _kind(child)
        if kind is None:
            leaves.append(child)
        else:
            _collect(kind.children(child), leaves)


@export("keras.tree.flatten_with_path")
def flatten_with_path(structure: Any) -> list[tuple[tuple, Any]]:
    """Pairs of a leaf's path, the keys and positions that lead to it, and the leaf.

    >>> flatten_with_path({"b": 2, "a": [0, 1]})
    [(('a', 0), 0), (('a', 1), 1), (('b',), 2)]
    """
    found: list[tuple[tuple, Any]] = []

    def walk(x: Any, path: tuple) -> None:
        kind = _kind(x)
        if kind is None:
            found.append((path, x))
        else:
            for name, child in zip(kind.names(x), kind.children(x), strict=True):
                walk(child, (*path, name))

    walk(structure, ())
    return found


@export("keras.tree.pack_sequence_as")
def pack_sequence_as(structure: Any, flat_sequence: Iterable) -> Any:
    """The inverse of `flatten`: the structure with these leaves. Raises ValueError if their number is another.

    >>> pack_sequence_as({"b": 0, "a": [0, 0]}, [1, 2, 3])
    {'b': 3, 'a': [1, 2]}
    """
    flat = list(flat_sequence)
    rest = iter(flat)

    def take(_: Any) -> Any:
        for leaf in rest:
            return leaf
        raise _wrong_count(structure, flat)

    packed = _map(take, structure)
    for _ in rest:
        raise _wrong_count(structure, flat)
    return packed


def _wrong_count(structure: Any, flat: list) -> ValueError:
    return ValueError(
        f"`flat_sequence` has {len(flat)} leaves where `structure` has {len(flatten(structure))}. "
        "Pass one leaf for each of its own."
    )


# -- mapping ----------------------------------------------------------------------------------------------------------


@export("keras.tree.map_structure")
def map_structure(func: Callable, *structures: Any, none_is_leaf: bool = True) -> Any:
    """The structure with `func` applied to its leaves; with several, to their corresponding leaves.

    With `none_is_leaf=False`, None stays None without a call. Raises ValueError if the structures differ.

    >>> map_structure(lambda a, b: a + b, {"x": 1, "y": [2]}, {"x": 10, "y": [20]})
    {'x': 11, 'y': [22]}
    """
    _check_arguments(func, structures)
    first, *others = structures
    if others:
        rule = _both_leaves if none_is_leaf else _both_leaves_or_none
        rows = zip(flatten(first), *[_align(first, other, rule) for other in others], strict=True)

        def on_leaf(leaf: Any) -> Any:
            row = next(rows)
            return func(*row) if none_is_leaf or leaf is not None else None

        return _map(on_leaf, first)
    return _map(func if none_is_leaf else lambda leaf: None if leaf is None else func(leaf), first)


@export("keras.tree.map_structure_up_to")
def map_structure_up_to(shallow_structure: Any, func: Callable, *structures: Any) -> Any:
    """Like `map_structure`, but only as deep as `shallow_structure` goes: `func` may get whole substructures.

    >>> map_structure_up_to([0, 0], len, [(1, 2, 3), {"a": 4}])
    [3, 1]
    """
    _check_arguments(func, structures)
    rows = zip(*[_align(shallow_structure, other, _any_leaf) for other in structures], strict=True)
    return _map(lambda _: func(*next(rows)), shallow_structure)


def _check_arguments(func: Any, structures: tuple) -> None:
    if not callable(func):
        raise TypeError(f"`func` must be callable. Received: func={func!r}")
    if not structures:
        raise ValueError("Nothing to map over: pass at least one structure after `func`.")


def _map(func: Callable, x: Any) -> Any:
    kind = _kind(x)
    if kind is None:
        return func(x)
    return kind.rebuild(x, [func(child) if _kind(child) is None else _map(func, child) for child in kind.children(x)])


# -- comparing --------------------------------------------------------------------------------------------------------


def _align(a: Any, b: Any, leaf_rule: Callable[[Any, Any], str], path: tuple = ()) -> list:
    """What `b` has at the leaves of `a`; ValueError if `b` is built differently, or if `leaf_rule` names a fault."""
    kind = _kind(a)
    if kind is None:
        _raise_if(leaf_rule(a, b), path, a, b)
        return [b]
    other = _kind(b)
    _raise_if(_container_fault(a, b, kind, other), path, a, b)
    names, children = kind.names(a), kind.children(a)
    partners = [b[name] for name in names] if kind.family == "dict" else other.children(b)  # type: ignore[union-attr]
    found: list = []
    for name, x, y in zip(names, children, partners, strict=True):
        if _kind(x) is not None:
            found.extend(_align(x, y, leaf_rule, (*path, name)))
        elif fault := leaf_rule(x, y):
            _raise_if(fault, (*path, name), x, y)
        else:
            found.append(y)
    return found


def _container_fault(a: Any, b: Any, kind: _Kind, other: _Kind | None) -> str:
    if other is None or other.family != kind.family or (kind is _NAMED_TUPLE and type(a) is not type(b)):
        return f"{type(a).__name__} and {type(b).__name__}"
    if kind.family == "dict" and a.keys() != b.keys():
        return f"the keys {list(kind.names(a))} and {list(other.names(b))}"
    return f"{len(a)} and {len(b)} entries" if len(a) != len(b) else ""


def _any_leaf(a: Any, b: Any) -> str:
    return ""


def _both_leaves(a: Any, b: Any) -> str:
    return "" if _kind(b) is None else f"a leaf and {type(b).__name__}"


def _both_leaves_or_none(a: Any, b: Any) -> str:
    if (a is None) != (b is None):
        return "None and something else, which `none_is_leaf=False` forbids"
    return _both_leaves(a, b)


def _raise_if(fault: str, path: tuple, a: Any, b: Any) -> None:
    if fault:
        place = "".join(f"[{name!r}]" for name in path) or "the root"
        raise ValueError(f"The structures don't have the same nested structure. At {place}: {fault}; {short(a)}, {short(b)}.")


@export("keras.tree.assert_same_structure")
def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Raise ValueError unless `a` and `b` nest alike: same containers, lengths and keys. Leaves are not compared.

    The kinds of mapping are taken for equal. As in Keras, `check_types` is deprecated and changes nothing.
    """
    if check_types is not None:
        warnings.warn(
            "`check_types` has no effect. Leave it out; to take lists and tuples for equal, use `assert_same_paths`.",
            DeprecationWarning,
            stacklevel=2,
        )
    _align(a, b, _both_leaves)


@export("keras.tree.assert_same_paths")
def assert_same_paths(a: Any, b: Any) -> None:
    """Raise ValueError unless `a` and `b` have leaves at the same paths; a list and a tuple may stand for each other."""
    in_a, in_b = ({path for path, _ in flatten_with_path(structure)} for structure in (a, b))
    if in_a != in_b:
        only = {"a": in_a - in_b, "b": in_b - in_a}
        shown = "".join(f"\nOnly in `{side}`: {sorted(paths, key=repr)}" for side, paths in only.items() if paths)
        raise ValueError(f"`a` and `b` don't have the same paths.{shown}")


# -- replacing substructures ------------------------------------------------------------------------------------------


@export("keras.tree.MAP_TO_NONE")
class MAP_TO_NONE:
    """What a function given to `traverse` returns to put None in place of a substructure."""


@export("keras.tree.traverse")
def traverse(func: Callable, structure: Any, top_down: bool = True) -> Any:
    """Replace each substructure, leaves included, by `func` of it where that is not None.

    From the top down, what has been replaced is not gone into; from the bottom up, `func` sees containers whose
    contents have been replaced already.

    >>> traverse(lambda x: sum(x) if isinstance(x, tuple) else None, [(1, 2), [(3, 4), 5]])
    [3, [7, 5]]
    """
    if not callable(func):
        raise TypeError(f"`func` must be callable. Received: func={func!r}")
    return _traverse_down(func, structure) if top_down else _traverse_up(func, structure)


def _traverse_down(func: Callable, x: Any) -> Any:
    replacement = func(x)
    if replacement is not None:
        return None if replacement is MAP_TO_NONE else replacement
    kind = _kind(x)
    return x if kind is None else kind.rebuild(x, [_traverse_down(func, child) for child in kind.children(x)])


def _traverse_up(func: Callable, x: Any) -> Any:
    kind = _kind(x)
    if kind is not None:
        x = kind.rebuild(x, [_traverse_up(func, child) for child in kind.children(x)])
    replacement = func(x)
    if replacement is None:
        return x
    return None if replacement is MAP_TO_NONE else replacement


@export("keras.tree.lists_to_tuples")
def lists_to_tuples(structure: Any) -> Any:
    """The structure with every list made a tuple.

    >>> lists_to_tuples([1, {"a": [2]}])
    (1, {'a': (2,)})
    """
    return _traverse_up(lambda x: tuple(x) if isinstance(x, list) else None, structure)


@export("keras.tree.map_shape_structure")
def map_shape_structure(func: Callable, structure: Any) -> Any:
    """`map_structure` with shapes, the lists and tuples of sizes and None, as leaves.

    >>> map_shape_structure(len, {"image": (None, 28, 28), "label": (None,)})
    {'image': 3, 'label': 1}
    """
    if not callable(func):
        raise TypeError(f"`func` must be callable. Received: func={func!r}")
    return _map_shapes(func, structure)


def _map_shapes(func: Callable, x: Any) -> Any:
    kind = _kind(x)
    if kind is None or _is_shape(x):
        return func(x)
    return kind.rebuild(x, [_map_shapes(func, child) for child in kind.children(x)])


def _is_shape(x: Any) -> bool:
    # By protocol rather than type: symbolic sizes of a trace and NumPy integers are sizes too.
    return isinstance(x, (list, tuple)) and all(d is None or hasattr(d, "__index__") for d in x)
