"""A site from the data of a case: instances with what they rendered, values, bindings, a topology.

Objects may leave out the labels and the namespace that every object of ours has: ``complete`` adds them. ``x*1000``
stands for that many letters.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from compiler import annotate, graph, validate
from compiler.documents import emit, parse_node
from compiler.engines import Emitted
from compiler.errors import collecting
from compiler.layers.structure import existing
from compiler.layers.topology import topology
from compiler.model.chart import (
    Chart,
    Component,
    ConfigurationFile,
    Contract,
    Phase,
    Provision,
    Requirement,
    Role,
    SecretSpec,
)
from compiler.model.diagnostic import Diagnostic
from compiler.model.instance import Binding, Instance
from compiler.model.manifest import Bundle
from compiler.model.names import (
    ChartName,
    ComponentName,
    Digest,
    EnvironmentName,
    InstanceName,
    InterfaceName,
    NamespaceName,
    ProvisionName,
    RequirementName,
)
from compiler.model.node import MapNode, Origin
from compiler.model.plan import Plan
from compiler.model.render import RenderedFile, RenderRequest
from compiler.model.site import ArgoCD, Delivery, Flux, Kubernetes, Secrets, Site
from compiler.model.topology import Topology
from compiler.render.read import read

FILE: Final = "environments/s/environment.yaml"
PLACE: Final = Origin(FILE, 1, 1)
KUBERNETES: Final = Kubernetes("1.35")


def checked(
    case: Mapping[str, Any], instances: tuple[Instance, ...], bundles: tuple[Bundle, ...]
) -> tuple[Diagnostic, ...]:
    """What the rules on a whole site say; ordered and delivered where the case says by which ``engines``."""
    if "engines" not in case:
        return validate.check(site(case), instances, bundles, Plan({}, {}, (), frozenset(), ()))
    plan = graph.plan(site(case), instances, bundles)
    annotated = annotate.annotate(bundles, plan)
    emitted = Emitted("rendered/s", annotated, annotate.deliver(site(case), instances, annotated, plan))
    return validate.check(site(case), instances, annotated, plan, emitted)


def site(case: Mapping[str, Any]) -> Site:
    """The site of a case."""
    written = {**pick(case, "topology"), "kubernetes": pick(case, "existing")}
    document = parse_node(emit(written), FILE)
    assert isinstance(document, MapNode)
    return Site(
        name=EnvironmentName("s"),
        repository=case["repository"],
        file=FILE,
        document=document,
        kubernetes=Kubernetes(case.get("kubernetes", "1.35")),
        secrets=Secrets("external-secrets", PLACE, "vault"),
        delivery=Delivery(
            "rendered/s",
            "https://git.example.org/s.git",
            argocd=ArgoCD() if "argocd" in case.get("engines", ()) else None,
            flux=Flux() if "flux" in case.get("engines", ()) else None,
        ),
        globals=MapNode({}, PLACE),
        declarations=(),
        development=bool(case.get("development")),
        topology=known_topology(document),
        registries=tuple(case.get("registries", ())),
        existing=existing(document),
    )


def pick(case: Mapping[str, Any], key: str) -> dict[str, Any]:
    """What a case says of ``key``, as a part of the site's document."""
    return {key: case[key]} if key in case else {}


def known_topology(document: MapNode) -> Topology | None:
    """The topology of a case, read as a site's is."""
    with collecting() as mistakes:
        return topology(document, mistakes)


def instance(name: str, given: Mapping[str, Any]) -> Instance:
    """One instance of a case."""
    file = "charts/app/values.yaml" if "defaults" in given else FILE
    values = parse_node(emit(given.get("defaults", given.get("values", {}))), file)
    assert isinstance(values, MapNode)
    return Instance(
        name=InstanceName(name),
        namespace=NamespaceName(given.get("namespace", "openstack")),
        chart=Chart(
            name=ChartName("app"),
            version="1.0.0",
            app_version="1",
            path="charts/app",
            digest=Digest(""),
            contract=contract(given),
            schema=given.get("schema"),
        ),
        values=values,
        origin=PLACE,
        bindings=tuple(binding(to) for to in given.get("bindings", [])),
    )


def contract(given: Mapping[str, Any]) -> Contract | None:
    """The contract of a case's chart: its components by name and role."""
    if given.get("contract") is False:
        return None
    components = tuple(
        Component(
            ComponentName(name),
            Role(role),
            Origin("charts/app/component.yaml", line, 3),
            replicas=("replicas",),
            reload=given.get("reload", {}).get(name, ""),
            leave=given.get("leave", {}).get(name, ""),
            after=tuple(ComponentName(each) for each in given.get("after", {}).get(name, ())),
            phase=Phase(given["phases"][name]) if name in given.get("phases", {}) else None,
        )
        for line, (name, role) in enumerate(given.get("components", {}).items(), 5)
    )
    place = Origin("charts/app/component.yaml")
    needs = tuple(Requirement(RequirementName(name), InterfaceName(name), place) for name in given.get("requires", []))
    files = tuple(ConfigurationFile(name, to, place) for name, to in given.get("configuration", {}).items())
    offers = tuple(provision(name, said) for name, said in given.get("provides", {}).items())
    kept = tuple(
        SecretSpec(name, {}, place, components=tuple(ComponentName(each) for each in only))
        for name, only in given.get("secrets", {}).items()
    )
    return Contract(place, components=components, requires=needs, configuration=files, provides=offers, secrets=kept)


def provision(name: str, said: Mapping[str, Any]) -> Provision:
    """What a chart offers under ``name``."""
    return Provision(
        ProvisionName(name),
        InterfaceName(name),
        ComponentName(said["component"]),
        said["port"],
        Origin("charts/app/component.yaml", 4, 3),
        tls=said.get("tls"),
        plaintext=said.get("plaintext", ""),
        scheme=said.get("scheme", ""),
    )


def binding(to: Mapping[str, Any]) -> Binding:
    """A binding to a provider's component and port, and what it publishes."""
    requirement = Requirement(RequirementName("database"), InterfaceName("mysql"), PLACE)
    published = to.get("published", {})
    return Binding(requirement, InstanceName(to["provider"]), provision("mysql", to), published, PLACE, "")


def bundle(owner: Instance, given: Mapping[str, Any]) -> Bundle:
    """What the instance rendered."""
    request = RenderRequest(
        Path("/nowhere"), owner.chart.name, owner.chart.path, Digest(""), owner.name, owner.namespace, "{}", KUBERNETES
    )
    rendered = [grown(thing) for thing in given.get("renders", [])]
    objects = [complete(owner, thing) if given.get("complete", True) else thing for thing in rendered]
    return read(
        request, [RenderedFile(f"app/templates/{number}.yaml", emit(thing)) for number, thing in enumerate(objects)]
    )


def grown(thing: Any) -> Any:  # noqa: ANN401 - whatever YAML can say
    """The thing with every ``x*1000`` in it as long as that says."""
    match thing:
        case dict():
            return {key: grown(below) for key, below in thing.items()}
        case list():
            return [grown(item) for item in thing]
        case str() if thing.startswith("x*"):
            return "x" * int(thing.removeprefix("x*"))
        case _:
            return thing


def complete(owner: Instance, thing: dict[str, Any]) -> dict[str, Any]:
    """The object with the labels, the namespace and the API version that a case need not repeat."""
    labels = {
        "app.kubernetes.io/name": "app",
        "app.kubernetes.io/instance": owner.name,
        "app.kubernetes.io/component": "api",
        "app.kubernetes.io/version": "1",
        "app.kubernetes.io/part-of": "openstack",
        "app.kubernetes.io/managed-by": "Helm",
    }
    metadata = {"namespace": owner.namespace, "labels": labels, **thing["metadata"]}
    return {
        "apiVersion": "v1",
        **thing,
        "metadata": {key: value for key, value in metadata.items() if value is not None},
    }
