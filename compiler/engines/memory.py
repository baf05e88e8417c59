"""A compiled site becomes a revision without being written and read again: the same objects that its files hold."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable
from typing import Final, cast

from compiler.engines.objects import Applied, read
from compiler.engines.revision import Revision
from compiler.model.data import Data, digest
from compiler.model.manifest import Bundle, Manifest
from compiler.model.tree import Document, object_path
from compiler.relations.untyped import Map, mapping

_LISTING: Final = "kustomization.yaml"


def compiled(output: str, bundles: Iterable[Bundle], documents: Iterable[Document]) -> Revision:
    """What a commit of a compiled site would hold below ``output``."""
    files: dict[str, tuple[Applied, ...]] = {}
    listings: dict[str, tuple[str, ...]] = {}
    for bundle in bundles:
        for manifest in bundle.manifests:
            path = f"{output}/{object_path(bundle.instance, manifest.id)}"
            files[path] = (_applied(manifest, path),)
    for document in documents:
        path = f"{output}/{document.path}"
        content = cast("Map", document.content)
        if posixpath.basename(path) == _LISTING:
            listings[path] = tuple(str(each) for each in cast("list[Data]", content["resources"]))
        else:
            files[path] = (read(content, path),)
    return Revision("compiled", files, listings=listings)


def _applied(manifest: Manifest, path: str) -> Applied:
    annotations = mapping(cast("Data", json.loads(manifest.metadata)), "annotations")
    workload = manifest.workload
    return Applied(
        id=manifest.id,
        path=path,
        annotations={key: str(value) for key, value in annotations.items()},
        text=digest(manifest.metadata + manifest.body),
        needs=tuple(need for need in manifest.references if not need.optional),
        waits=workload.waits if workload else (),
        makes=manifest.provides,
        pods=workload.pod_labels if workload else None,
        selects=manifest.selects if manifest.id.kind == "Service" else None,
        variables="${" in manifest.body,
    )
