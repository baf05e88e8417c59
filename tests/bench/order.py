"""What ordering costs as sites grow: a graph of 100,000 edges, and one instance with 10,000 objects.

Each is measured at a quarter of the size and whole, in CPU time; the ratio says how it grows (4 is linear). Worlds are
made from the nouns, so that nothing but these rooms is measured. Run by ``make bench``.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from compiler import annotate, engines, graph  # noqa: E402 - the tests are not installed, and neither is the root
from compiler.graph import Level  # noqa: E402 - the same
from compiler.model.site import ArgoCD  # noqa: E402 - the same
from tests.graph.worlds import Part, Thing, World, thing_object, world  # noqa: E402 - the same

T = TypeVar("T")

PARTS, BEFORE = 105, 10
"""Components of an instance, and after how many of those before it each one comes."""


def tangled(instances: int) -> World:
    """Instances whose components come after ten others each: 1,000 edges an instance."""
    return world(*(Thing(f"i{number}", tuple(_parts())) for number in range(instances)))


def _parts() -> Iterator[Part]:
    for number in range(PARTS):
        yield Part(f"c{number}", after=tuple(f"c{each}" for each in range(max(0, number - BEFORE), number)))


def wide(objects: int) -> World:
    """One instance of a hundred components, with so many ConfigMaps."""
    parts = tuple(Part(f"c{number}", after=(f"c{number - 1}",) if number else ()) for number in range(100))
    maps = (thing_object("big", "openstack", f"ConfigMap big-{each} c{each % 100}") for each in range(objects - 100))
    return world(Thing("big", parts)).with_objects("big", *maps)


def costs(site: World) -> Iterator[tuple[str, float]]:
    """The CPU time of each step, in order."""
    site = site.delivered(argocd=ArgoCD(granularity="site"))
    plan, seconds = _timed(site.plan)
    yield "order", seconds
    bundles, seconds = _timed(lambda: annotate.annotate(site.bundles, plan))
    yield "annotate", seconds
    documents, seconds = _timed(lambda: annotate.deliver(site.site, site.instances, bundles, plan))
    yield "deliver", seconds
    output = site.site.delivery.output
    revision, seconds = _timed(lambda: engines.compiled(output, bundles, documents))
    yield "read as engines do", seconds
    _, seconds = _timed(lambda: engines.prove(plan, revision))
    yield "prove every edge", seconds
    _, seconds = _timed(lambda: [play.run() for _, play in engines.rehearsals(revision, output)])
    yield "play an install", seconds
    broken = next(one for one, home in plan.homes.items() if home in plan.gating and one.kind == "Deployment")
    _, seconds = _timed(lambda: [play.blocked_by(broken) for _, play in engines.rehearsals(revision, output)])
    yield "what one blocks", seconds
    _, seconds = _timed(lambda: [graph.text(graph.picture(plan, level)) for level in Level])
    yield "draw, three levels", seconds


def _timed(step: Callable[[], T]) -> tuple[T, float]:
    started = time.process_time()
    result = step()
    return result, time.process_time() - started


def report() -> None:
    """Measure and print both worlds at both sizes."""
    gc.disable()  # as the command does
    for title, make, size in (("edges", tangled, 100), ("objects of one instance", wide, 10_000)):
        small, large = make(size // 4), make(size)
        count = len(large.plan().edges) if make is tangled else size
        print(f"{count} {title}")
        for (step, before), (_, after) in zip(costs(small), costs(large), strict=True):
            print(f"  {step:<20} {before:7.2f} s at a quarter  {after:7.2f} s  (x {after / max(before, 0.001):.1f})")


if __name__ == "__main__":
    report()
