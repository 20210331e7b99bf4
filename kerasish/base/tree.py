"""Nested structures: lists, tuples, named tuples and dictionaries, with anything else as a leaf.

Dictionaries are walked in the order of their sorted keys, as Keras does; they keep their own order when rebuilt.
"""

from collections import OrderedDict, defaultdict
from typing import Any, Callable, Iterator

from kerasish.base.registry import export


def _is_namedtuple(x: Any) -> bool:
    return isinstance(x, tuple) and hasattr(x, "_fields")


@export("keras.tree.is_nested")
def is_nested(structure: Any) -> bool:
    """Whether it is a container that the functions here look into."""
    return isinstance(structure, (list, tuple, dict))


def _children(x: Any) -> list:
    return [x[k] for k in _keys(x)] if isinstance(x, dict) else list(x)


def _keys(x: dict) -> list:
    if isinstance(x, OrderedDict):
        return list(x)
    try:
        return sorted(x)
    except TypeError:
        return list(x)


def _rebuild(like: Any, children: list) -> Any:
    if isinstance(like, dict):
        values = dict(zip(_keys(like), children, strict=True))
        pairs = [(k, values[k]) for k in like]
        if isinstance(like, defaultdict):
            return defaultdict(like.default_factory, pairs)
        return type(like)(pairs)
    if _is_namedtuple(like):
        return type(like)(*children)
    return type(like)(children) if type(like) in (list, tuple) else _plain(like)(children)


def _plain(like: Any) -> type:
    return tuple if isinstance(like, tuple) else list


def _leaves(x: Any) -> Iterator[Any]:
    if isinstance(x, (list, tuple, dict)):
        for child in _children(x):
            yield from _leaves(child)
    else:
        yield x


@export("keras.tree.flatten")
def flatten(structure: Any) -> list:
    """The leaves in order.

    >>> flatten({"b": 2, "a": [0, 1]})
    [0, 1, 2]
    """
    return list(_leaves(structure))


@export("keras.tree.flatten_with_path")
def flatten_with_path(structure: Any) -> list[tuple[tuple, Any]]:
    """Pairs of a path (keys and positions) and the leaf it leads to."""

    def walk(x: Any, path: tuple) -> Iterator[tuple[tuple, Any]]:
        if not is_nested(x):
            yield path, x
            return
        names = _keys(x) if isinstance(x, dict) else x._fields if _is_namedtuple(x) else range(len(x))
        for name, child in zip(names, _children(x), strict=True):
            yield from walk(child, (*path, name))

    return list(walk(structure, ()))


@export("keras.tree.map_structure")
def map_structure(func: Callable, *structures: Any, none_is_leaf: bool = True) -> Any:
    """The structure with `func` applied to its leaves; with several structures, to their corresponding leaves.

    >>> map_structure(lambda a, b: a + b, {"x": 1, "y": [2]}, {"x": 10, "y": [20]})
    {'x': 11, 'y': [22]}
    """
    if not callable(func):
        raise TypeError(f"`func` must be callable. Received: func={func}")
    if not structures:
        raise ValueError("Must provide at least one structure")
    first = structures[0]
    if len(structures) == 1:
        return _map_one(func, first, none_is_leaf)
    for other in structures[1:]:
        assert_same_structure(first, other)
    return map_structure_up_to(first, func, *structures)


def _map_one(func: Callable, x: Any, none_is_leaf: bool) -> Any:
    if isinstance(x, (list, tuple, dict)):
        return _rebuild(x, [_map_one(func, c, none_is_leaf) for c in _children(x)])
    return x if x is None and not none_is_leaf else func(x)


@export("keras.tree.map_structure_up_to")
def map_structure_up_to(shallow_structure: Any, func: Callable, *structures: Any) -> Any:
    """Like map_structure, but only as deep as `shallow_structure` goes."""
    if not is_nested(shallow_structure):
        return func(*structures)
    parts = []
    for s in structures:
        if not is_nested(s) or len(s) != len(shallow_structure):
            raise ValueError(f"The structures don't agree: {shallow_structure!r} and {s!r}")
        parts.append(_children(s))
    children = [
        map_structure_up_to(sub, func, *args)
        for sub, *args in zip(_children(shallow_structure), *parts, strict=True)
    ]
    return _rebuild(shallow_structure, children)


@export("keras.tree.assert_same_structure")
def assert_same_structure(a: Any, b: Any, check_types: bool = True) -> None:
    """Raise ValueError unless both nest alike."""
    if is_nested(a) != is_nested(b):
        raise ValueError(f"`a` and `b` don't have the same structure. a={a!r} b={b!r}")
    if not is_nested(a):
        return
    if isinstance(a, dict) != isinstance(b, dict) or (check_types and _kind(a) is not _kind(b)):
        raise ValueError(f"`a` and `b` don't have the same structure: {type(a)} and {type(b)}. a={a!r} b={b!r}")
    if len(a) != len(b) or (isinstance(a, dict) and set(a) != set(b)):
        raise ValueError(f"`a` and `b` don't have the same structure: a={a!r} b={b!r}")
    for x, y in zip(_children(a), _children(b), strict=True):
        assert_same_structure(x, y, check_types)


def _kind(x: Any) -> type:
    return dict if isinstance(x, dict) else type(x)


@export("keras.tree.assert_same_paths")
def assert_same_paths(a: Any, b: Any) -> None:
    """Raise ValueError unless both have leaves at the same paths."""
    pa, pb = ({p for p, _ in flatten_with_path(s)} for s in (a, b))
    if pa != pb:
        raise ValueError(f"`a` and `b` don't have the same paths. Only one of them has: {pa ^ pb}")


@export("keras.tree.pack_sequence_as")
def pack_sequence_as(structure: Any, flat_sequence: Any) -> Any:
    """The inverse of flatten: the structure with these leaves.

    >>> pack_sequence_as({"b": 0, "a": [0, 0]}, [1, 2, 3])
    {'b': 3, 'a': [1, 2]}
    """
    flat = list(flat_sequence)
    if not is_nested(structure):
        if len(flat) != 1:
            raise ValueError(
                f"Incorrect number of leaves provided by `flat_sequence` for `structure`; expected: 1, got {len(flat)}."
            )
        return flat[0]
    count = len(flatten(structure))
    if count != len(flat):
        raise ValueError(
            f"Incorrect number of leaves provided by `flat_sequence` for `structure`; expected: {count}, got {len(flat)}."
        )
    leaves = iter(flat)
    return _map_one(lambda _: next(leaves), structure, True)


class _MapToNone:
    """Returned by a function of `traverse` to put None in place of a structure."""

    def __repr__(self) -> str:
        return "MAP_TO_NONE"


MAP_TO_NONE = _MapToNone()
export("keras.tree.MAP_TO_NONE")(MAP_TO_NONE)


@export("keras.tree.traverse")
def traverse(func: Callable, structure: Any, top_down: bool = True) -> Any:
    """Replace each substructure by `func` of it where that is not None; otherwise go on into it."""

    def final(x: Any) -> Any:
        return None if x is MAP_TO_NONE else x

    if top_down:
        got = func(structure)
        if got is not None:
            return final(got)
        if is_nested(structure):
            return _rebuild(structure, [traverse(func, c, True) for c in _children(structure)])
        return structure
    if is_nested(structure):
        structure = _rebuild(structure, [traverse(func, c, False) for c in _children(structure)])
    got = func(structure)
    return structure if got is None else final(got)


@export("keras.tree.lists_to_tuples")
def lists_to_tuples(structure: Any) -> Any:
    """The structure with every list made a tuple."""
    return traverse(lambda x: tuple(x) if isinstance(x, list) else None, structure, top_down=False)


@export("keras.tree.map_shape_structure")
def map_shape_structure(func: Callable, structure: Any) -> Any:
    """map_structure where shapes (tuples and lists of ints and None) are leaves."""

    def is_shape(x: Any) -> bool:
        return isinstance(x, (list, tuple)) and all(d is None or isinstance(d, int) for d in x)

    if not callable(func):
        raise TypeError(f"`func` must be callable. Received: func={func}")
    return traverse(lambda x: func(tuple(x)) if is_shape(x) else None, structure)
