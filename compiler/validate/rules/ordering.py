"""Rules about what the engines will make of the order. They hold the emitted files against the models of both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compiler import engines
from compiler.engines import Circle, Rehearsal, Stuck
from compiler.model.node import Origin
from compiler.validate.circles import Tracer
from compiler.validate.rule import SITE_RULES, Finding, View, rule
from compiler.validate.verdicts import remembered

_HINT: Final = (
    "a wait in the pods for the address that they are bound to; `granularity: site`, which holds every edge by waves; "
    "or `gate: none` where the address is needed at run time only"
)


@rule(SITE_RULES, "OS049", "an engine keeps every edge of the order")
def every_edge_is_held(view: View) -> Iterator[Finding]:
    """Check that a construct of the emitted files makes each engine keep every edge of the order.

    Argo CD: a wave that is awaited, in one Application; between Applications the wait of the pods themselves, or a
    refusal of the API server that is retried. Flux: `dependsOn` on a Kustomization that waits. A chain of such edges.

    Why it matters: an edge that nothing holds is kept by luck. The new API starts beside the old schema once in ten
    syncs, and the other nine show nothing.

    Example: two Applications, and a Deployment whose pods do not wait for the database that they are bound to; a
    resource in a wave of its own whose kind Argo CD has no health check for.

    Use instead: a wait in the pods, `granularity: site`, or `gate: none` for what is needed at run time only.
    """
    edges = "\n".join(f"{edge.before} {edge.after}" for edge in view.plan.edges)
    yield from remembered(view, "OS049", edges, _unheld)


def _unheld(view: View) -> Iterator[Finding]:
    for proof in engines.prove(view.plan, view.emitted.revision):
        if proof.construct == engines.NOTHING:
            edge = proof.edge
            asked = f"`{edge.after}` must come after `{edge.before}`, because {edge.why}"
            yield Finding(f"{asked}, but nothing makes {proof.engine} keep that: {proof.lack}", edge.origin, _HINT)


@rule(SITE_RULES, "OS050", "a first install comes to its end on every engine")
def an_install_ends(view: View) -> Iterator[Finding]:
    """Check that a first install, played on a model of each engine, ends with everything applied and healthy.

    What the site does not hold is taken to be there: OS014 and OS015 say what must be.

    Why it matters: engines wait without a word. A Kustomization in a circle of `dependsOn` is never reconciled; a sync
    that waits for a Deployment whose pods wait for a Job of a later wave stands still for ever.

    Example: pods that wait for a Job, and a contract that puts the Job `after` them.

    Use instead: let the Job come before what waits for it (`after:` in a contract), or take the wait away.
    """
    yield from remembered(view, "OS050", "", _played)


def _played(view: View) -> Iterator[Finding]:
    for engine, play in engines.rehearsals(view.emitted.revision, view.emitted.output):
        play.run()
        yield from _stuck(view, engine, play, play.stuck())


def _stuck(view: View, engine: str, play: Rehearsal, stuck: Stuck) -> Iterator[Finding]:
    """Circles where there are any; else the syncs that fail; else what can never become healthy."""
    if not stuck:
        return
    if stuck.circles:
        yield from (_circle(view, engine, circle) for circle in stuck.circles)
        return
    places = {
        manifest.id: subject.origin(manifest) for subject in view.subjects for manifest in subject.bundle.manifests
    }
    failures = play.failures()
    for entry in failures:
        yield Finding(f"{engine} does not come to an end: {entry}", _site(view), _ROOT)
    roots = {one: why for one, why in stuck.unhealthy.items() if one in stuck.in_vain} or stuck.unhealthy
    for one, reasons in roots.items() if not failures else ():
        why = "; ".join(reasons) or "nothing says why"
        yield Finding(f"{one} never becomes healthy on {engine}: {why}", places.get(one, _site(view)), _ROOT)


def _circle(view: View, engine: str, circle: Circle) -> Finding:
    """The circle, with the place of each of its steps."""
    path, tracer = " -> ".join(map(str, circle)), Tracer(view)
    message = f"{engine} waits in a circle (`a -> b`: a waits for b): {path}"
    field, origin = tracer.place(circle)
    return Finding(message, origin, _CIRCLE, field, related=tracer.steps(circle))


_CIRCLE: Final = "an order without it: another `after:`, one wait of the pods less, no hook"
_ROOT: Final = "`oscompile graph ENV --why OBJECT` tells what comes before it"


def _site(view: View) -> Origin:
    return Origin(view.site.file)
