"""A picture for Graphviz (https://graphviz.org/doc/info/lang.html)."""

from __future__ import annotations

from compiler.graph.picture import Box, Picture


def dot(picture: Picture) -> str:
    """A digraph: a cluster for each instance, bold along the critical path, dashed boxes for what gates nothing."""
    names = {box: f"v{number}" for number, box in enumerate(sorted(picture.waves))}
    lines = ["digraph site {", "  rankdir=LR", "  node [shape=box]"]
    for frame, boxes in picture.frames.items():
        inside = [f'{names[box]} [label="{box.label}"{_style(picture, box)}]' for box in boxes]
        if frame:
            head = [f"  subgraph cluster_{names[boxes[0]]} {{", f'    label="{frame}"']
            lines += [*head, *(f"    {each}" for each in inside), "  }"]
        else:
            lines += [f"  {each}" for each in inside]
    for arrow in picture.nearest:
        bold = " [style=bold]" if arrow in picture.bold else ""
        lines.append(f"  {names[arrow[0]]} -> {names[arrow[1]]}{bold}")
    return "\n".join([*lines, "}", ""])


def _style(picture: Picture, box: Box) -> str:
    if box in picture.critical:
        return ", style=bold"
    return ", style=dashed" if box in picture.soft else ""
