"""One row a call of `keras.tree`: the expression's value, or the type of the error it raises.

`tests/golden/make_tree.py` records what Keras answers; the tests put the same questions here.
"""

import warnings
from collections import OrderedDict, defaultdict, deque, namedtuple

Point = namedtuple("Point", "x y")
Spot = namedtuple("Spot", "x y")


class OwnList(list):
    pass


class OwnTuple(tuple):
    pass


class OwnDict(dict):
    pass


STRUCTURES = {
    "leaf": 5,
    "none": None,
    "text": "ab",
    "set": {1},
    "range": range(3),
    "list": [1, [2, ()]],
    "tuple": (1, (2, [3])),
    "named": Point(1, Point([2], None)),
    "dict": {"b": 1, "a": {"d": [2], "c": 3}},
    "ordered": OrderedDict([("b", 1), ("a", 2)]),
    "default": defaultdict(list, {"b": 1, "a": [2]}),
    "deque": deque([1, [2]], maxlen=4),
    "empty list": [],
    "empty tuple": (),
    "empty dict": {},
    "nones": [None, {"a": None}],
    "number keys": {10: "ten", 9: "nine", -1: "minus"},
    "keys of many types": {2: "2", "a": "a", 1: "1", (3,): "t", 1.5: "f"},
    "own list": OwnList([1, 2]),
    "own tuple": OwnTuple([1, 2]),
    "own dict": OwnDict(b=1, a=2),
    "own inside": [OwnList([1, [2]]), {"k": OwnTuple([3])}],
    "shapes": {"b": (None, 3), "a": [(2, 2), [None], 7]},
    "shape": (2, None),
    "not shapes": (1, "a", 2.0, None),
}

# Each is asked of every structure.
QUESTIONS = {
    "is_nested": "tree.is_nested(s)",
    "flatten": "tree.flatten(s)",
    "flatten_with_path": "tree.flatten_with_path(s)",
    "map": "tree.map_structure(lambda x: (x,), s)",
    "map but None": "tree.map_structure(lambda x: (x,), s, none_is_leaf=False)",
    "map two": "tree.map_structure(lambda x, y: (x, y), s, s)",
    "map to None": "tree.map_structure(lambda x: None, s)",
    "up to itself": "tree.map_structure_up_to(s, lambda x, y: (x, y), s, s)",
    "up to a list": "tree.map_structure_up_to([0, 0], lambda x: x, s)",
    "pack": "tree.pack_sequence_as(s, range(len(tree.flatten(s))))",
    "pack too few": "tree.pack_sequence_as([s, 0], tree.flatten(s))",
    "pack too many": "tree.pack_sequence_as(s, tree.flatten([s, 0]))",
    "pack containers": "tree.pack_sequence_as(s, [[x] for x in tree.flatten(s)])",
    "traverse to the same": "tree.traverse(lambda x: None, s)",
    "traverse lists down": "tree.traverse(lambda x: tuple(x) if isinstance(x, list) else None, s)",
    "traverse lists up": "tree.traverse(lambda x: tuple(x) if isinstance(x, list) else None, s, top_down=False)",
    "traverse ints to None": "tree.traverse(lambda x: tree.MAP_TO_NONE if isinstance(x, int) else None, s)",
    "traverse ints to False": "tree.traverse(lambda x: False if isinstance(x, int) else None, s, top_down=False)",
    "root to None": "tree.traverse(lambda x: tree.MAP_TO_NONE, s, top_down=False)",
    "order down": "(lambda seen: (tree.traverse(seen.append, s), seen)[1])([])",
    "order up": "(lambda seen: (tree.traverse(seen.append, s, top_down=False), seen)[1])([])",
    "lists_to_tuples": "tree.lists_to_tuples(s)",
    "shapes": "tree.map_shape_structure(lambda x: ('S', x), s)",
}

# Keras raises where the shallow structure holds None; here None is a leaf in every function.
DIFFERENT = {("up to itself", name) for name in ("none", "named", "nones", "shapes", "shape", "not shapes")}

PAIRS = {
    "equal": ([1, {"a": (2,)}], [3, {"a": (4,)}]),
    "leaves": (1, "x"),
    "none and leaf": (None, 1),
    "none and none": ([None], [None]),
    "leaf and none": ([1], [None]),
    "none and list": ([None], [[1]]),
    "leaf and list": ([1], [[2]]),
    "list and leaf": ([[1]], [2]),
    "list and none": ([1], None),
    "list and tuple": ([1, 2], (1, 2)),
    "list and dict": ([1], {"a": 1}),
    "empty list and tuple": ([], ()),
    "deep type": ([1, {"a": [2]}], [1, {"a": (2,)}]),
    "longer": ([1], [1, 2]),
    "shorter": ([1, 2], [1]),
    "other keys": ({"a": 1}, {"b": 1}),
    "more keys": ({"a": 1}, {"a": 1, "b": 2}),
    "key order": ({"a": 1, "b": 2}, {"b": 3, "a": 4}),
    "dict and ordered": ({"a": 1, "b": 2}, OrderedDict([("b", 3), ("a", 4)])),
    "ordered and dict": (OrderedDict([("b", 1), ("a", 2)]), {"a": 3, "b": 4}),
    "ordered otherwise": (OrderedDict([("b", 1), ("a", 2)]), OrderedDict([("a", 3), ("b", 4)])),
    "dict and default": ({"a": 1}, defaultdict(int, a=2)),
    "default and ordered": (defaultdict(int, a=1), OrderedDict(a=2)),
    "factories": (defaultdict(int, a=1), defaultdict(list, a=2)),
    "dict and own": ({"a": 1}, OwnDict(a=2)),
    "own and dict": (OwnDict(a=1), {"a": 2}),
    "named": (Point(1, 2), Point(3, 4)),
    "other named": (Point(1, 2), Spot(3, 4)),
    "named and tuple": (Point(1, 2), (3, 4)),
    "tuple and named": ((1, 2), Point(3, 4)),
    "deques": (deque([1], maxlen=2), deque([2])),
    "deque and list": (deque([1]), [2]),
    "own and list": (OwnList([1]), [2]),
    "list and own": ([1], OwnList([2])),
}

# Each is asked of every pair.
PAIR_QUESTIONS = {
    "same structure": "tree.assert_same_structure(a, b)",
    "same structure, types": "tree.assert_same_structure(a, b, check_types=False)",
    "same paths": "tree.assert_same_paths(a, b)",
    "map": "tree.map_structure(lambda x, y: (x, y), a, b)",
    "map but None": "tree.map_structure(lambda x, y: (x, y), a, b, none_is_leaf=False)",
    "up to": "tree.map_structure_up_to(a, lambda y: y, b)",
}

DIFFERENT |= {("up to", name) for name in ("none and leaf", "none and none", "none and list")}

CALLS = {
    "no function": "tree.map_structure(3, [1])",
    "no structure": "tree.map_structure(len)",
    "no function up to": "tree.map_structure_up_to([1], 3, [1])",
    "no structure up to": "tree.map_structure_up_to([1], len)",
    "no function to traverse": "tree.traverse(3, [1])",
    "no function for shapes": "tree.map_shape_structure(3, [1])",
    "unknown argument": "tree.map_structure(len, [1], depth=3)",
    "function of two": "tree.map_structure(lambda x, y: x, [1])",
    "pack a number": "tree.pack_sequence_as([1], 3)",
    "pack text": "tree.pack_sequence_as([1, 2], 'ab')",
    "pack an iterator": "tree.pack_sequence_as([1, 2], iter((3, 4)))",
    "the function's error": "tree.map_structure(lambda x: {}[x], [1])",
    "up to, deeper": "tree.map_structure_up_to({'b': 0, 'a': [0]}, lambda x, y: (x, y), {'a': [(1,)], 'b': 2}, {'a': [3], 'b': 4})",
    "three structures": "tree.map_structure(lambda x, y, z: x + y + z, [1, (2,)], [3, (4,)], [5, (6,)])",
    "third differs": "tree.map_structure(lambda x, y, z: x + y + z, [1], [2], (3,))",
    "the marker": "isinstance(tree.MAP_TO_NONE, type)",
}


def rows():
    """Every row: its name, its expression, and the names that the expression knows."""
    for question, expression in QUESTIONS.items():
        for name, s in STRUCTURES.items():
            yield (question, name), expression, {"s": s}
    for question, expression in PAIR_QUESTIONS.items():
        for name, (a, b) in PAIRS.items():
            yield (question, name), expression, {"a": a, "b": b}
    for name, expression in CALLS.items():
        yield ("call", name), expression, {}


def answer(tree, expression, names):
    """What `tree` says, as text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # check_types
        try:
            return repr(eval(expression, {"tree": tree, **names}))
        except Exception as e:
            return f"raises {type(e).__name__}"
