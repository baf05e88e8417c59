"""What comes of laying one value over another."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.documents import emit, parse_node
from compiler.errors import collecting
from compiler.layers.merge import Law
from compiler.model.data import Data
from compiler.model.node import MapNode, Node, leaves

if TYPE_CHECKING:
    from pytest_golden.plugin import GoldenTestFixture
few = settings(max_examples=40, deadline=None)
SCALARS = st.one_of(st.booleans(), st.integers(-5, 5), st.text(alphabet="abc", max_size=3))


def maps(depth: int) -> st.SearchStrategy[Data]:
    """Maps in which a key has one type everywhere, so that nothing conflicts: ``d`` a map, ``c`` a list."""
    below: dict[str, st.SearchStrategy[Data]] = {"a": SCALARS, "b": SCALARS, "c": st.lists(SCALARS, max_size=2)}
    if depth:
        below["d"] = maps(depth - 1)
    optional = {key: st.one_of(st.none(), strategy) for key, strategy in below.items()}
    return cast("st.SearchStrategy[Data]", st.fixed_dictionaries({}, optional=optional))


def node(value: Data, name: str) -> MapNode:
    found = parse_node(emit(value), name)
    assert isinstance(found, MapNode)
    return found


def laid(*nodes: Node) -> Node:
    with collecting() as mistakes:
        law, result = Law(mistakes), nodes[0]
        for upper in nodes[1:]:
            result = law.over(result, upper)
    return result


def by_hand(lower: Data, upper: Data) -> Data:
    """Helm's rule, in four lines, for values without operations."""
    if isinstance(lower, dict) and isinstance(upper, dict):
        return {
            key: by_hand(lower[key], upper[key]) if key in lower and key in upper else {**lower, **upper}[key]
            for key in {**lower, **upper}
        }
    return upper


def without_nulls(value: Data) -> Data:
    if isinstance(value, dict):
        return {key: without_nulls(below) for key, below in value.items() if below is not None}
    return value


@pytest.mark.golden_test("law/*.yaml")
def test_the_law_gives_what_the_case_says(golden: GoldenTestFixture) -> None:
    """Each file of ``law/``: layers, lowest first, what they come to, and the places of each value and its losers."""
    golden.get("about")
    layers = [parse_node(text, f"{index}") for index, text in enumerate(golden["layers"], start=1)]
    merged = laid(*(layer for layer in layers if layer is not None))
    assert golden.out["value"] == merged.data()
    assert golden.out["origins"] == {
        ".".join(path): " < ".join(str(place.origin) for place in (leaf, *leaf.overrode))
        for path, leaf in leaves(merged)
    }


@few
@given(st.lists(maps(1), min_size=2, max_size=4))
def test_values_without_operations_merge_by_helms_rule(values: list[Data]) -> None:
    """Maps deep, scalars and lists whole, null for what is deleted."""
    merged = laid(*(node(value, str(index)) for index, value in enumerate(values))).data()
    expected = values[0]
    for value in values[1:]:
        expected = by_hand(expected, value)
    assert without_nulls(merged) == without_nulls(expected)


@few
@given(maps(1), maps(1))
def test_laying_changes_neither_side(lower: Data, upper: Data) -> None:
    """Nodes are values: both are after the merge what they were before it."""
    below, above = node(lower, "1"), node(upper, "2")
    laid(below, above)
    assert (below, above) == (node(lower, "1"), node(upper, "2"))


@few
@given(maps(1), maps(1))
def test_every_value_comes_from_one_side_and_knows_the_other(lower: Data, upper: Data) -> None:
    """A leaf is from the upper layer exactly where the upper one names it, and then keeps what it overrode."""
    below, above = node(lower, "1"), node(upper, "2")
    for path, leaf in leaves(laid(below, above)):
        named, lost = above.get(*path), below.get(*path)
        if leaf.origin.file == "2" and not isinstance(leaf, MapNode):
            assert named is not None
            assert [other.origin for other in leaf.overrode] == ([] if lost is None else [lost.origin])


@few
@given(maps(1))
def test_an_empty_layer_changes_nothing(value: Data) -> None:
    """Above or below."""
    empty = node({}, "empty")
    assert laid(node(value, "1"), empty).data() == value
    assert laid(empty, node(value, "1")).data() == value


def test_what_is_untouched_is_shared() -> None:
    """The very same node, not a copy: a thousand instances of a chart cost what they change."""
    chart = node({"a": {"x": 1}, "d": {"y": {"z": 2}, "w": {"v": 3}}}, "chart")
    merged = laid(chart, node({"d": {"w": {"v": 4}}}, "site"))
    assert merged.get("a") is chart.get("a") if isinstance(merged, MapNode) else False
    assert merged.get("d", "y") is chart.get("d", "y") if isinstance(merged, MapNode) else False


def test_the_same_two_nodes_give_the_very_same_node() -> None:
    """So instances share what they have in common."""
    lower, upper = node({"a": {"x": 1}}, "1"), node({"a": {"x": 2}}, "2")
    with collecting() as mistakes:
        law = Law(mistakes)
        assert law.over(lower, upper) is law.over(lower, upper)
