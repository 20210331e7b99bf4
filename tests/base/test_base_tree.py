"""`keras.tree` against Keras's recorded answers, and what it promises beyond them."""

import json
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tree_cases import DIFFERENT, PAIRS, STRUCTURES, OwnDict, OwnList, Point, answer, rows

from kerasish.base import registry, tree

GOLDEN = json.loads((pathlib.Path(__file__).parents[1] / "golden" / "tree.json").read_text())["answers"]
ROWS = {key: (expression, names) for key, expression, names in rows()}

leaves = st.one_of(st.none(), st.integers(), st.text(max_size=2))
structures = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.one_of(st.integers(), st.text(max_size=2)), inner, max_size=4),
        st.tuples(inner, inner).map(lambda xy: Point(*xy)),
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("key", [key for key in ROWS if key not in DIFFERENT], ids="-".join)
def test_as_keras(key):
    expression, names = ROWS[key]
    assert answer(tree, expression, names) == GOLDEN[key[0]][key[1]]


@pytest.mark.parametrize("key", sorted(DIFFERENT), ids="-".join)
def test_none_is_a_leaf_of_a_shallow_structure(key):
    expression, names = ROWS[key]
    assert GOLDEN[key[0]][key[1]] == "raises ValueError"
    assert not answer(tree, expression, names).startswith("raises")


def test_every_function_is_public_under_its_keras_name():
    named = {name for _, expression, _ in rows() for name in dir(tree) if f"tree.{name}" in expression}
    assert named == set(registry.exported("keras.tree")) - {"map_to_none"}
    assert all(registry.lookup(f"keras.tree.{name}") is getattr(tree, name) for name in named)


@given(structures)
def test_packing_undoes_flattening(structure):
    flat = tree.flatten(structure)
    assert repr(tree.pack_sequence_as(structure, flat)) == repr(structure)
    assert [leaf for _, leaf in tree.flatten_with_path(structure)] == flat
    assert repr(tree.map_structure(lambda x: x, structure)) == repr(structure)
    tree.assert_same_structure(structure, tree.map_structure(lambda x: 0, structure))
    tree.assert_same_paths(structure, tree.lists_to_tuples(structure))


@given(structures)
def test_a_path_leads_to_its_leaf(structure):
    for path, leaf in tree.flatten_with_path(structure):
        found = structure
        for name in path:
            found = found[name]
        assert found is leaf


@given(structures, structures)
def test_two_structures_map_together_only_if_they_nest_alike(a, b):
    try:
        tree.assert_same_structure(a, b)
    except ValueError:
        with pytest.raises(ValueError, match="nested structure"):
            tree.map_structure(lambda x, y: y, a, b)
    else:
        leaf_at = dict(tree.flatten_with_path(b))
        mapped = tree.map_structure(lambda x, y: y, a, b)
        assert tree.flatten(mapped) == [leaf_at[path] for path, _ in tree.flatten_with_path(a)]


@pytest.mark.parametrize("name", STRUCTURES)
def test_nothing_is_changed_in_place(name):
    before = repr(STRUCTURES[name])
    tree.traverse(lambda x: 0 if isinstance(x, int) else None, STRUCTURES[name])
    tree.map_structure(lambda x: 0, STRUCTURES[name])
    assert repr(STRUCTURES[name]) == before


def test_check_types_is_deprecated():
    with pytest.warns(DeprecationWarning, match="no effect"):
        tree.assert_same_structure([1], [2], check_types=False)


def test_a_difference_is_named_with_its_place():
    with pytest.raises(ValueError, match=r"At \[1\]\['a'\]: list and tuple"):
        tree.assert_same_structure(*PAIRS["deep type"])
    with pytest.raises(ValueError, match=r"At the root: the keys \['a'\] and \['b'\]"):
        tree.map_structure(max, *PAIRS["other keys"])
    with pytest.raises(ValueError, match="has 3 leaves where `structure` has 2"):
        tree.pack_sequence_as([0, 0], [1, 2, 3])
    with pytest.raises(ValueError, match="Only in `b`"):
        tree.assert_same_paths(*PAIRS["longer"])


def test_a_long_value_does_not_flood_the_message():
    with pytest.raises(ValueError) as raised:
        tree.assert_same_structure([list(range(10_000))], [5])
    assert len(str(raised.value)) < 400


def test_symbolic_sizes_and_numpy_integers_are_sizes():
    class Size:
        def __index__(self):
            raise AssertionError("a size of a trace must not be asked for its number")

    size = Size()
    assert tree.map_shape_structure(lambda s: [s], {"x": (size, None, 3)}) == {"x": [(size, None, 3)]}


def test_registered_containers_are_looked_into():
    class Tracked(OwnList):
        pass

    class TrackedMap(OwnDict):
        pass

    try:
        tree.register_container(Tracked, like=list)
        tree.register_container(TrackedMap, like=dict)
        structure = TrackedMap(b=Tracked([1, 2]), a=0)
        assert tree.flatten(structure) == [0, 1, 2]
        mapped = tree.map_structure(lambda x: -x, structure)
        assert mapped == {"b": [-1, -2], "a": 0} and list(mapped) == ["b", "a"]
        assert type(mapped) is dict and type(mapped["b"]) is list
        tree.assert_same_structure(structure, {"a": 0, "b": [0, 0]})
    finally:
        tree._KINDS.pop(Tracked, None)
        tree._KINDS.pop(TrackedMap, None)
    assert not tree.is_nested(Tracked())
