"""Every renderer that there is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from compiler.render import EmbeddedRenderer, Renderer, program


@pytest.fixture(scope="session")
def renderers(helm_programs: Mapping[str, Path]) -> Mapping[str, Renderer]:
    """The embedded engine, and the programs Helm 3 and Helm 4, by name."""
    programs = {name: program(str(path)) for name, path in helm_programs.items()}
    return {"embedded": EmbeddedRenderer(), **programs}


@pytest.fixture(params=["embedded", "helm3", "helm4"])
def renderer(request: pytest.FixtureRequest, renderers: Mapping[str, Renderer]) -> Renderer:
    """Each of them in turn: what holds of one must hold of all."""
    return renderers[request.param]
