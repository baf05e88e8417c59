"""A bundle as bytes, for the cache and for the way back from a worker; quick to read rather than small.

The text of the manifests, which is nearly all of it, stands as it is after one line of JSON that says who owns which
part of it, so that reading a bundle is a matter of slicing.
"""

from __future__ import annotations

import json
from typing import Any, Final, TypeAlias

from compiler.model.diagnostic import Diagnostic, Related, Severity
from compiler.model.manifest import Bundle, Field, Manifest, ObjectId, Reference, Workload
from compiler.model.names import ComponentName, InstanceName
from compiler.model.node import Origin

_Row: TypeAlias = Any
"""A JSON list, whose shape is that of the function that reads it."""

_FAULTS: Final = (ValueError, TypeError, KeyError, IndexError, AttributeError)


def encode(bundle: Bundle) -> bytes:
    """``bundle`` as bytes; equal bundles give equal bytes."""
    references = sorted({found for one in bundle.manifests for found in _named(one)})
    index = {reference: number for number, reference in enumerate(references)}
    head = {
        "instance": bundle.instance,
        "references": [[one.kind, one.namespace, one.name, one.optional] for one in references],
        "manifests": [_row(manifest, index) for manifest in bundle.manifests],
        "diagnostics": [_diagnostic_row(diagnostic) for diagnostic in bundle.diagnostics],
    }
    text = "".join(part for manifest in bundle.manifests for part in _texts(manifest))
    return f"{json.dumps(head, ensure_ascii=False, separators=(',', ':'))}\n{text}".encode()


def _texts(manifest: Manifest) -> tuple[str, str, str]:
    return manifest.metadata, manifest.body, manifest.content


def _named(manifest: Manifest) -> tuple[Reference, ...]:
    """Every reference of a manifest."""
    waits = manifest.workload.waits if manifest.workload else ()
    return (*manifest.references, *manifest.provides, *waits)


def decode(payload: bytes) -> Bundle | None:
    """The bundle that ``encode`` made ``payload`` of; None for anything else."""
    try:
        first, _, text = payload.decode().partition("\n")
        return _bundle(json.loads(first), text)
    except _FAULTS:
        return None


def _bundle(head: _Row, text: str) -> Bundle:
    references = [Reference(*row) for row in head["references"]]
    manifests, at = [], 0
    for row in head["manifests"]:
        manifests.append(_manifest(row, references, text, at))
        at += row[5] + row[6] + row[7]
    diagnostics = tuple(_diagnostic(row) for row in head["diagnostics"])
    return Bundle(InstanceName(head["instance"]), tuple(manifests), diagnostics)


def _row(manifest: Manifest, index: dict[Reference, int]) -> _Row:
    identity, workload = manifest.id, manifest.workload
    return [
        *(identity.namespace, identity.kind, identity.name, manifest.api_version, manifest.template),
        *(len(text) for text in _texts(manifest)),
        manifest.component,
        [index[found] for found in manifest.references],
        [index[found] for found in manifest.provides],
        None
        if workload is None
        else [workload.selector, workload.pod_labels, [index[found] for found in workload.waits]],
        *(manifest.selects, manifest.lifecycle, manifest.hooks, manifest.helm),
    ]


def _manifest(row: _Row, references: list[Reference], text: str, at: int) -> Manifest:
    namespace, kind, name, api_version, template, metadata, body, content, component, *rest = row
    needs, makes, workload, selects, lifecycle, hooks, helm = rest
    after = at + metadata + body
    return Manifest(
        ObjectId(namespace, kind, api_version.rpartition("/")[0], name),
        api_version,
        template,
        text[at : at + metadata],
        text[at + metadata : after],
        text[after : after + content],
        ComponentName(component) if component else None,
        tuple([references[number] for number in needs]),
        None if workload is None else _workload(workload, references),
        None if selects is None else _pairs(selects),
        tuple([references[number] for number in makes]),
        lifecycle,
        tuple(hooks),
        _pairs(helm),
    )


def _workload(row: _Row, references: list[Reference]) -> Workload:
    selector, labels, waits = row
    return Workload(_pairs(selector), _pairs(labels), tuple([references[number] for number in waits]))


def _pairs(rows: _Row) -> tuple[tuple[str, str], ...]:
    return tuple([(key, value) for key, value in rows])


def _diagnostic_row(diagnostic: Diagnostic) -> _Row:
    related = [[related.text, *_origin_row(related.origin)] for related in diagnostic.related]
    origin = None if diagnostic.origin is None else _origin_row(diagnostic.origin)
    field = None if diagnostic.field is None else _field_row(diagnostic.field)
    about = [diagnostic.code, diagnostic.severity.value, field, diagnostic.container]
    return [diagnostic.message, origin, diagnostic.hint, related, *about]


def _field_row(field: Field) -> _Row:
    identity = field.object
    return [field.instance, identity.namespace, identity.kind, identity.group, identity.name, *field.path]


def _origin_row(origin: Origin) -> _Row:
    return [origin.file, origin.line, origin.column]


def _diagnostic(row: _Row) -> Diagnostic:
    message, origin, hint, related, code, severity, field, container = row
    return Diagnostic(
        message,
        None if origin is None else Origin(*origin),
        hint,
        tuple(Related(text, Origin(*place)) for text, *place in related),
        code,
        Severity(severity),
        None if field is None else _field(field),
        container,
    )


def _field(row: _Row) -> Field:
    instance, namespace, kind, group, name, *path = row
    return Field(InstanceName(instance), ObjectId(namespace, kind, group, name), tuple(path))
