"""Disruption budgets: how many pods of a workload a drain may take at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from compiler.model.manifest import Bundle, Manifest
from compiler.model.names import InstanceName
from compiler.relations.untyped import Map, mapping
from compiler.survival.pods import STAYING, Pods, share
from compiler.survival.selectors import selects


class Protection(StrEnum):
    """What a budget is to the workload that it selects."""

    NONE = "none"
    HOLDS = "holds"
    BLOCKS = "blocks"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Budget:
    """A disruption budget, the pods it selects, and the disruptions that it allows while all of them are well."""

    owner: InstanceName
    manifest: Manifest
    selected: tuple[Pods, ...]
    allowed: int

    @property
    def count(self) -> int:
        """How many pods it selects."""
        return sum(each.count for each in self.selected)

    def protection(self, needed: int) -> Protection:
        """What it does for a workload of which ``needed`` pods must stay.

        It blocks every drain where it allows none; it is idle where it lets a drain take more than can be spared.
        """
        if self.allowed <= 0:
            return Protection.BLOCKS
        return Protection.IDLE if self.count - self.allowed < needed else Protection.HOLDS


def budgets(bundles: Iterable[Bundle], pods: Sequence[Pods]) -> tuple[Budget, ...]:
    """Every disruption budget of the site that selects pods."""
    homes = _homes(pods)
    found = []
    for bundle in bundles:
        for manifest in bundle.manifests:
            if manifest.id.kind == "PodDisruptionBudget":
                spec = mapping(manifest.data(), "spec")
                near = _near(manifest.id.namespace, mapping(spec, "selector"), homes)
                selected = tuple(each for each in near if selects(spec.get("selector"), each.labels))
                if selected:
                    count = sum(each.count for each in selected)
                    found.append(Budget(bundle.instance, manifest, selected, _allowed(spec, count)))
    return tuple(found)


_Homes: TypeAlias = dict[tuple[str, str, str], list[Pods]]
"""Pods by namespace, and by each of their labels; under no label, all of the namespace."""


def _homes(pods: Sequence[Pods]) -> _Homes:
    homes: _Homes = {}
    for each in pods:
        if each.kind in STAYING and each.count:
            for key, value in (("", ""), *each.labels.items()):
                homes.setdefault((each.manifest.id.namespace, key, value), []).append(each)
    return homes


def _near(namespace: str, selector: Map, homes: _Homes) -> Sequence[Pods]:
    """The pods that have one label that the selector asks for, the rarest; all, where it asks for none."""
    wanted = mapping(selector, "matchLabels").items() or {"": ""}.items()
    return min((homes.get((namespace, key, str(value)), []) for key, value in wanted), key=len)


def _allowed(spec: Map, count: int) -> int:
    """Kubernetes, "Specifying a Disruption Budget": percentages are rounded up, of both kinds."""
    if "maxUnavailable" in spec:
        return share(spec["maxUnavailable"], count)
    return count - share(spec.get("minAvailable", 1), count)


def by_workload(found: Iterable[Budget]) -> Mapping[tuple[str, str], Budget]:
    """The strictest budget of each workload, by its instance and object."""
    strictest: dict[tuple[str, str], Budget] = {}
    for budget in found:
        for each in budget.selected:
            key = (each.instance, str(each.manifest.id))
            if key not in strictest or budget.allowed < strictest[key].allowed:
                strictest[key] = budget
    return strictest
