"""What the rules found, for people, for programs, for code hosts (SARIF) and for CI servers (JUnit)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from compiler.cli.terminal import Terminal
from compiler.model.data import Data
from compiler.model.diagnostic import Diagnostic, Severity
from compiler.model.report import Excused, Report, Waiver

if TYPE_CHECKING:
    from compiler.validate import AnyRule

_SHOWN: Final = 10
"""How many findings of one rule a person is shown at once."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A report, the rules that it was made by, and whether all of it is wanted."""

    report: Report
    rules: Mapping[str, AnyRule]
    every: bool = False


def text(answer: Answer, terminal: Terminal) -> str:
    """The findings, those that somebody answers for, and a line for each rule that has any."""
    report = answer.report
    shown = report.findings if answer.every else tuple(shortened(report.findings))
    blocks = [terminal.diagnostic(found) for found in shown]
    if report.excused:
        blocks.append("\n".join([terminal.bold("excused"), *map(_excused, report.excused)]))
    return "\n\n".join([*blocks, _summary(answer, terminal)])


def shortened(found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """At most ten findings of each rule, and after them how many more there are."""
    seen: Counter[tuple[str, Severity]] = Counter()
    for diagnostic in found:
        key = (diagnostic.code, diagnostic.severity)
        seen[key] += 1
        if seen[key] <= _SHOWN or not diagnostic.code:
            yield diagnostic
    for (code, severity), count in sorted(seen.items()):
        if code and count > _SHOWN:
            hint = "`oscompile validate ENV --all` shows them"
            yield Diagnostic(f"and {count - _SHOWN} more of this rule", None, hint, code=code, severity=severity)


def _excused(each: Excused) -> str:
    until = f", until {each.by.expires}" if isinstance(each.by, Waiver) else ""
    return f"  {each.finding.code}  {_about(each.finding)}: {each.by.reason}{until}\n         --> {each.by.origin}"


def _about(found: Diagnostic) -> str:
    if found.field is None:
        return found.message
    return f"{found.field.object}{f', container {found.container}' if found.container else ''}"


def _summary(answer: Answer, terminal: Terminal) -> str:
    report = answer.report
    counts = Counter((found.code, found.severity) for found in report.findings)
    rows = [
        f"  {terminal.bold(code or '-'):<5}  {count:>5} {severity}{'' if count == 1 else 's'}"
        f"  {terminal.dim(answer.rules[code].title if code in answer.rules else 'the site itself')}"
        for (code, severity), count in sorted(counts.items())
    ]
    kept = len(answer.rules.keys() - {code for code, _ in counts})
    totals = [
        _count(len(report.errors), "error"),
        _count(len(report.warnings), "warning"),
        f"{len(report.excused)} excused; {kept} of {len(answer.rules)} rules kept",
    ]
    head = f"{terminal.bold(report.site)}: {', '.join(totals)}"
    return "\n".join([head, *rows])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def as_json(answer: Answer, _: Terminal) -> str:
    """The same for programs."""
    report = answer.report
    counts = Counter(found.code for found in report.findings)
    excused: list[Data] = [{**diagnostic_data(each.finding), **_excuse_data(each)} for each in report.excused]
    data: Data = {
        "site": report.site,
        "errors": len(report.errors),
        "warnings": len(report.warnings),
        "rules": dict(sorted(counts.items())),
        "findings": [diagnostic_data(found) for found in report.findings],
        "excused": excused,
    }
    return json.dumps(data, indent=2, ensure_ascii=False)


def _excuse_data(each: Excused) -> dict[str, Data]:
    by = each.by
    return {
        "reason": by.reason,
        "expires": by.expires if isinstance(by, Waiver) else None,
        "excusedBy": str(by.origin),
    }


def diagnostic_data(diagnostic: Diagnostic) -> dict[str, Data]:
    """A diagnostic for programs."""
    origin, field = diagnostic.origin, diagnostic.field
    return {
        "severity": diagnostic.severity.value,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "file": origin.file if origin else None,
        "line": origin.line if origin else None,
        "column": origin.column if origin else None,
        "hint": diagnostic.hint,
        "object": str(field.object) if field else None,
        "container": diagnostic.container or None,
        "related": [{"message": related.text, "place": str(related.origin)} for related in diagnostic.related],
    }


def rule_data(rule: AnyRule) -> dict[str, Data]:
    """A rule for programs."""
    return {
        "code": rule.code,
        "title": rule.title,
        "severity": rule.severity.value,
        "promise": rule.promise,
        "judged": rule.judged.value,
        "page": rule.page,
    }


def _sarif(answer: Answer, _: Terminal) -> str:
    from compiler.cli import sarif  # noqa: PLC0415 - only for who asks for it

    return sarif.written(answer.report, answer.rules)


def _junit(answer: Answer, _: Terminal) -> str:
    from compiler.cli import junit  # noqa: PLC0415 - as above

    return junit.written(answer.report, answer.rules)


FORMS: Final[Mapping[str, Callable[[Answer, Terminal], str]]] = {
    "text": text,
    "json": as_json,
    "sarif": _sarif,
    "junit": _junit,
}
"""How a report can be written."""
