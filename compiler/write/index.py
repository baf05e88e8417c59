"""The index beside the tree: what was compiled, from what, and why each thing is where it is.

A contract with other programs from its first day: ``compiler/model/schemas/index.v1.json`` describes every key. It is
written to be read in a pull request too: sorted, and one object, one edge, one origin a line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from compiler.model.data import Data, canonical, digest
from compiler.model.index import API_VERSION, KIND, SCHEMA
from compiler.model.instance import Binding, Instance
from compiler.model.manifest import LeftOut, Manifest
from compiler.model.names import InstanceName, LayerName
from compiler.model.plan import Plan
from compiler.model.site import Site
from compiler.model.version import VERSION
from compiler.write.origins import Origins

_SPREAD_MAPS: Final = 4
_SPREAD_LISTS: Final = 2
_ENCODER: Final = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, slots=True)
class LaidObject:
    """A manifest, where it lies, and the bytes that lie there."""

    path: str
    instance: InstanceName
    manifest: Manifest
    content: bytes


@dataclass(frozen=True, slots=True)
class Contents:
    """Every file of a tree but its index, and what was rendered and is no file of it."""

    objects: tuple[LaidObject, ...]
    documents: tuple[tuple[str, bytes], ...]
    left_out: tuple[LeftOut, ...] = ()

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Each path, with its bytes."""
        yield from ((laid.path, laid.content) for laid in self.objects)
        yield from self.documents


def index(site: Site, instances: tuple[Instance, ...], plan: Plan, contents: Contents) -> bytes:
    """The bytes of the index. Equal input gives equal bytes."""
    origins = Origins(site)
    overlays = {declaration.name: declaration.overlays for declaration in site.declarations}
    listed: dict[str, Data] = {
        instance.name: _instance(instance, overlays.get(instance.name, ()), origins) for instance in instances
    }
    data: dict[str, Data] = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "schema": SCHEMA,
        "compiler": {"version": VERSION},
        "site": {"name": site.name, "file": site.file, "origins": dict(origins.of_site())},
        "kubernetes": {"version": site.kubernetes.version, "apiVersions": list(site.kubernetes.api_versions)},
        "layers": _layers(site, origins),
        "instances": listed,
        "objects": _objects(plan, contents),
        "documents": [{"path": path, "sha256": digest(content)} for path, content in sorted(contents.documents)],
        "waves": {"count": len(set(plan.waves.values())), "criticalPath": [str(step) for step in plan.critical_path]},
        "edges": _edges(plan),
    }
    if left_out := _left_out(contents):
        data["leftOut"] = left_out
    return f"{_pretty(data)}\n".encode()


def _instance(instance: Instance, overlays: tuple[LayerName, ...], origins: Origins) -> dict[str, Data]:
    chart = instance.chart
    return {
        "namespace": instance.namespace,
        "chart": {"name": chart.name, "version": chart.version, "path": chart.path, "sha256": chart.digest},
        "values": digest(canonical(instance.values.data())),
        "overlays": list(overlays),
        "bindings": {binding.requirement.name: _binding(binding) for binding in instance.bindings},
        "origins": dict(origins.of_instance(instance)),
    }


def _binding(binding: Binding) -> dict[str, Data]:
    return {
        "provider": binding.provider,
        "provision": binding.provision.name,
        "interface": binding.requirement.interface,
        "gate": binding.requirement.gate,
        "why": binding.reason,
        "origin": str(binding.origin),
    }


def _layers(site: Site, origins: Origins) -> list[Data]:
    return [
        {"layer": layer, "file": file, "sha256": digest((site.repository / file).read_bytes())}
        for layer, file in origins.layers()
    ]


def _objects(plan: Plan, contents: Contents) -> list[Data]:
    return [
        {
            "path": laid.path,
            "sha256": digest(laid.content),
            "instance": laid.instance,
            "component": laid.manifest.component,
            "wave": plan.waves[laid.manifest.id],
            "template": laid.manifest.template,
            **_changed(laid.manifest),
        }
        for laid in sorted(contents.objects, key=lambda laid: laid.path)
    ]


def _changed(manifest: Manifest) -> dict[str, Data]:
    """What the compiler took out of an object or changed in it, as it was, and the life that the object has instead."""
    if not manifest.stripped:
        return {}
    return {"lifecycle": manifest.lifecycle or "ordinary", "stripped": dict(manifest.stripped)}


def _left_out(contents: Contents) -> list[Data]:
    return [
        {
            "instance": one.instance,
            "object": str(one.id),
            "template": one.template,
            "hooks": list(one.hooks),
            "why": one.why,
        }
        for one in contents.left_out
    ]


def _edges(plan: Plan) -> list[Data]:
    return [
        {"before": str(edge.before), "after": str(edge.after), "why": edge.why, "origin": str(edge.origin)}
        for edge in sorted(plan.edges)
    ]


def _pretty(value: Data, level: int = 0) -> str:
    """JSON with one entry a line, down to the level at which a line is one record."""
    indent = "  " * (level + 1)
    if isinstance(value, dict) and value and level < _SPREAD_MAPS:
        lines = [f"{indent}{_ENCODER.encode(key)}: {_pretty(value[key], level + 1)}" for key in sorted(value)]
        return "{\n" + ",\n".join(lines) + f"\n{indent[2:]}}}"
    if isinstance(value, list) and value and level < _SPREAD_LISTS:
        lines = [indent + _ENCODER.encode(item) for item in value]
        return "[\n" + ",\n".join(lines) + f"\n{indent[2:]}]"
    return _ENCODER.encode(value)
