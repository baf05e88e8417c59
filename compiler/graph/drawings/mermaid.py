"""A picture for Mermaid, which code hosts draw inside a page."""

from __future__ import annotations

from compiler.graph.picture import Picture


def mermaid(picture: Picture) -> str:
    """A flowchart: a frame for each instance, thick along the critical path, dashed boxes for what gates nothing."""
    names = {box: f"v{number}" for number, box in enumerate(sorted(picture.waves))}
    lines = ["flowchart LR"]
    for frame, boxes in picture.frames.items():
        inside = [f'{names[box]}["{box.label}"]' for box in boxes]
        if frame:
            lines += [f'  subgraph {names[boxes[0]]}i["{frame}"]', *(f"    {each}" for each in inside), "  end"]
        else:
            lines += [f"  {each}" for each in inside]
    for arrow in picture.nearest:
        lines.append(f"  {names[arrow[0]]} {'==>' if arrow in picture.bold else '-->'} {names[arrow[1]]}")
    lines += ["  classDef critical stroke-width:3px", "  classDef ungated stroke-dasharray:4"]
    lines += [f"  class {names[box]} critical" for box in picture.critical]
    lines += [f"  class {names[box]} ungated" for box in sorted(picture.soft)]
    return "\n".join([*lines, ""])
