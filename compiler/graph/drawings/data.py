"""A picture for machines."""

from __future__ import annotations

from compiler.graph.picture import Box, Picture
from compiler.model.data import Data
from compiler.model.plan import Edge


def data(picture: Picture) -> dict[str, Data]:
    """Every box with its wave, every arrow with its reasons and their places, whether or not it follows from others."""
    nearest, critical = frozenset(picture.nearest), frozenset(picture.critical)
    return {
        "level": picture.level.value,
        "waves": len(picture.columns),
        "nodes": [
            {**_node(picture, box), "critical": box in critical} for boxes in picture.columns.values() for box in boxes
        ],
        "edges": [
            {
                "before": arrow[0].name,
                "after": arrow[1].name,
                "follows": arrow not in nearest,
                "because": [_because(edge) for edge in edges],
            }
            for arrow, edges in picture.arrows.items()
        ],
        "dropped": [_not_kept(edge) for edge in picture.dropped],
        "yielded": [_not_kept(edge) for edge in picture.yielded],
        "criticalPath": [box.name for box in picture.critical],
    }


def _node(picture: Picture, box: Box) -> dict[str, Data]:
    return {"name": box.name, "in": box.frame, "wave": picture.waves[box], "gates": box not in picture.soft}


def _not_kept(edge: Edge) -> dict[str, Data]:
    return {"before": str(edge.before), "after": str(edge.after), **_because(edge)}


def _because(edge: Edge) -> dict[str, Data]:
    return {"why": edge.why, "place": str(edge.origin)}
