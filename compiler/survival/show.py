"""The survey as a table for people, and as data for machines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from compiler.model.data import Data
from compiler.survival.budgets import Protection
from compiler.survival.complaints import complaints
from compiler.survival.survey import Loss, Row, Survey

_WIDTH: Final = 100
_LEGEND: Final = (
    "needs   pods that must stay, of how many",
    "on      hosts and zones that admit them",
    "host    the most that losing one host takes, wherever the scheduler put them; zone, pair: likewise",
    "budget  pods that a drain may take at once; `blocks`: none; `idle`: too many; `-`: no budget",
)


def text(survey: Survey) -> str:
    """The table, one row for each workload, in a hundred columns; then what it rests on and what it cannot say."""
    words = _verdicts(survey)
    head = ["workload", "role", "needs", "on", "host", "zone", *(["pair"] if survey.pairs else []), "budget", "verdict"]
    cells = [_cells(row, words.get(id(row.pods), ""), survey) for row in survey.rows]
    lines = [_first(survey), "", *_table([head, *cells]), "", *map(_wrapped, _LEGEND)]
    lines += [f"\n{_wrapped(note)}" for note in _notes(survey)]
    return "\n".join(lines)


def describe(survey: Survey) -> dict[str, Data]:
    """The survey for machines."""
    words = _verdicts(survey)
    return {
        "site": survey.site,
        "proved": survey.topology is not None and not survey.development,
        "hosts": survey.topology.count if survey.topology else None,
        "workloads": [_row_data(row, words.get(id(row.pods), ""), survey) for row in survey.rows],
        "shortages": [
            {"loss": each.loss or None, "workload": each.demand.pods.name, "pods": each.count}
            for each in survey.shortages
        ],
        "tight": list(survey.tight),
        "doubts": list(survey.doubts),
    }


def _wrapped(line: str) -> str:
    """A line of prose within the width; what follows is set in under it."""
    return textwrap.fill(line, _WIDTH, subsequent_indent=" " * 8, break_on_hyphens=False)


def _first(survey: Survey) -> str:
    if survey.development:
        return f"{survey.site} is a development site: it runs everything once and survives nothing, by intention"
    if survey.topology is None:
        return f"{survey.site} does not say what its hosts are (`topology`), so nothing is proved"
    zones = len({group.zone for group in survey.topology.hosts if group.zone})
    return (
        f"{survey.site}: {survey.topology.count} hosts in {zones} zones, every placement that the scheduler may choose"
    )


def _verdicts(survey: Survey) -> dict[int, str]:
    words: dict[int, str] = {}
    for each in complaints(survey):
        words.setdefault(id(each.pods), each.word)
    for row in survey.rows:
        words.setdefault(id(row.pods), _verdict(row, survey))
    return words


def _verdict(row: Row, survey: Survey) -> str:
    if row.even:
        return f"even: as good as {row.pods.count - 1}"
    if row.protection is Protection.BLOCKS:
        return "drains blocked"
    if survey.topology is None or survey.development:
        return "not proved"
    if not row.needed:
        waits = row.moves != "site" or (row.host is not None and row.host.waits)
        return "waits for its host" if waits else "starts elsewhere"
    return "survives"


def _cells(row: Row, word: str, survey: Survey) -> list[str]:
    role = str(row.pods.role) if row.pods.role else f"({row.pods.kind.lower()})"
    pair = [_taken(row.pair, row)] if survey.pairs else []
    on = f"{row.hosts}/{len(row.zones)}" if survey.topology and not survey.development else "-"
    return [
        row.pods.name,
        role,
        f"{row.needed}/{row.pods.count}",
        on,
        _taken(row.host, row),
        _taken(row.zone, row),
        *pair,
        _budget(row),
        word,
    ]


def _taken(loss: Loss | None, row: Row) -> str:
    """How many the loss takes; marked where that is too many."""
    if loss is None:
        return "-"
    return f"{loss.taken}" if loss.survives or not row.needed else f"{loss.taken}!"


def _budget(row: Row) -> str:
    if row.budget is None:
        return "-"
    if row.protection is Protection.HOLDS or row.pods.count == 1:
        return str(row.budget.allowed)
    return str(row.protection)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    widths[0] = min(widths[0], _WIDTH - sum(widths[1:]) - 2 * (len(widths) - 1))
    return ["  ".join(_fitted(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _fitted(cell: str, width: int) -> str:
    return cell.ljust(width) if len(cell) <= width else f"{cell[: width - 3]}..."


def _notes(survey: Survey) -> Iterable[str]:
    if survey.topology is None or survey.development:
        return
    if not survey.shortages and not any("capacity" in doubt for doubt in survey.doubts):
        yield "room: all that must start again after the loss of a host or a zone finds room"
    if survey.tight:
        listed = ", ".join(dict.fromkeys(survey.tight))
        yield f"tight: after the loss of {listed}, whether everything fits is a matter of the order of placing"
    for doubt in survey.doubts:
        yield f"not proved: {doubt}"


def _row_data(row: Row, word: str, survey: Survey) -> dict[str, Data]:
    return {
        "instance": row.pods.instance,
        "component": row.pods.component,
        "kind": row.pods.kind,
        "namespace": row.pods.manifest.id.namespace,
        "role": row.pods.role,
        "members": row.pods.count,
        "needed": row.needed,
        "hosts": row.hosts,
        "zones": list(row.zones),
        "loss": {
            kind: _loss_data(loss)
            for kind, loss in (("host", row.host), ("zone", row.zone), ("pair", row.pair))
            if kind != "pair" or survey.pairs
        },
        "budget": {"allowed": row.budget.allowed if row.budget else None, "protection": row.protection.value},
        "verdict": word,
    }


def _loss_data(loss: Loss | None) -> Data:
    if loss is None:
        return None
    return {
        "what": loss.what,
        "taken": loss.taken,
        "left": loss.left,
        "survives": loss.survives,
        "avoidable": loss.avoidable,
        "waiting": loss.waits,
    }
