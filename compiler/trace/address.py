"""What people call an object, a field, a value: as kubectl writes it, as the output lies, by index or by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from compiler.documents.schema import nearest
from compiler.errors import InputError
from compiler.model.data import Data
from compiler.model.diagnostic import Diagnostic
from compiler.model.manifest import Bundle, Manifest
from compiler.model.names import InstanceName
from compiler.model.node import dotted
from compiler.model.trace import ValuePath
from compiler.model.tree import object_path

_SHORT: Final[Mapping[str, str]] = {
    "cj": "cronjob",
    "cm": "configmap",
    "crd": "customresourcedefinition",
    "deploy": "deployment",
    "ds": "daemonset",
    "ep": "endpoints",
    "es": "externalsecret",
    "hpa": "horizontalpodautoscaler",
    "ing": "ingress",
    "netpol": "networkpolicy",
    "ns": "namespace",
    "pc": "priorityclass",
    "pdb": "poddisruptionbudget",
    "po": "pod",
    "pv": "persistentvolume",
    "pvc": "persistentvolumeclaim",
    "rs": "replicaset",
    "sa": "serviceaccount",
    "sc": "storageclass",
    "sts": "statefulset",
    "svc": "service",
}
"""The short names that Kubernetes and External Secrets give their kinds."""

_STEP: Final = re.compile(r"\[(?P<bracket>[^\]]*)\]|(?P<key>(?:[^.\[\]\\]|\\.)+)")
_DIGEST: Final = re.compile(r"-[0-9a-f]{8,64}$")


def locate(
    bundles: Sequence[Bundle], reference: str, namespace: str = "", output: str = ""
) -> tuple[InstanceName, Manifest]:
    """The object that ``reference`` names, and its instance.

    ``kind/name`` as kubectl has it (also plural, short, ``kind.group``), with the namespace before it or apart, or the
    path of its file in ``output``. A Job may be named without its digest. Raises ``InputError``, with what is near,
    where there is none, or more than one.
    """
    if reference.endswith(".yaml"):
        return _at_path(bundles, reference, output)
    *space, kind, name = reference.split("/")
    within = space[-1] if space else namespace
    of_kind = [found for found in _all(bundles) if _is_kind(found[1], kind)]
    if not of_kind:
        kinds = sorted({manifest.id.kind.lower() for _, manifest in _all(bundles)})
        raise _fault(f"the site renders no object of the kind `{kind}`", nearest(_kind(kind), kinds))
    named = [found for found in of_kind if name in {found[1].id.name, _DIGEST.sub("", found[1].id.name)}]
    if not named:
        hint = nearest(name, sorted({manifest.id.name for _, manifest in of_kind}))
        raise _fault(f"the site renders no {of_kind[0][1].id.kind} `{name}`", hint)
    return _only([found for found in named if within in {"", found[1].id.namespace}], named, reference, within)


def _at_path(bundles: Sequence[Bundle], reference: str, output: str) -> tuple[InstanceName, Manifest]:
    paths = {object_path(instance, manifest.id): (instance, manifest) for instance, manifest in _all(bundles)}
    wanted = PurePosixPath(reference).as_posix()
    _, inside, below = wanted.rpartition(f"{output}/")
    path = below if inside else wanted
    if path not in paths:
        raise _fault(f"`{reference}` is no object that the site renders", _near_path(path, sorted(paths)))
    return paths[path]


def _near_path(path: str, known: list[str]) -> str:
    """Of the same folder, where there is such a one: its objects alone."""
    folder = path.rpartition("/")[0]
    return nearest(path, [other for other in known if other.rpartition("/")[0] == folder] or known[:1])


def _all(bundles: Sequence[Bundle]) -> Iterator[tuple[InstanceName, Manifest]]:
    for bundle in bundles:
        yield from ((bundle.instance, manifest) for manifest in bundle.manifests)


def _kind(text: str) -> str:
    kind = text.partition(".")[0].lower()
    return _SHORT.get(kind, kind)


def _is_kind(manifest: Manifest, text: str) -> bool:
    group, kind = text.partition(".")[2], manifest.id.kind.lower()
    plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}es" if kind.endswith(("s", "x")) else f"{kind}s"
    return _kind(text) in {kind, plural} and (not group or manifest.id.group in {group, group.partition(".")[2]})


def _only(
    found: list[tuple[InstanceName, Manifest]], named: list[tuple[InstanceName, Manifest]], reference: str, within: str
) -> tuple[InstanceName, Manifest]:
    if len(found) == 1:
        return found[0]
    places = sorted(f"{m.id.namespace}/{m.id.kind.lower()}/{m.id.name}".removeprefix("/") for _, m in found or named)
    if not found:
        raise _fault(f"there is no `{reference}` in the namespace `{within}`", f"`{places[0]}`")
    message = f"`{reference}` is {len(found)} objects, and nothing decides between them"
    raise _fault(message, "one of " + ", ".join(f"`{place}`" for place in places))


def resolve(data: Data, text: str, whose: str) -> ValuePath:
    r"""The path that ``text`` means in ``data``; ``whose`` data that is, for messages.

    Keys with dots between them; an item of a list by its index or by its name, in brackets or not; a key that has dots
    itself as it is, in brackets, or with ``\`` before each. Raises ``InputError``, with what is near, where there is
    nothing.

    >>> pod = {"containers": [{"name": "api", "image": "x"}], "labels": {"app.io/name": "y"}}
    >>> resolve(pod, "containers[api].image", "pod"), resolve(pod, "labels.app.io/name", "pod")
    (('containers', 0, 'image'), ('labels', 'app.io/name'))
    """
    steps = [re.sub(r"\\(.)", r"\1", found["key"] or found["bracket"] or "") for found in _STEP.finditer(text)]
    path = _walk(data, tuple(steps), ())
    if path is None:
        raise _fault(f"{whose} has no `{text}`", _near(data, text))
    return path


def _walk(data: Data, steps: tuple[str, ...], done: ValuePath) -> ValuePath | None:
    """The first way to read ``steps``: a key may be several of them, joined by the dots that it has."""
    if not steps:
        return done
    if isinstance(data, list):
        index = _index(data, steps[0])
        return None if index is None else _walk(data[index], steps[1:], (*done, index))
    for length in range(1, len(steps) + 1) if isinstance(data, dict) else ():
        key = ".".join(steps[:length])
        found = _walk(data[key], steps[length:], (*done, key)) if isinstance(data, dict) and key in data else None
        if found is not None:
            return found
    return None


def _index(items: list[Data], step: str) -> int | None:
    if step.isdecimal():
        return int(step) if int(step) < len(items) else None
    return next((n for n, item in enumerate(items) if isinstance(item, dict) and item.get("name") == step), None)


def _near(data: Data, text: str) -> str:
    """The nearest of all paths; where none is near, the keys beside the step that is wrong."""
    hint = nearest(text, [dotted(path) for path in _paths(data, ())])
    return hint if "," not in hint else nearest("", sorted(data) if isinstance(data, dict) else [])


def _paths(data: Data, path: ValuePath) -> Iterator[ValuePath]:
    if path:
        yield path
    if isinstance(data, dict):
        for key, below in data.items():
            yield from _paths(below, (*path, key))
    elif isinstance(data, list):
        for index, item in enumerate(data[:100]):
            yield from _paths(item, (*path, index))


def _fault(message: str, hint: str) -> InputError:
    return InputError([Diagnostic(message, None, hint)])
