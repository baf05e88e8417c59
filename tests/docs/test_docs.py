"""What the documents say is what the program does."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from compiler import validate
from compiler.model.diagnostic import Severity
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


def test_the_index_of_rules_is_that_of_the_program(pytestconfig: pytest.Config) -> None:
    """Every rule with its severity, and when it is judged; its page is one command away."""
    file = ROOT / "docs" / "rules.md"
    text = file.read_text(encoding="utf-8")
    table = "\n".join(["| code | rule | severity | judged |", "| --- | --- | --- | --- |", *map(rule_row, rules())])
    expected = re.sub(
        r"<!-- rules -->\n.*?<!-- /rules -->",
        lambda _: f"<!-- rules -->\n{table}\n<!-- /rules -->",
        text,
        flags=re.DOTALL,
    )
    if pytestconfig.getoption("--update-goldens"):
        file.write_text(expected, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == expected, "run `make golden`"


def rules() -> list[validate.AnyRule]:
    """Every rule, in order of its code."""
    return [rule for _, rule in sorted(validate.RULES.items())]


def rule_row(rule: validate.AnyRule) -> str:
    """One rule in the index."""
    promise = "; warning without a contract" if rule.promise and rule.severity is Severity.ERROR else ""
    return f"| {rule.code} | {rule.title} | {rule.severity}{promise} | {rule.judged} |"


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.code)
def test_the_page_of_every_rule_is_whole(rule: validate.AnyRule) -> None:
    """What it checks, why it matters, an example, and what to do instead."""
    for part in ("Check ", "Why it matters: ", "Example: ", "Use instead: ", "Judged: "):
        assert f"\n{part}" in rule.page, part


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
