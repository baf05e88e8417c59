"""The rule about values and schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator

from compiler.documents import schema
from compiler.model.instance import Instance
from compiler.model.node import without_nulls
from compiler.validate.rule import SCHEMA_RULES, Finding, rule


@rule(SCHEMA_RULES, "OS003", "values fit the schema of their chart")
def values_fit_the_schema(instance: Instance) -> Iterator[Finding]:
    """Check that the finished values of an instance are what the chart's `values.schema.json` says.

    Why it matters: a misspelt value changes nothing and says nothing, until the day it was needed.

    Example: `replcas: 5` for a chart whose value is `replicas`.

    Use instead: the name that the message suggests; `helm show values` lists them all.
    """
    if instance.chart.schema is None:
        return
    subject = f"the values of `{instance.name}`"
    for found in schema.check(without_nulls(instance.values), json.loads(instance.chart.schema), subject):
        message = found.message if subject in found.message else f"in {subject}, {found.message}"
        yield Finding(message, found.origin, found.hint)
