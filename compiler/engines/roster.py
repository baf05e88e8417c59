"""Everything that tells an engine what to apply: read once for each revision, and told apart from what was before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from compiler.engines.cluster import Cluster
from compiler.engines.objects import Applied
from compiler.engines.revision import Revision
from compiler.model.manifest import ObjectId


class Part(Protocol):
    """An Application or a Kustomization."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...


P = TypeVar("P", bound=Part)


class Roster(Generic[P]):
    """The objects of ``kind`` that exist on a cluster: ``roots`` by a user's hand, the others once they are applied.

    ``read`` says what one comes to at a revision; ``present`` are all of them as they were when ``renew`` was called.
    """

    def __init__(
        self,
        cluster: Cluster,
        roots: Sequence[Applied],
        kind: tuple[str, str],
        read: Callable[[Applied, Revision], P],
    ) -> None:
        self._cluster, self._roots, self._kind, self._read = cluster, tuple(roots), kind, read
        self._known: dict[tuple[ObjectId, str, str], P] = {}
        self._ids: Mapping[str, ObjectId] = {}
        self._at = ("", -1)
        self.present: Mapping[str, P] = {}

    def at(self, revision: Revision) -> list[P]:
        """All of them, with what each comes to now, in order of name."""
        found = {root.id.name: root for root in self._roots}
        found |= {each.id.name: each for each in self._cluster.census.delivering(self._kind)}
        self._ids = {name: each.id for name, each in found.items()}
        return [self._one(each, revision) for _, each in sorted(found.items())]

    def _one(self, applied: Applied, revision: Revision) -> P:
        key = (applied.id, applied.text, revision.name)
        if key not in self._known:
            self._known[key] = self._read(applied, revision)
        return self._known[key]

    def exists(self, name: str) -> bool:
        """Whether one that was present is there still."""
        found = self._ids[name]
        return found in self._cluster.objects or any(root.id == found for root in self._roots)

    def renew(self, revision: Revision) -> tuple[set[str], set[str]]:
        """Which of them are new or changed since the last time, and which are gone."""
        at = (revision.name, self._cluster.census.delivered)
        if at == self._at:
            return set(), set()
        before, self._at = self.present, at
        self.present = {each.name: each for each in self.at(revision)}
        changed = {name for name, each in self.present.items() if each is not before.get(name)}
        return changed, before.keys() - self.present.keys()
