"""The worst placement is the worst: compared with every placement there is, on small sites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from hypothesis import example, given, settings
from hypothesis import strategies as st

from compiler.survival.worst import Cell, Evenness, Law, Worst, worst

CELLS = st.lists(
    st.builds(Cell, hosts=st.integers(1, 2), cap=st.integers(0, 2), zone=st.sampled_from("abc")), min_size=1, max_size=3
)
EVEN = st.none() | st.builds(Evenness, skew=st.integers(1, 2), floored=st.booleans())
LAWS = st.builds(Law, count=st.integers(1, 5), over_hosts=EVEN, over_zones=EVEN, zone=st.none() | st.integers(1, 3))


def keeps(counts: Sequence[int], evenness: Evenness | None) -> bool:
    """Whether the scheduler's rule of skew holds between these domains."""
    if evenness is None:
        return True
    return max(counts) - (0 if evenness.floored else min(counts)) <= evenness.skew


def placements(cells: Sequence[Cell], law: Law) -> Iterator[tuple[int, ...]]:
    """Every count of pods on every host that keeps the law, of any number of pods up to what is wanted."""
    caps = [cell.cap for cell in cells for _ in range(cell.hosts)]
    zones = [cell.zone for cell in cells for _ in range(cell.hosts)]
    for counts in product(*(range(cap + 1) for cap in caps)):
        sums = [sum(n for n, zone in zip(counts, zones, strict=True) if zone == each) for each in dict.fromkeys(zones)]
        fits = sum(counts) <= law.count and all(law.zone is None or each <= law.zone for each in sums)
        if fits and keeps(counts, law.over_hosts) and keeps(sums, law.over_zones):
            yield counts


def searched(cells: Sequence[Cell], law: Law, lost: Mapping[int, int]) -> Worst:
    """The same answer by trying everything."""
    away = [host < lost.get(index, 0) for index, cell in enumerate(cells) for host in range(cell.hosts)]
    found = list(placements(cells, law))
    placed = max(sum(counts) for counts in found)
    taken = [sum(n for n, gone in zip(counts, away, strict=True) if gone) for counts in found if sum(counts) == placed]
    return Worst(max(taken), placed)


@settings(max_examples=300)
@given(CELLS, LAWS, st.data())
@example([Cell(2, 1, "a"), Cell(2, 1, "b"), Cell(1, 1, "c")], Law(5, Evenness(1), Evenness(1)), None)
def test_the_closed_form_is_what_a_search_finds(cells: list[Cell], law: Law, data: st.DataObject | None) -> None:
    lost = (
        {0: 1}
        if data is None
        else {
            index: data.draw(st.integers(0, cell.hosts), label=f"lost of {index}") for index, cell in enumerate(cells)
        }
    )
    assert worst(cells, law, lost) == searched(cells, law, lost)
