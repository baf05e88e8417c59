"""A compiled site becomes a revision without being written and read again: the same objects that its files hold."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, cast

from compiler.engines.objects import ANNOTATION, DELIVERS, Applied, balanced, cascades, definition, expires, fixed, read
from compiler.engines.revision import Revision
from compiler.model.data import Data, canonical, digest
from compiler.model.manifest import Bundle, Manifest
from compiler.model.names import Digest
from compiler.model.tree import Document, object_path
from compiler.relations.untyped import Map, mapping

_LISTING: Final = "kustomization.yaml"
_LOOKED_INTO: Final = frozenset(
    {"CustomResourceDefinition", "DaemonSet", "Deployment", "Job", "Service", "StatefulSet"}
)
_NOTHING: Final[Map] = {}


@dataclass(frozen=True)
class Emitted:
    """What a compile is about to write below ``output``; it is read as an engine reads it only when it is asked for."""

    output: str
    bundles: tuple[Bundle, ...] = ()
    documents: tuple[Document, ...] = ()

    @cached_property
    def revision(self) -> Revision:
        """What a commit of it would hold."""
        return compiled(self.output, self.bundles, self.documents)

    @cached_property
    def fingerprint(self) -> Digest:
        """A digest of every byte that an engine would read."""
        manifests = (manifest for bundle in self.bundles for manifest in bundle.manifests)
        texts = [text for manifest in manifests for text in (str(manifest.id), manifest.metadata, manifest.body)]
        return digest("\0".join([self.output, *texts, canonical([[one.path, one.content] for one in self.documents])]))


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
    metadata = cast("Map", json.loads(manifest.metadata))
    annotations = mapping(metadata, "annotations")
    workload, kind = manifest.workload, (manifest.id.group, manifest.id.kind)
    delivers = manifest.id.group in DELIVERS
    looked_into = delivers or manifest.id.kind in _LOOKED_INTO
    content = cast("Map", json.loads(manifest.content)) if looked_into else _NOTHING
    return Applied(
        id=manifest.id,
        path=path,
        annotations={key: str(value) for key, value in annotations.items()},
        text=digest(manifest.metadata + manifest.body),
        fixed=fixed(kind, content),
        needs=tuple(need for need in manifest.references if not need.optional),
        waits=workload.waits if workload else (),
        makes=manifest.provides,
        pods=workload.pod_labels if workload else None,
        selects=manifest.selects if manifest.id.kind == "Service" else None,
        expires=expires(manifest.id.kind, content),
        balanced=balanced(manifest.id.kind, content),
        variables="${" in manifest.body,
        large=len(manifest.metadata) + len(manifest.content) > ANNOTATION,
        sealed='"sops"' in manifest.content and "sops" in json.loads(manifest.content),
        cascades=delivers and cascades(metadata),
        defines=definition(manifest.id.kind, content),
        spec=mapping(content, "spec") if delivers else _NOTHING,
    )
