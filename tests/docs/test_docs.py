"""What the documents say is what the program does."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import ROOT, World
from tests.docs.values_table import readme_with_table, rows

CHARTS: Final = sorted(path.parent for path in (ROOT / "charts").glob("*/component.yaml"))
DOCUMENTS: Final = sorted(
    path for path in ROOT.rglob("*.md") if not {".venv", "golden", "rendered"} & set(path.relative_to(ROOT).parts)
)
_LINK: Final = re.compile(r"\]\((?P<target>[^)#\s]+)(?:#[^)]*)?\)")
_SECONDS: Final = re.compile(r"\d+\.\d+ s")


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_the_table_of_values_is_that_of_the_chart(chart: Path, pytestconfig: pytest.Config) -> None:
    expected, file = readme_with_table(chart), chart / "README.md"
    if pytestconfig.getoption("--update-goldens"):
        file.write_text(expected, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == expected, "run `make golden`"


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_every_top_level_value_is_documented(chart: Path) -> None:
    text = (chart / "values.yaml").read_text(encoding="utf-8")
    keys = set(re.findall(r"^([A-Za-z]\w*):", text, re.MULTILINE))
    assert keys == {row.path[0] for row in rows(text)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(document: Path) -> None:
    targets = _LINK.findall(document.read_text(encoding="utf-8"))
    missing = [target for target in targets if "://" not in target and not (document.parent / target).exists()]
    assert missing == []


def test_the_readme_shows_what_the_demo_shows(shipped_world: World, pytestconfig: pytest.Config) -> None:
    """Times differ from machine to machine; the rest is what a newcomer will see."""
    shown = "```console\n$ make demo\n" + _SECONDS.sub("0.70 s", shipped_world.run("env/site-a").stdout) + "```\n"
    file = ROOT / "README.md"
    text = file.read_text(encoding="utf-8")
    expected = re.sub(
        r"<!-- demo -->\n.*?<!-- /demo -->", lambda _: f"<!-- demo -->\n{shown}<!-- /demo -->", text, flags=re.DOTALL
    )
    if pytestconfig.getoption("--update-goldens"):
        file.write_text(expected, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == expected, "run `make golden`"


def test_every_option_of_the_program_is_in_the_readme(world: World) -> None:
    said = world.run("--help").stdout
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^  (\w+)(?: ENV| \[|  )", said.partition("commands:")[2], re.MULTILINE)
    for command in commands:
        assert f"oscompile {command}" in readme or command == "ENV", command
    for ending in ("--dry-run", "--commit", "--check", "--set", "--output"):
        assert ending in readme


def test_no_path_of_a_machine_is_in_any_tracked_file() -> None:
    found = subprocess.run(
        ["git", "grep", "-nIE", r"(^|[^A-Za-z0-9_./-])/(work|farm|root|home)/", "--", ".", ":!tests/docs", ":!golden"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""
