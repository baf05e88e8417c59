"""Write the tables of `docs/resilience.md` from what the tests on real servers measured.

Called by `make servers` after a run: ``python -m tests.servers.report REPORT``. A table stands between two marks
(``<!-- measured: CHART -->`` and ``<!-- end -->``) and is replaced as a whole, if the run measured that chart.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "resilience.md"
MARKED = re.compile(r"(<!-- measured: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)

Figures = Mapping[str, Any]
_OWN = ("chart", "what", "test", "members", "acknowledged", "failed", "lost", "seconds", "probes")
_HEAD = (
    "| what happened | members | writes acknowledged | lost | refused | seconds without service | else | test |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
)


def read(report: Path) -> dict[str, list[Figures]]:
    """The last measurement of each thing, by chart, in the order of the run."""
    found: dict[str, dict[str, Figures]] = {}
    for line in report.read_text().splitlines():
        figures = json.loads(line)
        found.setdefault(figures["chart"].partition("_")[0], {})[figures["what"]] = figures
    return {chart: list(rows.values()) for chart, rows in found.items()}


def table(rows: Iterable[Figures]) -> str:
    """A table of what was measured."""
    return _HEAD + "".join(_row(figures) for figures in rows)


def _row(figures: Figures) -> str:
    told = [f"{name.replace('_', ' ')}: {value}" for name, value in figures.items() if name not in _OWN]
    if probes := figures.get("probes"):
        told.append(str(probes))
    named = (str(figures.get(name, "")) for name in ("members", "acknowledged", "lost", "failed", "seconds"))
    test = figures["test"].partition("[")[0]
    return f"| {figures['what']} | {' | '.join(named)} | {'; '.join(told)} | `{test}` |\n"


def renew(page: str, measured: Mapping[str, Iterable[Figures]]) -> str:
    """The page with every table replaced whose chart was measured."""
    return MARKED.sub(lambda m: m[1] + table(measured[m[2]]) + m[3] if m[2] in measured else m[0], page)


if __name__ == "__main__":
    PAGE.write_text(renew(PAGE.read_text(), read(Path(sys.argv[1]))))
