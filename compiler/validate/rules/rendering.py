"""The pages of the rules that reading what was rendered enforces: see ``compiler/render``."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.model.diagnostic import Severity
from compiler.model.instance import Instance
from compiler.validate.rule import ELSEWHERE, Finding, Judged, rule


@rule(ELSEWHERE, "OS001", "a chart renders the same each time", judged=Judged.RENDER)
def deterministic(_: Instance) -> Iterator[Finding]:
    """Check that a chart renders the same twice, at another time, and with its maps in another order.

    Why it matters: what changes with each render is a change in each pull request, and rolls pods for nothing.

    Example: `randAlphaNum 16` as the default of a password; `values` over a map without `sortAlpha`.

    Use instead: a Secret declared in `component.yaml`; the value that the message names, which pins the outcome.
    """
    return iter(())


@rule(ELSEWHERE, "OS002", "no template asks for chance, the time or a cluster", Severity.WARNING, judged=Judged.RENDER)
def asks_nothing(_: Instance) -> Iterator[Finding]:
    """Check that no template calls a function whose answer is not in its values: `randAlphaNum`, `now`, `lookup`, ...

    Why it matters: here the values given to the chart keep the answer out of the output; the next value may not. And a
    compile asks no cluster, so `lookup` finds nothing.

    Example: `{{ .Values.password | default (randAlphaNum 16) }}`

    Use instead: a required value, or a Secret declared in `component.yaml`.
    """
    return iter(())


@rule(ELSEWHERE, "OS004", "every namespaced object names its namespace", Severity.WARNING, judged=Judged.RENDER)
def names_its_namespace(_: Instance) -> Iterator[Finding]:
    """Check that every namespaced object says which namespace it is in.

    Why it matters: without it an object lands wherever the engine that applies it happens to point. The compiler writes
    the instance's namespace where a chart leaves it out, and warns.

    Example: `metadata: {name: keystone-api}` in a template.

    Use instead: `namespace: {{ .Release.Namespace }}`, which `common.metadata` writes.
    """
    return iter(())
