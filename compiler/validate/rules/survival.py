"""The rule that the site survives: what the solver proved, as findings."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.model.diagnostic import Severity
from compiler.model.node import Origin
from compiler.survival import complaints
from compiler.validate.rule import SITE_RULES, Finding, View, rule


@rule(SITE_RULES, "OS029", "the site survives the loss of any host, and of any zone", promise=True)
def survives(view: View) -> Iterator[Finding]:
    """Check that the loss of any host and of any zone leaves quorums their majority and APIs somebody.

    Every placement that the scheduler's hard constraints allow is considered, and what must start again must fit.

    What the scheduler merely prefers is no promise: members that only preferred anti-affinity keeps apart are taken to
    be on one host. The loss of a zone is a warning where no placement on the site's hosts would survive it, and
    everything is one for workloads without a contract. A site without a `topology` is told once that nothing is proved.

    Why it matters: a host will be lost, and where the pods were that day was decided months earlier, by accident.

    Example: three members of a database with `preferredDuringSchedulingIgnoredDuringExecution` alone; three members
    whose storage class makes volumes in one zone; a site that is so full that a lost host's pods find no room.

    Use instead: charts of this portfolio bind their spread where `topology` has the hosts; a third-party chart needs
    `topologySpreadConstraints` with `whenUnsatisfiable: DoNotSchedule`, or required anti-affinity, in its values.
    `oscompile survive ENV` prints the whole table.
    """
    if view.site.development:
        return
    if view.site.topology is None:
        yield Finding(
            "the site does not say what its hosts are, so nothing proves that it survives losing one",
            Origin(view.site.file),
            "`topology: {hosts: [{count: 3, zone: rack-1}]}`",
            severity=Severity.WARNING,
        )
    for each in complaints(view.survey):
        subject = view.owner(each.pods.instance)
        origin = subject.origin(each.pods.manifest) if subject else None
        yield Finding(each.message, origin, each.hint, each.field, severity=each.severity)
