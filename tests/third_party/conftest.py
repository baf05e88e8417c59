"""A miniature portfolio with the habits of the largest one there is: see ``charts/``."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from compiler import pipeline
from compiler.model.manifest import Manifest
from compiler.pipeline import Compiled, Request
from tests.conftest import World

CHARTS: Final = Path(__file__).parent / "charts"
HEAD: Final = """\
apiVersion: oscompile/v1alpha1
kind: Environment
metadata: {name: site}
development: true
secrets: {chartDefaults: ["*"]}
kubernetes: {version: "1.35"}
delivery: {output: rendered/site, repository: {url: https://git.example.org/site.git}, argocd: {}, flux: {}}
"""


@dataclass(frozen=True)
class Portfolio:
    """A repository into which charts of the portfolio are put, as directories or packed."""

    world: World

    def shelve(self, *names: str) -> Portfolio:
        """Put charts into ``third-party/``, each with its own copy of the toolkit, as ``helm dependency build`` does."""
        for name in names:
            target = self.world.root / "third-party" / name
            shutil.copytree(CHARTS / name, target)
            shutil.copytree(CHARTS / "toolkit", target / "charts" / "toolkit")
        return self

    def pack(self, name: str) -> bytes:
        """The archive of a chart."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as archive:
            archive.add(CHARTS / name, name)
            archive.add(CHARTS / "toolkit", f"{name}/charts/toolkit")
        return out.getvalue()

    def site(self, instances: str, files: Mapping[str, str] | None = None) -> Portfolio:
        """Write the environment ``site`` with these instances, and other files."""
        self.world.write({"environments/site/environment.yaml": f"{HEAD}instances:\n{instances}", **(files or {})})
        return self

    def compile(self) -> Compiled:
        """The compiled site."""
        return pipeline.compile_site(Request("site", self.world.root, cached=False, jobs=1))

    def run(self, *words: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """The program, as a user runs it."""
        return self.world.run(*words, environment=environment)


@pytest.fixture
def portfolio(world: World) -> Portfolio:
    """An empty repository beside the miniature charts."""
    return Portfolio(world)


def manifests(compiled: Compiled, instance: str) -> dict[str, Manifest]:
    """What an instance rendered, by kind and name."""
    bundle = next(bundle for bundle in compiled.bundles if bundle.instance == instance)
    return {f"{manifest.id.kind}/{manifest.id.name}": manifest for manifest in bundle.manifests}
