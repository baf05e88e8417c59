"""What the tests on real servers share: whether they can run here, and where their figures go."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.kubelet import ROOT

REPORT = Path(os.environ.get("OSCOMPILE_SERVERS_REPORT") or ROOT.parent / "report.jsonl")
"""One line for each figure that was measured; `docs/resilience.md` is made of it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what needs servers where there are none."""
    if (ROOT / "etc" / "debian_version").is_file() and os.geteuid() == 0:
        return
    reason = f"no servers in {ROOT}: `make servers` lays them there on Debian, as root"
    for item in items:
        if "servers" in item.path.parts:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Callable[..., None]:
    """``record(what, **figures)``: take down what was measured, under the chart that the module tests.

    The figures that the table knows: ``members``, ``acknowledged``, ``failed``, ``lost``, ``seconds`` (without service, or
    what it took), ``probes`` (their verdicts in words).
    """
    chart = request.path.stem.removeprefix("test_")

    def take_down(what: str, **figures: object) -> None:
        line = json.dumps({"chart": chart, "what": what, "test": request.node.name, **figures})
        print(line)  # shown by -s
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        with REPORT.open("a") as out:
            out.write(line + "\n")

    return take_down
