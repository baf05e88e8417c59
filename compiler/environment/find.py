"""Find a site and read everything it is built on."""

from __future__ import annotations

from pathlib import Path

from compiler.documents.schema import nearest
from compiler.environment.chain import linearise
from compiler.environment.header import Header, Mention, head
from compiler.environment.locate import (
    OVERLAYS,
    document_file,
    environment_folder,
    existing,
    folder_of,
    listed,
    overlay_folder,
    overlays,
)
from compiler.errors import InputError, collecting
from compiler.model.diagnostic import Diagnostic
from compiler.model.names import EnvironmentName, LayerName
from compiler.model.site import Environment, Listed, Source


def find(repository: Path, reference: str, directory: Path | None = None) -> Environment:
    """The environment that ``reference`` means, with every document it is made of, lowest layer first.

    ``site-a``, ``env/site-a``, ``environments/site-a`` and a path (absolute, or from ``directory``, which is the
    repository unless given) to its folder or file all mean the same. The documents are those of ``chain.linearise``,
    then the site-wide overlays that the environments of the chain list: a base's before those of what extends it,
    each once. An overlay lies above every environment.

    Raises ``InputError``: no such site, a parent or overlay that does not exist, a circular ``extends``, an abstract
    environment, a document whose head is wrong, anything that lies outside the repository.
    """
    folder = folder_of(repository, reference, directory or repository)
    site = _environment(repository, folder)
    chain = linearise(site, lambda mention, below: _parent(repository, mention, below))
    if site.abstract:
        raise _abstract(repository, site)
    return Environment(
        name=EnvironmentName(site.name),
        repository=repository,
        file=site.source.file,
        sources=(*(header.source for header in chain), *_overlays(repository, chain)),
    )


def names(repository: Path) -> tuple[Listed, ...]:
    """Every environment of ``repository``, concrete and abstract, in order of name.

    Raises ``InputError`` with every one of them whose head cannot be read.
    """
    found: list[Listed] = []
    with collecting() as mistakes:
        for name in existing(repository):
            with mistakes.attempt():
                folder = environment_folder(repository, name)
                if folder is not None:
                    found.append(_listed(_environment(repository, folder)))
    return tuple(found)


def _listed(header: Header) -> Listed:
    extends = tuple(EnvironmentName(mention.name) for mention in header.extends)
    return Listed(EnvironmentName(header.name), header.source.file, header.abstract, extends)


def _environment(repository: Path, folder: Path) -> Header:
    path = document_file(repository, folder, "environment")
    return head(repository, path, "Environment", folder.name, LayerName(folder.name))


def _parent(repository: Path, mention: Mention, below: Header) -> Header:
    folder = environment_folder(repository, mention.name)
    if folder is not None:
        return _environment(repository, folder)
    known = existing(repository)
    message = (
        f"`{below.name}` extends `{mention.name}`, but there is no such environment: the repository has {listed(known)}"
    )
    others = [name for name in known if name != below.name]
    raise InputError([Diagnostic(message, mention.origin, nearest(mention.name, others))])


def _abstract(repository: Path, site: Header) -> InputError:
    node = site.source.document.entries["abstract"]
    concrete = [str(header.name) for header in names(repository) if not header.abstract]
    message = f"`{site.name}` is abstract: it is there to be extended, and cannot be compiled"
    hint = nearest(site.name, concrete) if concrete else f"an environment with `extends: [{site.name}]`"
    return InputError([Diagnostic(message, node.origin, hint)])


def _overlays(repository: Path, chain: tuple[Header, ...]) -> tuple[Source, ...]:
    found: dict[str, Source] = {}
    with collecting() as mistakes:
        for header in chain:
            for mention in header.overlays:
                with mistakes.attempt():
                    if mention.name not in found:
                        found[mention.name] = _overlay(repository, mention, header)
    return tuple(found.values())


def _overlay(repository: Path, mention: Mention, header: Header) -> Source:
    folder = overlay_folder(repository, mention.name)
    if folder is None:
        known = overlays(repository)
        there = f"the repository has {listed(known)}" if known else "the repository has none"
        message = f"`{header.name}` lists the overlay `{mention.name}`, but there is no such site-wide overlay: {there}"
        hint = nearest(mention.name, list(known)) if known else f"create `{OVERLAYS}/{mention.name}/overlay.yaml`"
        raise InputError([Diagnostic(message, mention.origin, hint)])
    path = document_file(repository, folder, "overlay")
    return head(repository, path, "Overlay", mention.name, LayerName(f"{OVERLAYS}/{mention.name}")).source
