"""The tables of what was killed and what was lost are those of tests that exist, and nothing in them was lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.servers.report import MARKED, PAGE, renew

SERVERS = Path(__file__).parents[1] / "servers"
TABLES = {match[2]: match[0].splitlines()[3:-1] for match in MARKED.finditer(PAGE.read_text())}
DEFINED = re.compile(r"^def (test_\w+)", re.MULTILINE)


@pytest.mark.parametrize("chart", TABLES)
def test_a_table_is_that_of_its_tests(chart: str) -> None:
    known = {name for path in SERVERS.glob(f"test_{chart}*.py") for name in DEFINED.findall(path.read_text())}
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in TABLES[chart]]
    assert cells, f"no measurement of {chart}: run `make servers`"
    assert {row[7].strip("`") for row in cells} <= known
    assert {row[3] for row in cells} <= {"", "0"}


def test_every_data_service_has_a_table() -> None:
    assert {"mariadb", "rabbitmq", "memcached", "valkey"} <= set(TABLES)


def test_a_table_is_replaced_as_a_whole_and_others_stay() -> None:
    page = "before\n<!-- measured: a -->\nold\n<!-- end -->\n<!-- measured: b -->\nkept\n<!-- end -->\n"
    found = renew(page, {"a": [{"chart": "a", "what": "all lost", "test": "test_x[1]", "lost": 0, "back": 3}]})
    assert "old" not in found
    assert "| all lost |  |  | 0 |  |  | back: 3 | `test_x` |\n<!-- end -->" in found
    assert "<!-- measured: b -->\nkept\n" in found
