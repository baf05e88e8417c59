"""A chart's values as a Markdown table, made from the ``# --`` comments of its ``values.yaml``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

BEGIN: Final = "<!-- values -->"
END: Final = "<!-- /values -->"
_KEY: Final = re.compile(r"(?P<indent> *)(?P<key>[^\s#:'\"][^:]*|\"[^\"]+\"):(?: |$)")
_SHOWN: Final = 60


@dataclass(frozen=True)
class Row:
    """One documented value."""

    path: tuple[str, ...]
    text: str


def readme_with_table(chart: Path) -> str:
    """The README of ``chart`` with the table between its two marks made anew."""
    text = (chart / "README.md").read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, f"{chart.name}/README.md must hold `{BEGIN}`"
    assert end, f"{chart.name}/README.md must hold `{END}`"
    return f"{before}{BEGIN}\n{table(chart / 'values.yaml')}{END}{after}"


def table(file: Path) -> str:
    """Every documented value of ``file``: its path, its default, what it is."""
    text = file.read_text(encoding="utf-8")
    values = yaml.safe_load(text)
    lines = ["| value | default | what it is |", "| --- | --- | --- |"]
    documented = list(rows(text))
    parents = {row.path[:depth] for row in documented for depth in range(1, len(row.path))}
    for row in documented:
        default = "" if row.path in parents else f"`{shown(at(values, row.path))}`"
        lines.append(f"| `{'.'.join(row.path)}` | {default} | {escaped(row.text)} |")
    return "\n".join(lines) + "\n"


def rows(text: str) -> Iterator[Row]:
    """Each key with the comment right above it that begins with ``# --``."""
    stack: list[tuple[int, str]] = []
    comment: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("# --"):
            comment = [stripped.removeprefix("# --").strip()] if not stripped.startswith("# ---") else []
        elif stripped.startswith("#"):
            comment += [stripped.lstrip("# ")] if comment else []
        elif found := _KEY.match(line):
            indent = len(found["indent"])
            stack = [entry for entry in stack if entry[0] < indent] + [(indent, found["key"].strip('"'))]
            if comment:
                yield Row(tuple(key for _, key in stack), " ".join(comment))
            comment = []
        else:
            comment = []


def at(values: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - a value of a chart
    """The default at ``path``."""
    for key in path:
        values = values[key]
    return values


def shown(value: Any) -> str:  # noqa: ANN401 - as above
    """A default in a few characters."""
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    text = text.replace("\n", " ").strip()
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def escaped(text: str) -> str:
    """Text that may stand in a cell."""
    return text.replace("|", "\\|")
