"""A picture in words."""

from __future__ import annotations

from compiler.graph.picture import Box, Level, Picture

_WHAT = {Level.INSTANCE: "rank", Level.COMPONENT: "wave", Level.OBJECT: "wave"}


def text(picture: Picture) -> str:
    """One line a box, under its wave: what it comes after, ``*`` on the critical path, ``~`` if it gates nothing.

    What follows from others is left out. Ends in the critical path, first to last, and in the edges that were dropped,
    or that yielded to the rest of the order.
    """
    before = picture.after(picture.nearest)
    width = max((len(box.name) for box in picture.waves), default=0)
    lines: list[str] = []
    for wave, boxes in picture.columns.items():
        lines.append(f"{_WHAT[picture.level]} {wave}")
        for box in boxes:
            after = ", ".join(one.name for one in before.get(box, ()))
            lines.append(f"  {_mark(picture, box)} {box.name:<{width}}  {f'after {after}' if after else ''}".rstrip())
    path = " -> ".join(box.name for box in picture.critical)
    dropped = [f"dropped: {edge.after} after {edge.before}, which gates nothing" for edge in picture.dropped]
    yielded = [f"yielded: {edge.after} after {edge.before}, which comes after it" for edge in picture.yielded]
    return "\n".join([*lines, f"critical path: {path}", *dropped, *yielded, ""])


def _mark(picture: Picture, box: Box) -> str:
    if box in picture.critical:
        return "*"
    return "~" if box in picture.soft else " "
