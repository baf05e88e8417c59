"""Rendered text becomes manifests: Kubernetes' reading of it, identity, relations, and the bytes reviewers will see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, cast

from compiler.documents import emit, parse_stream
from compiler.errors import Collector, InputError, collecting
from compiler.model.data import Data, canonical
from compiler.model.diagnostic import Diagnostic, Related, Severity
from compiler.model.kinds import is_namespaced
from compiler.model.manifest import Bundle, Manifest, ObjectId
from compiler.model.names import ComponentName
from compiler.model.node import Origin, ScalarNode, describe
from compiler.model.render import RenderedFile, RenderRequest
from compiler.relations.references import relations
from compiler.relations.untyped import Map, items, mapping
from compiler.render import charts

_COMPONENT: Final = "app.kubernetes.io/component"
_HELM: Final = "helm.sh/"
_HOOK: Final = "helm.sh/hook"
_KEEP: Final = "helm.sh/resource-policy"
_BEFORE: Final = "pre-install"
_HEAD: Final = frozenset({"apiVersion", "kind", "metadata"})
_NAMESPACE_RULE: Final = "OS004"
_NOWHERE: Final = Origin("")
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Found:
    """One object as it was rendered. ``line`` counts from the first line of its document."""

    file: RenderedFile
    line: int
    data: Map


def read(request: RenderRequest, files: Iterable[RenderedFile]) -> Bundle:
    """The bundle of what ``request`` rendered.

    ``List`` kinds are expanded; a namespaced object without a namespace gets the instance's, and the bundle's
    diagnostics say so (rule OS004); Helm's hook annotations are taken out of the metadata and kept beside it. Raises
    ``InputError`` for what is not YAML, has no kind or name, or stands twice.
    """
    with collecting() as mistakes:
        found = [each for file in files for each in objects(request, file, mistakes)]
        declared = dict(_declared_scopes(found))
        made = [_manifest(request, each, declared) for each in found if _is_whole(request, each, mistakes)]
        manifests = sorted((manifest for manifest, _ in made), key=lambda manifest: manifest.id)
        _refuse_twins(request, manifests, mistakes)
    said = (diagnostic for _, diagnostics in made for diagnostic in diagnostics)
    return Bundle(request.instance, tuple(manifests), tuple(sorted(said, key=Diagnostic.sort_key)))


def objects(request: RenderRequest, file: RenderedFile, mistakes: Collector) -> Iterator[Found]:
    """Everything that stands in ``file``, lists expanded; what cannot be read is noted."""
    if _REPLACEMENT in file.text:
        message = "the rendered text must be UTF-8, but is not"
        mistakes.add(message, charts.origin(request, file.template), "`b64enc`, if it is meant to be binary")
        return
    with mistakes.attempt(), _placed(request, file):
        for line, data in parse_stream(file.text, file.template):
            yield from _expanded(Found(file, line, cast("Map", data)), data)


def _expanded(found: Found, data: Data) -> Iterator[Found]:
    """The object, or each item of a list; items of a typed list (``ConfigMapList``) have its kind."""
    kind = data.get("kind") if isinstance(data, dict) else None
    if not (isinstance(data, dict) and isinstance(kind, str) and kind.endswith("List") and "items" in data):
        yield found
        return
    typed = {"apiVersion": data.get("apiVersion"), "kind": kind.removesuffix("List")} if kind != "List" else {}
    for item in items(data, "items"):
        whole: dict[str, Data] = {**typed, **item}
        yield from _expanded(Found(found.file, found.line, whole), whole)


@contextmanager
def _placed(request: RenderRequest, file: RenderedFile) -> Iterator[None]:
    """Turn places in rendered text, which nobody sees, into places in the template."""
    try:
        yield
    except InputError as error:
        raise InputError(_moved(request, file, found) for found in error.diagnostics) from error


def _moved(request: RenderRequest, file: RenderedFile, found: Diagnostic) -> Diagnostic:
    line = found.origin.line if found.origin else 1
    lines = file.text.splitlines()
    shown = lines[line - 1].strip() if line <= len(lines) else ""
    message = f"{found.message.replace('the file', 'what the template renders')} (at `{shown}`)"
    return replace(found, message=message, origin=_place(request, file, line), related=())


def _place(request: RenderRequest, file: RenderedFile, line: int) -> Origin:
    """The template, and the line of it that wrote line ``line`` of the document, where one is recognised."""
    place = charts.origin(request, file.template)
    path, lines = request.repository / place.file, file.text.splitlines()
    if not path.is_file() or line > len(lines) or path.suffix == ".tgz":
        return place
    source = [text.strip() for text in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    wanted = lines[line - 1].strip()
    return replace(place, line=source.index(wanted) + 1) if wanted in source else place


def _is_whole(request: RenderRequest, found: Found, mistakes: Collector) -> bool:
    """Whether it is an object at all; what is missing is noted."""
    fault = _fault(found.data)
    if fault is None:
        return True
    message, hint = fault
    mistakes.add(message, _place(request, found.file, found.line), hint)
    return False


def is_object(data: Data | Map) -> bool:
    """Whether ``data`` has what a cluster needs to know an object by."""
    return _fault(data) is None


def _fault(data: Data | Map) -> tuple[str, str] | None:
    if not isinstance(data, Mapping):
        shown = describe(ScalarNode(data, _NOWHERE)) if not isinstance(data, list) else "a list"
        return f"a rendered object must be a map, but is {shown}", "look at what the template writes before `kind:`"
    for key in ("apiVersion", "kind"):
        if not isinstance(data.get(key), str) or not data[key]:
            return f"a rendered object must have the key `{key}`, but has {_found(data.get(key))}", f"`{key}: ...`"
    name = mapping(data, "metadata").get("name")
    if not isinstance(name, str) or not name:
        generated = "generateName" in mapping(data, "metadata")
        hint = "a name: Git cannot hold one that the cluster makes up" if generated else "`metadata: {name: ...}`"
        return f"the {data['kind']} must have a `metadata.name`, but has {_found(name)}", hint
    return None


def _found(value: Data) -> str:
    if value is None:
        return "none"
    return "a map" if isinstance(value, dict) else "a list" if isinstance(value, list) else f"`{value}`"


def _declared_scopes(objects: Iterable[Found]) -> Iterator[tuple[tuple[str, str], bool]]:
    for found in objects:
        if isinstance(found.data, dict) and found.data.get("kind") == "CustomResourceDefinition":
            spec = mapping(found.data, "spec")
            kind, group = mapping(spec, "names").get("kind"), spec.get("group")
            yield (str(group), str(kind)), spec.get("scope") == "Namespaced"


def _manifest(
    request: RenderRequest, found: Found, declared: Mapping[tuple[str, str], bool]
) -> tuple[Manifest, list[Diagnostic]]:
    api_version, kind = cast("str", found.data["apiVersion"]), cast("str", found.data["kind"])
    metadata = dict(mapping(found.data, "metadata"))
    group = api_version.rpartition("/")[0]
    said = _settle_namespace(request, found, metadata, namespaced=is_namespaced(group, kind, declared))
    namespace, name = cast("str", metadata.get("namespace", "")), cast("str", metadata["name"])
    identity = ObjectId(namespace, kind, group, name)
    helm = _take_hooks(metadata)
    around = relations(identity, namespace or request.namespace, found.data)
    manifest = Manifest(
        id=identity,
        api_version=api_version,
        template=found.file.template,
        metadata=canonical({key: value for key, value in metadata.items() if value is not None}),
        body=_body(found.data),
        content=canonical(_rest(found.data)),
        component=_component(metadata),
        lifecycle="create-once" if _is_made_once(helm) else "",
        hooks=tuple(kind.strip() for kind in helm.get(_HOOK, "").split(",") if kind.strip()),
        helm=tuple(sorted(helm.items())),
        references=around.references,
        workload=around.workload,
        selects=around.selects,
        provides=around.provides,
    )
    return manifest, said


def _rest(data: Map) -> dict[str, Data]:
    return {key: value for key, value in data.items() if key not in _HEAD}


def _body(data: Map) -> str:
    rest = _rest(data)
    return emit(rest) if rest else ""


def _component(metadata: Map) -> ComponentName | None:
    label = mapping(metadata, "labels").get(_COMPONENT)
    return ComponentName(label) if isinstance(label, str) and label else None


def _settle_namespace(
    request: RenderRequest, found: Found, metadata: dict[str, Data], *, namespaced: bool
) -> list[Diagnostic]:
    """Put the namespace into ``metadata`` that the cluster would, and say where the template wrote another one."""
    written, what = metadata.get("namespace"), f"the {found.data['kind']} `{metadata['name']}`"
    if not namespaced:
        metadata.pop("namespace", None)
        message = f"{what} is cluster-scoped and must have no namespace, but has `{written}`"
        return [_misplaced(request, found, message, "remove `metadata.namespace`")] if written else []
    if written == request.namespace:
        return []
    metadata["namespace"] = written if isinstance(written, str) and written else request.namespace
    if not written and not request.contracted:
        return []
    message = f"{what} must be in the namespace of its instance, but its template says {_found(written)}"
    return [_misplaced(request, found, message, "`namespace: {{ .Release.Namespace }}`")]


def _misplaced(request: RenderRequest, found: Found, message: str, hint: str) -> Diagnostic:
    place = charts.origin(request, found.file.template)
    return Diagnostic(message, place, hint, code=_NAMESPACE_RULE, severity=Severity.WARNING)


def _take_hooks(metadata: dict[str, Data]) -> dict[str, str]:
    """Every ``helm.sh/`` annotation of ``metadata``, which keeps none but the resource policy."""
    annotations = mapping(metadata, "annotations")
    helm = {key: str(value) for key, value in annotations.items() if key.startswith(_HELM)}
    kept = {key: value for key, value in annotations.items() if not key.startswith(_HOOK)}
    if annotations:
        metadata["annotations"] = kept or None
    return helm


def _is_made_once(helm: Mapping[str, str]) -> bool:
    """A hook of the installation that Helm is told to keep: what is in it afterwards belongs to the cluster."""
    return helm.get(_KEEP) == "keep" and _BEFORE in helm.get(_HOOK, "")


def _refuse_twins(request: RenderRequest, manifests: list[Manifest], mistakes: Collector) -> None:
    for one, other in pairwise(manifests):
        if one.id == other.id:
            first, second = (charts.origin(request, manifest.template) for manifest in (one, other))
            related = (Related("and here", second),)
            message = f"{one.id} is rendered twice by the chart `{request.chart}`, and a cluster would keep one of them"
            mistakes.extend([Diagnostic(message, first, "another name for one of them", related)])
