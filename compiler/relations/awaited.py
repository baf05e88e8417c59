"""Who is behind what pods wait for: the workloads of a site, found as kubernetes-entrypoint and the kubelet find them.

A Service answers where a pod that it selects is ready; a Job, a DaemonSet or pods with given labels are looked up by
their names or labels, in one namespace. Selectors look at every pod of the namespace, whichever instance it is of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from compiler.model.manifest import Manifest, Reference
from compiler.relations.waits import labels_of

Pairs = tuple[tuple[str, str], ...]


class Awaited:
    """Every workload of ``manifests`` by what may be waited for of it. Made once for a site; asked often."""

    def __init__(self, manifests: Iterable[Manifest]) -> None:
        self._named: dict[tuple[str, str, str], Manifest] = {}
        self._labelled: defaultdict[tuple[str, tuple[str, str]], list[Manifest]] = defaultdict(list)
        for manifest in manifests:
            self._named[manifest.id.kind, manifest.id.namespace, manifest.id.name] = manifest
            for pair in manifest.workload.pod_labels if manifest.workload is not None else ():
                self._labelled[manifest.id.namespace, pair].append(manifest)

    def behind(self, wait: Reference) -> tuple[Manifest, ...]:
        """The objects without which ``wait`` never ends, in order of identity; none where nobody provides it.

        For a Service they are the workloads that it selects, or itself where it selects none (an external name, or
        endpoints that somebody else writes).
        """
        named = self._named.get((wait.kind, wait.namespace, wait.name))
        if named is not None and wait.kind == "Service" and named.selects:
            return self._selected(wait.namespace, named.selects)
        if named is not None:
            return (named,)
        found = self._selected(wait.namespace, labels_of(wait.name))
        return tuple(one for one in found if wait.kind in {"Pod", one.id.kind})

    def elsewhere(self, kind: str, name: str) -> tuple[Manifest, ...]:
        """Objects of that kind and name in any namespace, in order of identity."""
        found = (one for (of, _, called), one in self._named.items() if (of, called) == (kind, name))
        return tuple(sorted(found, key=lambda one: one.id))

    def _selected(self, namespace: str, labels: Pairs) -> tuple[Manifest, ...]:
        return tuple(sorted(self._matching(namespace, labels), key=lambda one: one.id))

    def _matching(self, namespace: str, labels: Pairs) -> Iterator[Manifest]:
        candidates = min((self._labelled.get((namespace, pair), []) for pair in labels), key=len, default=[])
        for found in candidates:
            if found.workload is not None and set(labels) <= set(found.workload.pod_labels):
                yield found
