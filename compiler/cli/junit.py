"""A report as JUnit XML, which CI servers show as tests: one suite, one test for each rule or broken place.

Source: the schema of the Ant task and of Jenkins' xUnit plug-in: ``testsuites``, ``testsuite``, ``testcase`` with
``failure`` or ``skipped``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from compiler.model.diagnostic import Diagnostic, Severity
from compiler.model.report import Excused, Report

if TYPE_CHECKING:
    from compiler.validate import AnyRule

_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, however it is written."""


def written(report: Report, rules: Mapping[str, AnyRule]) -> str:
    """One test for each finding: an error fails, what is excused is skipped, a warning passes with its text as output.

    A rule without findings is one test that passes.
    """
    broken = {found.code for found in report.findings} | {each.finding.code for each in report.excused}
    cases = [_case(code, rule.title) for code, rule in rules.items() if code not in broken]
    cases += [*map(_finding, report.findings), *map(_excused, report.excused)]
    counts = {
        "tests": str(len(cases)),
        "failures": str(len(report.errors)),
        "errors": "0",
        "skipped": str(len(report.excused)),
    }
    suites = ET.Element("testsuites", counts)
    ET.SubElement(suites, "testsuite", {"name": f"oscompile validate {report.site}", **counts}).extend(cases)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True)


def _case(code: str, name: str) -> ET.Element:
    return ET.Element("testcase", {"classname": code or "oscompile", "name": _clean(name)})


def _finding(found: Diagnostic) -> ET.Element:
    case = _case(found.code, found.message)
    if found.severity is Severity.ERROR:
        ET.SubElement(case, "failure", {"message": _clean(found.message), "type": found.code or "oscompile"})
        case[0].text = _clean(str(found))
    else:
        ET.SubElement(case, "system-out").text = _clean(str(found))
    case.attrib |= dict(_place(found))
    return case


def _excused(each: Excused) -> ET.Element:
    case = _case(each.finding.code, each.finding.message)
    ET.SubElement(case, "skipped", {"message": _clean(each.by.reason)})
    return case


def _place(found: Diagnostic) -> Iterator[tuple[str, str]]:
    if found.origin is not None:
        yield from (("file", found.origin.file), ("line", str(found.origin.line)))


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
