"""Levels are topological, as few as can be, and stable."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import islice, pairwise, permutations
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.graph.levels import levels, longest_chain
from compiler.model.circles import groups

EXAMPLE = {"api": ["sync", "cache"], "sync": ["database"], "database": [], "cache": []}

Graph = Mapping[int, frozenset[int]]


SIZE: Final = 7
"""Small enough for brute force, large enough for two chains and a circle."""


def _graph(matrix: int, *, acyclic: bool) -> Graph:
    """The graph whose edges are the bits of ``matrix``; without circles, a vertex waits for smaller ones only."""
    bits = {(row, column): matrix >> (row * SIZE + column) & 1 for row in range(SIZE) for column in range(SIZE)}
    return {
        row: frozenset(
            column for column in range(SIZE) if bits[row, column] and (column < row if acyclic else column != row)
        )
        for row in range(SIZE)
    }


MATRICES: Final = st.integers(0, 2 ** (SIZE * SIZE) - 1)
SPARSE: Final = st.builds(lambda one, other, third: one & other & third, MATRICES, MATRICES, MATRICES)
ACYCLIC: Final = st.one_of(MATRICES, SPARSE).map(lambda matrix: _graph(matrix, acyclic=True))
ANY: Final = SPARSE.map(lambda matrix: _graph(matrix, acyclic=False))
NO_CLOCK: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)


def test_the_example_of_the_documentation() -> None:
    """A cache stands beside the database, although only the last component asks for it."""
    assert levels(EXAMPLE) == {"cache": 0, "database": 0, "sync": 1, "api": 2}
    assert longest_chain(EXAMPLE, levels(EXAMPLE)) == ("database", "sync", "api")


@given(ACYCLIC)
@NO_CLOCK
def test_a_level_is_the_longest_way_to_a_vertex(graph: Graph) -> None:
    """Brute force says the same: one more than the highest of what it waits for, and so as few levels as there can be."""

    @cache
    def longest(vertex: int) -> int:
        return max((longest(before) + 1 for before in graph[vertex]), default=0)

    assert levels(graph) == {vertex: longest(vertex) for vertex in graph}


@given(ACYCLIC)
@NO_CLOCK
def test_whatever_waits_stands_higher(graph: Graph) -> None:
    found = levels(graph)
    assert all(found[before] < found[vertex] for vertex, all_before in graph.items() for before in all_before)


@given(ACYCLIC)
@NO_CLOCK
def test_the_order_of_writing_changes_nothing(graph: Graph) -> None:
    """Equal graphs give equal results in equal order, however they are listed."""
    expected = list(levels(graph).items())
    for order in islice(permutations(graph), 0, 5040, 500):
        assert list(levels({vertex: graph[vertex] for vertex in order}).items()) == expected


@given(ACYCLIC, st.frozensets(st.integers(0, SIZE - 1)))
@NO_CLOCK
def test_a_new_vertex_moves_only_those_that_wait_for_it(graph: Graph, asked: frozenset[int]) -> None:
    """One more vertex that nobody waits for leaves every level as it was."""
    more = {**graph, 99: asked & frozenset(graph)}
    assert {vertex: level for vertex, level in levels(more).items() if vertex != 99} == levels(graph)


@given(ACYCLIC)
@NO_CLOCK
def test_the_longest_chain_has_a_vertex_of_every_level(graph: Graph) -> None:
    found = levels(graph)
    chain = longest_chain(graph, found)
    assert [found[vertex] for vertex in chain] == list(range(len(set(found.values()))))
    assert all(before in graph[after] for before, after in pairwise(chain))


@given(ANY)
@NO_CLOCK
def test_what_waits_in_a_circle_or_behind_one_has_no_level(graph: Graph) -> None:
    """Brute force: follow everything that a vertex waits for; whoever can come back to somebody has no beginning."""

    def reach(vertex: int) -> set[int]:
        seen: set[int] = set()
        queue = [vertex]
        while queue:
            for before in graph[queue.pop()] - seen:
                seen.add(before)
                queue.append(before)
        return seen

    circling = {vertex for vertex in graph if vertex in reach(vertex)}
    assert set(levels(graph)) == {vertex for vertex in graph if not (reach(vertex) | {vertex}) & circling}


@given(ANY)
@NO_CLOCK
def test_groups_are_those_that_can_reach_one_another(graph: Graph) -> None:
    """Brute force over every pair; each group comes after the groups it leads to."""

    def reaches(start: int, goal: int) -> bool:
        seen, queue = {start}, [start]
        while queue:
            for one in graph[queue.pop()] - seen:
                seen.add(one)
                queue.append(one)
        return goal in seen

    found = list(groups(graph))
    of = {vertex: number for number, group in enumerate(found) for vertex in group}
    assert sorted(of) == sorted(graph)
    for one in graph:
        for other in graph:
            assert (of[one] == of[other]) == (reaches(one, other) and reaches(other, one))
        assert all(of[target] <= of[one] for target in graph[one])


@pytest.mark.parametrize("length", [5_000])
def test_depth_is_not_bounded_by_the_stack(length: int) -> None:
    """A chain of thousands is ordered like any other."""
    chain = {number: [number - 1] if number else [] for number in range(length)}
    assert levels(chain)[length - 1] == length - 1
    assert len(list(groups(chain))) == length
