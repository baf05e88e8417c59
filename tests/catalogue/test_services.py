"""What oslo.config's own validator says, over the real packages of a service, is what the catalogue says."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from compiler.catalogue import load
from compiler.catalogue.check import check_files
from compiler.model.diagnostic import Severity

REPOSITORY = Path(__file__).parents[2]
SERVICES = REPOSITORY / ".venv" / "services" / "bin"
RELEASE = "2026.1"
INSTALLED = {"keystone"}
"""The services that `tests/services.lock` installs."""


def rendered() -> Iterator[tuple[str, str, str]]:
    """Every file of oslo.config in a golden file of a chart of ours: a name, its service, its text."""
    for chart in sorted((REPOSITORY / "charts").iterdir()):
        contract = chart / "component.yaml"
        declared = yaml.safe_load(contract.read_text(encoding="utf-8")) if contract.exists() else {}
        for file, about in declared.get("configuration", {}).items():
            for case in sorted((REPOSITORY / "golden" / "charts" / chart.name).glob("*.yaml")):
                manifests = yaml.safe_load(case.read_text(encoding="utf-8"))["manifests"]
                for thing in yaml.safe_load_all(manifests):
                    if thing and thing["kind"] == "ConfigMap" and file in thing["data"]:
                        yield (
                            f"{chart.name}-{case.stem}-{thing['metadata']['name']}",
                            about["service"],
                            thing["data"][file],
                        )


TEXTS = list({(service, text): name for name, service, text in rendered()}.items())


@cache
def namespaces() -> tuple[str, ...]:
    """What the installed packages list options under."""
    program = "import json, importlib.metadata as m; print(json.dumps([p.name for p in m.entry_points(group='oslo.config.opts')]))"
    said = subprocess.run([SERVICES / "python", "-c", program], check=True, capture_output=True, text=True)
    found: list[str] = json.loads(said.stdout)
    return tuple(sorted(set(found)))


def judged(text: str, directory: Path) -> tuple[bool, str]:
    """Whether the service's own validator accepts a file, and what it prints."""
    file = directory / "service.conf"
    file.write_text(text, encoding="utf-8")
    listed = [argument for name in namespaces() for argument in ("--namespace", name)]
    command = [str(SERVICES / "oslo-config-validator"), "--input-file", str(file), *listed]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={"PYTHONWARNINGS": "ignore"})
    return done.returncode == 0, done.stdout + done.stderr


def errors(service: str, text: str) -> list[str]:
    """What the catalogue says of a file."""
    options = load(service, RELEASE)
    assert options is not None
    return [found.message for found in check_files({"f": text}, options) if found.severity is Severity.ERROR]


@pytest.mark.parametrize(("service", "text"), [pair for pair, _ in TEXTS], ids=[name for _, name in TEXTS])
def test_every_rendered_file_passes_the_validator_of_its_service_and_the_catalogue(
    service: str, text: str, tmp_path: Path
) -> None:
    assert service in INSTALLED, "add the package to tests/services.lock"
    accepted, said = judged(text, tmp_path)
    assert accepted, said
    assert errors(service, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "[oslo_messaging_rabbit]\nrabbit_quorum_queues = true\n",
        "[databse]\nconnection = x\n",
        "[DEFAULT]\nlog_fil = x\n",
        "[token]\nprovidr = fernet\n",
    ],
)
def test_what_the_validator_refuses_the_catalogue_refuses(text: str, tmp_path: Path) -> None:
    accepted, said = judged(text, tmp_path)
    assert not accepted, said
    assert errors("keystone", text)
