"""A report as SARIF 2.1.0, which code hosts show beside the lines of a pull request.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0 (``runs``, ``results``, ``suppressions``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from compiler.model.data import Data
from compiler.model.diagnostic import Diagnostic
from compiler.model.node import Origin
from compiler.model.report import Excused, Report, Waiver

if TYPE_CHECKING:
    from compiler.validate import AnyRule

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT: Final = "REPOSITORY"
"""Files are named from the root of the repository; where that lies is the reader's business."""

_NO_RULE: Final = "oscompile"
"""The rule of what no rule says: a file that cannot be read, a chart that cannot be rendered."""


def written(report: Report, rules: Mapping[str, AnyRule]) -> str:
    """The report as one run: every finding a result, what is excused with its suppression, every rule with its page."""
    results: list[Data] = [_result(found) for found in report.findings]
    results += [{**_result(each.finding), "suppressions": [_suppression(each)]} for each in report.excused]
    run: Data = {
        "tool": {"driver": {"name": "oscompile", "rules": [*map(_rule, rules.values()), _other()]}},
        "originalUriBaseIds": {_ROOT: {"description": {"text": "the root of the repository"}}},
        "columnKind": "unicodeCodePoints",
        "automationDetails": {"id": f"oscompile/{report.site}/"},
        "results": results,
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(rule: AnyRule) -> Data:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "help": {"text": rule.page},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _other() -> Data:
    return {"id": _NO_RULE, "shortDescription": {"text": "the site can be read, rendered and ordered"}}


def _result(found: Diagnostic) -> dict[str, Data]:
    hint = f"\ntry: {found.hint}" if found.hint else ""
    result: dict[str, Data] = {
        "ruleId": found.code or _NO_RULE,
        "level": found.severity.value,
        "message": {"text": found.message + hint},
        "partialFingerprints": {"finding/v1": f"{found.code} {found.message}"},
    }
    if found.origin is not None:
        result["locations"] = [_location(found, found.origin)]
    if found.related:
        result["relatedLocations"] = [
            {"physicalLocation": _place(related.origin), "message": {"text": related.text}} for related in found.related
        ]
    return result


def _location(found: Diagnostic, origin: Origin) -> Data:
    place: dict[str, Data] = {"physicalLocation": _place(origin)}
    if found.field is not None:
        place["logicalLocations"] = [{"fullyQualifiedName": str(found.field), "kind": "resource"}]
    return place


def _place(origin: Origin) -> Data:
    return {
        "artifactLocation": {"uri": origin.file, "uriBaseId": _ROOT},
        "region": {"startLine": origin.line, "startColumn": origin.column},
    }


def _suppression(each: Excused) -> Data:
    until = f" (until {each.by.expires})" if isinstance(each.by, Waiver) else ""
    return {
        "kind": "external",
        "status": "accepted",
        "justification": each.by.reason + until,
        "location": {"physicalLocation": _place(each.by.origin)},
    }
