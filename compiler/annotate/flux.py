"""Flux: a GitRepository, a Kustomization for each component, and the root that a user applies.

Inside a Kustomization nothing is ordered but Namespaces and definitions, so every vertex of the plan has one of its
own: ``wait`` makes it ready when its workloads are, ``dependsOn`` names exactly the vertices that its edges come from.
A dependency must also have applied the same revision of the GitRepository: every commit walks the graph in order.

Why a vertex and not a level: kustomize-controller prunes what leaves a Kustomization unless another one already owns it
(``internal/controller``: ``deleteObjects`` deletes what carries its owner labels). Were a Kustomization named after a
level, a dependency added anywhere could move a database to the next one, whose turn comes only after the first has
deleted it. What is named after a component keeps its objects.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

from compiler.annotate.lifecycles import lifecycle
from compiler.annotate.names import below_output, delivery_name, kustomization_name
from compiler.model.data import Data
from compiler.model.manifest import Bundle, Manifest
from compiler.model.plan import Plan, Vertex
from compiler.model.site import Flux, Site
from compiler.model.tree import Document, object_path

FOLDER: Final = "flux"
OBJECTS: Final = "flux/objects"
"""What the root applies. No Kustomization's folder is called so: their names begin with the site's and have a dot."""

_RETRY: Final = "1m"
_SOURCE: Final = "gitrepository.source.toolkit.fluxcd.io"
_KUSTOMIZATION: Final = "kustomization.kustomize.toolkit.fluxcd.io"
_READY: Final = "status.conditions.exists(e, e.type == 'Ready' && e.status == 'True')"
_READY_WHEN: Final = {
    ("cert-manager.io", "Certificate"): _READY,
    ("cert-manager.io", "ClusterIssuer"): _READY,
    ("cert-manager.io", "Issuer"): _READY,
    ("external-secrets.io", "ExternalSecret"): _READY,
}
"""Kinds that would count as healthy before their controller has looked at them: without a status, kstatus says so."""

_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def documents(site: Site, bundles: tuple[Bundle, ...], plan: Plan) -> Iterator[Document]:
    """Every Flux object of ``site``, and every ``kustomization.yaml``; none where it is not delivered by Flux."""
    flux = site.delivery.flux
    if flux is None:
        return
    root = delivery_name(site.name)
    objects = {f"{_SOURCE}.{root}": _repository(site, flux), f"{_KUSTOMIZATION}.{root}": _root(site, flux)}
    waits_for = _waits_for(plan)
    for vertex, applied in sorted(_applied(bundles, plan).items()):
        name = kustomization_name(site.name, vertex)
        before = sorted(kustomization_name(site.name, one) for one in waits_for.get(vertex, ()))
        gates = _gates(applied.values()) if vertex in plan.gating else {"wait": False}
        objects[f"{_KUSTOMIZATION}.{name}"] = _kustomization(site, flux, name, {**gates, **_depends_on(before)})
        yield Document(f"{FOLDER}/{name}/kustomization.yaml", _listing(f"../../{path}" for path in sorted(applied)))
    for file, content in objects.items():
        yield Document(f"{OBJECTS}/{file}.yaml", content)
    yield Document(f"{FOLDER}/kustomization.yaml", _listing(f"objects/{file}.yaml" for file in sorted(objects)))


def _applied(bundles: tuple[Bundle, ...], plan: Plan) -> Mapping[Vertex, Mapping[str, Manifest]]:
    """Every object that Flux is given by its path, by the vertex that it is applied with."""
    found: defaultdict[Vertex, dict[str, Manifest]] = defaultdict(dict)
    for bundle in bundles:
        for manifest in bundle.manifests:
            if lifecycle(manifest).flux is None:
                continue
            found[plan.homes[manifest.id]][object_path(bundle.instance, manifest.id)] = manifest
    return found


def _waits_for(plan: Plan) -> Mapping[Vertex, set[Vertex]]:
    found: defaultdict[Vertex, set[Vertex]] = defaultdict(set)
    for edge in plan.edges:
        found[edge.after].add(edge.before)
    return found


def _listing(resources: Iterable[str]) -> dict[str, Data]:
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(resources),
    }


def _gates(manifests: Iterable[Manifest]) -> dict[str, Data]:
    """Ready when its workloads are. What gates nothing is ready when it is applied, so that it never stands still."""
    versions = {(one.id.group, one.id.kind): one.api_version for one in manifests}
    expressions: list[Data] = [
        {"apiVersion": versions[kind], "kind": kind[1], "current": expression}
        for kind, expression in _READY_WHEN.items()
        if kind in versions
    ]
    return {"wait": True, **({"healthCheckExprs": expressions} if expressions else {})}


def _depends_on(names: list[str]) -> dict[str, Data]:
    return {"dependsOn": [{"name": name} for name in names]} if names else {}


def _root(site: Site, flux: Flux) -> dict[str, Data]:
    """Applies the Flux objects, itself among them, from Git from then on."""
    return _kustomization(
        site, flux, delivery_name(site.name), {"wait": False, "path": f"./{below_output(site, FOLDER)}"}
    )


def _kustomization(site: Site, flux: Flux, name: str, spec: dict[str, Data]) -> dict[str, Data]:
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": name, "namespace": flux.namespace},
        "spec": {
            "interval": flux.interval,
            "retryInterval": _RETRY,
            "timeout": flux.timeout,
            "sourceRef": {"kind": "GitRepository", "name": delivery_name(site.name)},
            "path": f"./{below_output(site, FOLDER, name)}",
            "prune": True,
            "force": False,
            **spec,
        },
    }


def _repository(site: Site, flux: Flux) -> dict[str, Data]:
    return {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": delivery_name(site.name), "namespace": flux.namespace},
        "spec": {
            "url": site.delivery.url,
            "ref": _reference(site.delivery.revision),
            "interval": flux.interval,
            "ignore": _ignore(site.delivery.output),
        },
    }


def _reference(revision: str) -> dict[str, Data]:
    if revision.startswith("refs/"):
        return {"name": revision}
    return {"commit": revision} if _COMMIT.fullmatch(revision) else {"branch": revision}


def _ignore(output: str) -> str:
    """Everything but the output directory, as ``.gitignore`` says it: every Kustomization fetches the artifact."""
    lines = []
    folder = PurePosixPath("/")
    for part in PurePosixPath(output).parts:
        lines += [f"{folder / '*'}", f"!{folder / part}"]
        folder /= part
    return "".join(f"{line}\n" for line in lines)
