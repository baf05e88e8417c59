"""Selectors of Kubernetes: of labels, of nodes, and what taints let through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from compiler.model.data import Data
from compiler.model.topology import Taint
from compiler.relations.untyped import Map, items, mapping

Labels = Mapping[str, str]

_KEEPS_OFF: Final = frozenset({"NoSchedule", "NoExecute"})


def selects(selector: Data | Map, labels: Labels) -> bool:
    """Whether a label selector (`matchLabels`, `matchExpressions`) selects ``labels``; an empty one selects all.

    >>> selects({"matchLabels": {"a": "1"}}, {"a": "1", "b": "2"}), selects({}, {}), selects(None, {})
    (True, True, False)
    """
    if not isinstance(selector, Mapping):
        return False
    equal = all(labels.get(key) == value for key, value in mapping(selector, "matchLabels").items())
    return equal and all(holds(each, labels) for each in items(selector, "matchExpressions"))


def holds(expression: Map, labels: Labels) -> bool:
    """Whether one expression (`key`, `operator`, `values`) is true of ``labels``. An unknown operator never is.

    >>> holds({"key": "a", "operator": "NotIn", "values": ["1"]}, {"a": "2"})
    True
    >>> holds({"key": "cores", "operator": "Gt", "values": ["8"]}, {"cores": "16"})
    True
    """
    found = labels.get(str(expression.get("key")))
    listed = expression.get("values")
    values = [str(value) for value in listed] if isinstance(listed, list) else []
    match expression.get("operator"):
        case "In":
            return found in values
        case "NotIn":
            return found not in values
        case "Exists":
            return found is not None
        case "DoesNotExist":
            return found is None
        case "Gt" | "Lt" as operator:
            return _compares(found, values, above=operator == "Gt")
        case _:
            return False


def _compares(found: str | None, values: list[str], *, above: bool) -> bool:
    try:
        return int(found or "") > int(values[0]) if above else int(found or "") < int(values[0])
    except (ValueError, IndexError):
        return False


def node_admits(spec: Map, labels: Labels, name: str) -> bool:
    """Whether a node with ``labels`` is what the node selector and the required node affinity of a pod ask for."""
    if not all(labels.get(key) == value for key, value in mapping(spec, "nodeSelector").items()):
        return False
    required = mapping(spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    terms = list(items(required, "nodeSelectorTerms"))
    return not terms or any(_term(term, labels, name) for term in terms)


def _term(term: Map, labels: Labels, name: str) -> bool:
    """An empty term selects nothing, as the scheduler has it."""
    expressions, fields = list(items(term, "matchExpressions")), list(items(term, "matchFields"))
    if not expressions and not fields:
        return False
    named = {"metadata.name": name}
    return all(holds(each, labels) for each in expressions) and all(holds(each, named) for each in fields)


def tolerated(taints: tuple[Taint, ...], spec: Map) -> bool:
    """Whether the pod tolerates every taint that would keep it off the node."""
    tolerations = list(items(spec, "tolerations"))
    return all(
        any(_tolerates(toleration, taint) for toleration in tolerations)
        for taint in taints
        if taint.effect in _KEEPS_OFF
    )


def _tolerates(toleration: Map, taint: Taint) -> bool:
    if toleration.get("effect") not in {None, "", taint.effect}:
        return False
    if toleration.get("key") not in {None, "", taint.key}:
        return False
    return toleration.get("operator") == "Exists" or str(toleration.get("value") or "") == taint.value
