"""The sites that we ship: every edge of their plans is held by what is really in their trees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from compiler import annotate, pipeline
from compiler.model.site import ArgoCD, Flux
from tests.delivery.argocd import ArgoCD as ArgoReader
from tests.delivery.files import laid
from tests.delivery.flux import Flux as FluxReader
from tests.delivery.order import constructs


@pytest.fixture(scope="module", params=["site-a", "dev"])
def compiled(request: pytest.FixtureRequest, repository: Path) -> pipeline.Compiled:
    return pipeline.compile_site(pipeline.Request(request.param, repository, cached=False))


def delivered(compiled: pipeline.Compiled, root: Path, granularity: str) -> Path:
    """The site's tree on disk, delivered by both engines; returns its directory."""
    delivery = replace(
        compiled.site.delivery,
        url=compiled.site.delivery.url or "https://git.example.org/sites.git",
        argocd=ArgoCD(granularity=granularity),
        flux=Flux(),
    )
    site = replace(compiled.site, delivery=delivery)
    documents = annotate.deliver(site, compiled.instances, compiled.bundles, compiled.plan)
    laid(site, compiled.instances, compiled.bundles, compiled.plan, documents, root)
    return root / delivery.output


def argocd(compiled: pipeline.Compiled, root: Path, granularity: str) -> ArgoReader:
    output = delivered(compiled, root, granularity)
    return ArgoReader(root, output / f"argocd/application.argoproj.io.{compiled.site.name}.yaml")


def test_one_application_for_the_site(compiled: pipeline.Compiled, tmp_path: Path) -> None:
    assert set(constructs(compiled.plan, argocd(compiled, tmp_path, "site").held)) <= {"wave", "kind"}


def test_one_application_for_each_instance(compiled: pipeline.Compiled, tmp_path: Path) -> None:
    """Waves inside, the pods' own wait between."""
    reader = argocd(compiled, tmp_path, "instance")
    assert set(constructs(compiled.plan, reader.held, between=False)) <= {"wave", "kind"}
    found = constructs(compiled.plan, reader.held, between=True)
    assert set(found) - {""} == {"the pods' own wait", "refused by the API server until then, and retried"}


def test_flux(compiled: pipeline.Compiled, tmp_path: Path) -> None:
    reader = FluxReader(tmp_path, delivered(compiled, tmp_path, "instance") / "flux")
    assert set(constructs(compiled.plan, reader.held)) <= {"dependsOn", "stage"}
    assert set(reader.of) == set(compiled.plan.waves)
    assert len(reader.order()) == len(compiled.plan.levels)
