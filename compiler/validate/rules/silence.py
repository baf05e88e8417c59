"""The pages of the rules about values that change nothing: see ``compiler/trace``, which renders without them."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.model.diagnostic import Severity
from compiler.model.instance import Instance
from compiler.validate.rule import ELSEWHERE, Finding, rule


@rule(ELSEWHERE, "OS060", "a value that a layer sets is one that the chart reads")
def is_read(_: Instance) -> Iterator[Finding]:
    """Check that no layer sets a value that neither the chart's own values nor its templates know.

    Why it matters: a chart without a strict schema takes a misspelt value without a word; what was meant stays as it
    was. The compiler renders without the value: where all is the same and no template names the key, it is a typo.

    Example: `replicaCounts: 3` for a chart whose value is `replicaCount`.

    Use instead: the name that the message suggests; `helm show values` lists them all.
    """
    return iter(())


@rule(ELSEWHERE, "OS061", "a value that a layer sets changes something", Severity.WARNING)
def changes_something(_: Instance) -> Iterator[Finding]:
    """Check that what a layer sets, or deletes, makes a difference to what is rendered.

    Why it matters: somebody believes that it does. Often it is a switch that is off; the value waits for it, or was
    forgotten. It is no error: a base may say what only some of its sites use. A value that equals the chart's default
    is not meant: it holds on to what it says when the chart's default changes.

    Example: `persistence: {size: 50Gi}` beside `persistence: {enabled: false}`; `hosts: null` where nobody set `hosts`.

    Use instead: nothing, or the switch as well; `oscompile explain` says what a value reaches.
    """
    return iter(())
