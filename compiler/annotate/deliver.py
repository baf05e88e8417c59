"""The objects that hand a site to its engines."""

from __future__ import annotations

from typing import Final

from compiler.annotate import argocd, flux
from compiler.errors import Collector, collecting
from compiler.model.instance import Instance
from compiler.model.manifest import Bundle
from compiler.model.node import Origin
from compiler.model.plan import Plan
from compiler.model.site import Site
from compiler.model.tree import Document

_FOLDERS: Final = frozenset({"argocd", "flux"})
_SKIP: Final = "+argocd:skip-file-rendering"


def deliver(
    site: Site, instances: tuple[Instance, ...], bundles: tuple[Bundle, ...], plan: Plan
) -> tuple[Document, ...]:
    """The delivery documents of ``site``, by path: below ``argocd/`` and ``flux/``, for each engine that it names.

    Raises ``InputError`` where the site does not say which repository its output is pushed to, where a namespace is
    called like one of these folders, and for an object that Argo CD would overlook.
    """
    if site.delivery.argocd is None and site.delivery.flux is None:
        return ()
    with collecting() as mistakes:
        _check_url(site, mistakes)
        _check_namespaces(instances, mistakes)
        if site.delivery.argocd is not None:
            _check_skipped(bundles, mistakes)
    documents = (*argocd.documents(site, instances, bundles, plan), *flux.documents(site, bundles, plan))
    return tuple(sorted(documents, key=lambda document: document.path))


def _check_url(site: Site, mistakes: Collector) -> None:
    if site.delivery.url:
        return
    engines = [name for name, engine in (("Argo CD", site.delivery.argocd), ("Flux", site.delivery.flux)) if engine]
    node = site.document.get("delivery")
    mistakes.add(
        f"`delivery.repository.url` must name the Git repository that {' and '.join(engines)} read "
        f"`{site.delivery.output}` from, but is not set",
        node.origin if node else Origin(site.file),
        "`repository: {url: https://git.example.org/sites.git}`, where this repository is pushed to",
    )


def _check_namespaces(instances: tuple[Instance, ...], mistakes: Collector) -> None:
    for instance in instances:
        if instance.namespace in _FOLDERS:
            mistakes.add(
                f"the namespace of `{instance.name}` must not be `{instance.namespace}`: "
                "the objects that deliver the site lie in a folder of that name",
                instance.origin,
                "another namespace",
            )


def _check_skipped(bundles: tuple[Bundle, ...], mistakes: Collector) -> None:
    for bundle in bundles:
        for manifest in bundle.manifests:
            if _SKIP in manifest.body or _SKIP in manifest.metadata:
                mistakes.add(
                    f"{manifest.id} must not hold the text `{_SKIP}`: Argo CD skips every file that does",
                    Origin(manifest.template),
                    "take it out of the template, or split it in two",
                )
