"""Measure what the proof of survival costs: 1,000 hosts in 40 racks, 5,000 pods. Run by ``make bench``.

The site is 500 cells of a quorum of three, an API of three, two workers and two that run once, each with requests,
spreads, budgets and volumes; a DaemonSet stands on every host. Figures are of the proof alone: rendering is measured
by ``bench.py``. Nothing fails on a figure: machines differ.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from compiler import survival
from compiler.documents import emit, parse_node
from compiler.errors import collecting
from compiler.layers.topology import topology
from compiler.model.chart import Chart, Component, Contract, Role
from compiler.model.data import Data
from compiler.model.instance import Instance
from compiler.model.manifest import Bundle
from compiler.model.names import ChartName, ComponentName, Digest, EnvironmentName, InstanceName, NamespaceName
from compiler.model.node import MapNode, Origin
from compiler.model.render import RenderedFile, RenderRequest
from compiler.model.site import Delivery, Kubernetes, Secrets, Site
from compiler.model.topology import Topology
from compiler.render.read import read

RACKS: Final = 40
HOSTS: Final = 25
CELLS: Final = 500
PLACE: Final = Origin("bench", 1, 1)
KUBERNETES: Final = Kubernetes("1.35")
ROLES: Final = {
    "server": (Role.QUORUM, "StatefulSet", 3),
    "api": (Role.API, "Deployment", 3),
    "worker": (Role.WORKER, "Deployment", 2),
    "lock": (Role.SINGLETON, "Deployment", 1),
    "clean": (Role.SINGLETON, "Deployment", 1),
}


def site() -> Site:
    """A thousand hosts, four kinds of them, and a storage class that holds a pod on its host."""
    groups: list[Data] = [
        {
            "count": HOSTS,
            "zone": f"rack-{rack}",
            "labels": {"generation": str(rack % 4)},
            "capacity": {"cpu": 32, "memory": f"{128 + 64 * (rack % 4)}Gi"},
        }
        for rack in range(RACKS)
    ]
    document = parse_node(
        emit({"topology": {"hosts": groups, "storageClasses": {"local": {"reach": "host", "default": True}}}}), "bench"
    )
    assert isinstance(document, MapNode)
    return Site(
        name=EnvironmentName("bench"),
        repository=Path("/nowhere"),
        file="bench",
        document=document,
        kubernetes=KUBERNETES,
        secrets=Secrets("external-secrets", PLACE, "vault"),
        delivery=Delivery("rendered/bench"),
        globals=MapNode({}, PLACE),
        declarations=(),
        topology=known(document),
    )


def known(document: MapNode) -> Topology | None:
    """The topology as a site's is read."""
    with collecting() as mistakes:
        return topology(document, mistakes)


def workload(instance: str, component: str, kind: str, count: int) -> Iterator[dict[str, Any]]:
    """A workload as our charts render it, and its budget."""
    labels = {
        "app.kubernetes.io/name": "bench",
        "app.kubernetes.io/instance": instance,
        "app.kubernetes.io/component": component,
    }
    metadata = {"name": f"{instance}-{component}", "namespace": "bench", "labels": labels}
    spread = [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "DoNotSchedule",
            "nodeTaintsPolicy": "Honor",
            "matchLabelKeys": ["pod-template-hash"],
            "labelSelector": {"matchLabels": labels},
        }
        for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
    ]
    container = {"name": component, "image": "bench:1", "resources": {"requests": {"cpu": "2", "memory": "16Gi"}}}
    template = {
        "metadata": {"labels": labels},
        "spec": {"topologySpreadConstraints": spread, "containers": [container]},
    }
    spec = {"replicas": count, "selector": {"matchLabels": labels}, "template": template}
    if kind == "StatefulSet":
        spec["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": {}}]
    if kind == "DaemonSet":
        del spec["replicas"]
    yield {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}
    budget = {"maxUnavailable": 1, "selector": {"matchLabels": labels}}
    yield {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": budget}


def cell(number: int) -> tuple[Instance, Bundle]:
    """One instance and what it rendered."""
    name = InstanceName(f"cell-{number}")
    components = tuple(Component(ComponentName(each), role, PLACE) for each, (role, _, _) in ROLES.items())
    chart = Chart(
        ChartName("bench"), "1.0.0", "1", "charts/bench", Digest(""), contract=Contract(PLACE, components=components)
    )
    objects = [thing for each, (_, kind, count) in ROLES.items() for thing in workload(name, each, kind, count)]
    if number == 0:
        objects += workload(name, "agent", "DaemonSet", 1)
    request = RenderRequest(
        Path("/nowhere"), chart.name, chart.path, Digest(""), name, NamespaceName("bench"), "{}", KUBERNETES
    )
    files = [RenderedFile(f"bench/templates/{index}.yaml", emit(thing)) for index, thing in enumerate(objects)]
    return Instance(name, NamespaceName("bench"), chart, MapNode({}, PLACE), PLACE), read(request, files)


def report() -> None:
    """Measure and print the proof, without and with pairs of hosts."""
    described = site()
    instances, bundles = zip(*(cell(number) for number in range(CELLS)), strict=True)
    for pairs in (False, True):
        started, used = time.perf_counter(), time.process_time()
        found = survival.survey(described, instances, bundles, pairs=pairs)
        wall, cpu = time.perf_counter() - started, time.process_time() - used
        pods = sum(row.pods.count for row in found.rows)
        losses = "each host, rack" + " and pair" * pairs
        said = f"{len(found.shortages)} shortages, {len(found.tight)} tight"
        print(
            f"{RACKS * HOSTS} hosts, {pods} pods, {losses}: {wall:.1f} s wall, {cpu:.1f} s cpu (goal: 30 s; {said})",
            flush=True,
        )


if __name__ == "__main__":
    report()
