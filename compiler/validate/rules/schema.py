"""The rule about values and schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from compiler.documents import schema
from compiler.documents.verdict import fault
from compiler.model.diagnostic import Severity
from compiler.model.instance import Instance
from compiler.model.node import Origin, without_nulls
from compiler.validate.rule import INPUT_RULES, SCHEMA_RULES, SITE_RULES, Finding, View, rule

_ELSEWHERE: Final = re.compile(r'"\$ref"\s*:\s*"(https?://(?!json-schema\.org/)[^"]+)"')
_TITLE: Final = "values fit the schema of their chart"


@rule(SCHEMA_RULES, "OS003", _TITLE)
def values_fit_the_schema(instance: Instance) -> Iterator[Finding]:
    """Check that the finished values of an instance are what the chart's `values.schema.json` says.

    A chart with a contract of its own that has no such schema, or one that takes any key at its top, is a warning.

    Why it matters: a misspelt value changes nothing and says nothing, until the day it was needed.

    Example: `replcas: 5` for a chart whose value is `replicas`.

    Use instead: the name that the message suggests; `helm show values` lists them all.
    """
    if instance.chart.schema is None:
        return
    why = fault(instance.chart.schema)
    if why:
        message = f"the schema of the chart `{instance.chart.name}` must be a JSON schema, but is not: {why}"
        yield Finding(message, Origin(f"{instance.chart.path}/values.schema.json"), "what `helm lint` accepts")
        return
    subject = f"the values of `{instance.name}`"
    for found in schema.check(without_nulls(instance.values), json.loads(instance.chart.schema), subject):
        message = found.message if subject in found.message else f"in {subject}, {found.message}"
        yield Finding(message, found.origin, found.hint)


@rule(INPUT_RULES, "OS003", _TITLE)
def schemas_are_here(instance: Instance) -> Iterator[Finding]:
    """Check that no schema leads to another machine, before Helm follows; the page is that of the rule above."""
    found = _ELSEWHERE.search(instance.chart.schema or "")
    if found is not None:
        message = f"the schema of the chart `{instance.chart.name}` refers to {found[1]}, and a compile asks no network"
        origin = Origin(f"{instance.chart.path}/values.schema.json")
        yield Finding(message, origin, "what it refers to under `$defs` of the schema itself")


@rule(SITE_RULES, "OS003", _TITLE)
def charts_have_strict_schemas(view: View) -> Iterator[Finding]:
    """Check that charts with a contract have a schema that refuses unknown keys; the page is that of the rule above."""
    told: set[str] = set()
    for instance in view.instances:
        chart = instance.chart
        if chart.contract is None or not chart.contract.shipped or chart.path in told:
            continue
        told.add(chart.path)
        if chart.schema is None:
            message = f"the chart `{chart.name}` has a contract, but no `values.schema.json`"
        elif not _is_closed(json.loads(chart.schema)):
            message = f"the schema of the chart `{chart.name}` takes any key at its top, so a misspelt one as well"
        else:
            continue
        hint = "`additionalProperties: false` in `values.schema.json`"
        yield Finding(message, Origin(f"{chart.path}/Chart.yaml"), hint, severity=Severity.WARNING)


def _is_closed(form: Mapping[str, Any]) -> bool:
    return form.get("additionalProperties") is False or form.get("unevaluatedProperties") is False
