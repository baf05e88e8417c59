"""Paths and bytes: everything that a compile writes, before any of it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.documents import emit
from compiler.errors import collecting
from compiler.model.index import INDEX
from compiler.model.instance import Instance
from compiler.model.manifest import Bundle, Manifest
from compiler.model.names import InstanceName
from compiler.model.node import Origin
from compiler.model.plan import Plan
from compiler.model.site import Site
from compiler.model.tree import Document, Tree, object_path
from compiler.write.index import Contents, LaidObject, index


@dataclass(frozen=True, slots=True)
class _Claim:
    """A file that something asks for. ``subject`` names what asks, as a message does."""

    path: str
    subject: str
    origin: Origin


def lay_out(
    site: Site,
    instances: tuple[Instance, ...],
    bundles: tuple[Bundle, ...],
    plan: Plan,
    documents: tuple[Document, ...],
) -> Tree:
    """Every file of the site's output, with its bytes: objects, delivery documents, and the index that lists them.

    A path comes from identity alone, and the bytes from what was rendered, so the same input gives the same tree on
    every machine. Raises ``InputError`` with every two files that cannot both lie on a disk (also one that does not
    tell ``A`` from ``a``), and every name that would lead out of the tree.
    """
    objects = tuple(_lay_objects(bundles))
    written = tuple((document.path, emit(document.content).encode()) for document in documents)
    contents = Contents(objects, written, tuple(one for bundle in bundles for one in bundle.left_out))
    _refuse_clashes(_claims(site, instances, contents))
    files = dict(contents.files())
    files[INDEX] = index(site, instances, plan, contents)
    return Tree(
        files={path: files[path] for path in sorted(files)},
        site=site.name,
        repository=site.repository,
    )


def _lay_objects(bundles: tuple[Bundle, ...]) -> Iterator[LaidObject]:
    for bundle in bundles:
        for manifest in bundle.manifests:
            yield LaidObject(object_path(bundle.instance, manifest.id), bundle.instance, manifest, _written(manifest))


def _written(manifest: Manifest) -> bytes:
    head = emit(
        {"apiVersion": manifest.api_version, "kind": manifest.id.kind, "metadata": manifest.metadata_data()},
    )
    return f"{head}{manifest.body}".encode()


def _claims(site: Site, instances: tuple[Instance, ...], contents: Contents) -> Iterator[_Claim]:
    top = Origin(site.file)
    origins: dict[InstanceName, Origin] = {instance.name: instance.origin for instance in instances}
    yield _Claim(INDEX, "the index", top)
    for path, _ in contents.documents:
        yield _Claim(path, "a delivery document", top)
    for laid in contents.objects:
        owner = f"`{laid.instance}`" if laid.instance else "the site"
        subject = f"{laid.manifest.id} of {owner} ({laid.manifest.template})"
        yield _Claim(laid.path, subject, origins.get(laid.instance, top))


def _refuse_clashes(claims: Iterator[_Claim]) -> None:
    taken: dict[str, _Claim] = {}
    folders: dict[str, _Claim] = {}
    with collecting() as mistakes:
        for claim in claims:
            if not _stays_inside(claim.path):
                message = f"{claim.subject} would be written to `{claim.path}`, which is not a path inside the output"
                mistakes.add(message, claim.origin, "a name without `/`, and without a dot at its beginning")
                continue
            key = claim.path.casefold()
            other = taken.get(key) or folders.get(key) or _file_above(key, taken)
            if other is not None:
                mistakes.add(_clash(other, claim), claim.origin, "another name for one of the two")
                continue
            taken[key] = claim
            for folder in _above(key):
                folders.setdefault(folder, claim)


def _clash(one: _Claim, two: _Claim) -> str:
    if one.path == two.path:
        return f"{one.subject} and {two.subject} would be the same file `{two.path}`"
    same = "one file where a disk does not tell `A` from `a`"
    reason = same if one.path.casefold() == two.path.casefold() else "a file and a folder of one name"
    return f"{one.subject} and {two.subject} would be {reason}: `{one.path}` and `{two.path}`"


def _stays_inside(path: str) -> bool:
    parts = path.split("/")
    return all(part and not part.startswith(".") and "\0" not in part and "\\" not in part for part in parts)


def _above(path: str) -> Iterator[str]:
    """Every folder above ``path``, nearest first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _file_above(path: str, taken: dict[str, _Claim]) -> _Claim | None:
    return next((taken[folder] for folder in _above(path) if folder in taken), None)
