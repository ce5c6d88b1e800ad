import copy
import pickle
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfc_ref.cells.tree import leaves, made_once, tree_map, unchanging


class Pair(NamedTuple):
    a: Any
    b: Any = None


trees = st.recursive(
    st.none() | st.integers(),
    lambda branch: st.tuples(branch, branch) | st.builds(Pair, branch, branch) | st.tuples(branch),
)


def shape(tree):
    """The structure without the leaves."""
    return (type(tree), *map(shape, tree)) if isinstance(tree, tuple) else tree is None


def flat(tree):
    if tree is None:
        return []
    return [leaf for branch in tree for leaf in flat(branch)] if isinstance(tree, tuple) else [tree]


@given(trees)
def test_a_map_keeps_the_structure_and_the_order(tree):
    squares = tree_map(lambda a: a * a, tree)
    assert shape(squares) == shape(tree)
    assert leaves(tree) == flat(tree)
    assert leaves(squares) == [a * a for a in flat(tree)]
    assert leaves(tree_map(lambda a, b, c: (a - b) * c, tree, squares, tree)) == [(a - a * a) * a for a in flat(tree)]


def test_a_named_tuple_stays_one():
    assert tree_map(str, Pair(1, (2, None))) == Pair("1", ("2", None))
    assert type(tree_map(str, Pair(1))) is Pair


@pytest.mark.parametrize("other", [(1,), (1, 2, 3), (1, 2)])
def test_trees_of_other_structures_are_not_zipped(other):
    with pytest.raises((ValueError, TypeError)):
        tree_map(lambda a, b: a + b, (1, (2, 3)), other)


def test_a_network_remembers_what_was_made_from_it():
    network, made = unchanging(Pair(1, 2)), []

    def make():
        made.append(object())
        return made[-1]

    assert made_once(network, ("a",), make) is made_once(network, ("a",), make)
    assert made_once(network, ("b",), make) is made[1]
    for others in (network._replace(a=3), copy.deepcopy(network), pickle.loads(pickle.dumps(network)), Pair(1, 2)):
        assert type(others).__name__ == "Pair"
        assert made_once(others, ("a",), make) is made[-1]
        assert made_once(others, ("a",), make) is made[-1]
    assert len(made) == 2 + 2 * 4
    for k in range(100):
        made_once(network, (k,), make)
    assert len(network.made) < 20
