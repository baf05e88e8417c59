"""A picture as SVG: a column for each wave, a colour for each frame, thick along the critical path.

igraph places the boxes (Sugiyama's layered layout, which keeps crossings few) and bends the arrows around them; the
columns are given to it, so a box always stands in its wave. What is written here is the drawing.
"""

from __future__ import annotations

import colorsys
import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from compiler.graph.picture import Arrow, Box, Level, Picture

_CHARACTER: Final = 7.0
_LINE: Final = 15
_HEIGHT: Final = 2 * _LINE + 8
_ROW: Final = _HEIGHT + 12
_GAP: Final = 56
_MARGIN: Final = 24
_HEAD: Final = 34
_GOLDEN: Final = 0.618033988749895
"""Of the circle of hues: neighbours in a list get colours far apart, however many there are."""

_STYLE: Final = (
    "text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#1b1f24}"
    ".wave{font-weight:bold;fill:#57606a}.frame{fill:#57606a;font-size:11px}"
    ".arrow{fill:none;stroke:#8c959f;stroke-width:1.2}.critical{stroke:#cf222e!important;stroke-width:2.6!important}"
    ".box{stroke:#57606a;stroke-width:1}.soft{stroke-dasharray:5 3}.band{fill:#f6f8fa}"
)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where everything stands: boxes by their middle in rows, arrows by the rows that they pass in each column."""

    rows: Mapping[Box, float]
    bends: Mapping[Arrow, tuple[tuple[int, float], ...]]


def svg(picture: Picture) -> str:
    """The drawing, as one self-contained file. The same picture gives the same bytes."""
    columns = _columns(picture)
    layout = _layout(picture)
    top = min(layout.rows.values(), default=0.0)
    bottom = max(layout.rows.values(), default=0.0)
    width = max((at + wide for at, wide in columns.values()), default=0.0) + _MARGIN
    height = _HEAD + _MARGIN + (bottom - top + 1) * _ROW
    page = _Page(picture, columns, layout, top)
    body = [*_bands(picture, columns, height), *page.arrows(), *page.boxes()]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}">'
    )
    return "\n".join([head, f"<style>{_STYLE}</style>", _MARKERS, *body, "</svg>", ""])


_MARKERS: Final = "".join(
    f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="{size}" markerHeight="{size}" orient="auto" '
    f'markerUnits="userSpaceOnUse"><path d="M0 0L8 4L0 8z" fill="{fill}"/></marker>'
    for name, size, fill in (("tip", 8, "#8c959f"), ("bold", 11, "#cf222e"))
)


def _columns(picture: Picture) -> Mapping[int, tuple[float, float]]:
    """Where each wave begins and how wide it is: as wide as its longest words."""
    found: dict[int, tuple[float, float]] = {}
    at = float(_MARGIN)
    for wave, boxes in picture.columns.items():
        longest = max(max(len(box.label), len(box.frame)) for box in boxes)
        wide = longest * _CHARACTER + 20
        found[wave] = (at, wide)
        at += wide + _GAP
    return found


def _layout(picture: Picture) -> _Layout:
    """The rows that igraph finds. It thinks in layers from top to bottom; here they go from left to right.

    An arrow that passes a column has a place of its own there, so that it passes between boxes.
    """
    import igraph  # noqa: PLC0415 - a tenth of a second that only this drawing needs

    position = {wave: at for at, wave in enumerate(picture.columns)}
    number = {box: at for at, box in enumerate(sorted(picture.waves))}
    layers = [position[picture.waves[box]] for box in number]
    edges: list[tuple[int, int]] = []
    passing: dict[Arrow, range] = {}
    for arrow in picture.nearest:
        first, last = (position[picture.waves[box]] for box in arrow)
        places = range(len(layers), len(layers) + max(last - first - 1, 0))
        layers += range(first + 1, last)
        edges += pairwise((number[arrow[0]], *places, number[arrow[1]])) if first != last else ()
        passing[arrow] = places
    graph = igraph.Graph(len(layers), edges, directed=True)
    rows = [float(x) for x, _ in graph.layout_sugiyama(layers=layers, hgap=1, vgap=1, maxiter=500)]
    waves = tuple(picture.columns)
    return _Layout(
        {box: rows[at] for box, at in number.items()},
        {arrow: tuple((waves[layers[at]], rows[at]) for at in places) for arrow, places in passing.items()},
    )


def _bands(picture: Picture, columns: Mapping[int, tuple[float, float]], height: float) -> Iterator[str]:
    word = "rank" if picture.level is Level.INSTANCE else "wave"
    for number, (wave, (at, wide)) in enumerate(columns.items()):
        if number % 2 == 0:
            yield (
                f'<rect class="band" x="{at - _GAP / 2:.0f}" y="0" width="{wide + _GAP:.0f}" height="{height:.0f}"/>'
            )
        yield f'<text class="wave" x="{at:.0f}" y="{_HEAD - 12}">{word} {wave}</text>'


@dataclass(frozen=True, slots=True)
class _Page:
    """Rows and columns as points."""

    picture: Picture
    columns: Mapping[int, tuple[float, float]]
    layout: _Layout
    top: float

    def _y(self, row: float) -> float:
        return _HEAD + (row - self.top) * _ROW + _HEIGHT / 2

    def boxes(self) -> Iterator[str]:
        """Every box, with its frame above its label."""
        frames = sorted({box.frame for box in self.picture.waves})
        fills = {frame: _pale(number) for number, frame in enumerate(frames)}
        for box in sorted(self.picture.waves):
            at, wide = self.columns[self.picture.waves[box]]
            y = self._y(self.layout.rows[box]) - _HEIGHT / 2
            style = f"box{' soft' if box in self.picture.soft else ''}{self._critical(box)}"
            yield (
                f'<g><title>{html.escape(box.name)}</title><rect class="{style}" x="{at:.0f}" y="{y:.0f}" '
                f'width="{wide:.0f}" height="{_HEIGHT}" rx="5" fill="{fills[box.frame]}"/>'
                f'<text class="frame" x="{at + 10:.0f}" y="{y + _LINE:.0f}">{html.escape(box.frame)}</text>'
                f'<text x="{at + 10:.0f}" y="{y + 2 * _LINE + 1:.0f}">{html.escape(box.label)}</text></g>'
            )

    def _critical(self, box: Box) -> str:
        return " critical" if box in self.picture.critical else ""

    def arrows(self) -> Iterator[str]:
        """Every arrow; those of the critical path last, above the others."""
        for arrow in sorted(self.layout.bends, key=lambda arrow: (arrow in self.picture.bold, arrow)):
            bold = arrow in self.picture.bold
            style, tip = ("arrow critical", "bold") if bold else ("arrow", "tip")
            yield f'<path class="{style}" marker-end="url(#{tip})" d="{_curve(tuple(self._points(arrow)))}"/>'

    def _points(self, arrow: Arrow) -> Iterator[tuple[float, float]]:
        before, after = arrow
        at, wide = self.columns[self.picture.waves[before]]
        yield at + wide, self._y(self.layout.rows[before])
        for wave, row in self.layout.bends[arrow]:
            left, through = self.columns[wave]
            yield left, self._y(row)
            yield left + through, self._y(row)
        yield self.columns[self.picture.waves[after]][0], self._y(self.layout.rows[after])


def _pale(number: int) -> str:
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(number * _GOLDEN % 1, 0.92, 0.6))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """Through every point; between columns a curve that leaves and arrives level."""
    parts = [f"M{points[0][0]:.0f} {points[0][1]:.0f}"]
    for (x, y), (to_x, to_y) in pairwise(points):
        middle = (x + to_x) / 2
        parts.append(f"C{middle:.0f} {y:.0f} {middle:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}")
    return "".join(parts)
