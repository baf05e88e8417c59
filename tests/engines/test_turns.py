"""A turn that is left out would have changed nothing: what is played is what comes out when everybody looks each time.

The engines look only at what something happened to. Here every Application, Kustomization and pod is told to look in
every turn, in random worlds with a random object that fails and comes back, and the same happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler import annotate, engines, write
from compiler.engines import Rehearsal
from compiler.engines.argocd import ArgoCD as ArgoCDEngine
from compiler.engines.files import revision
from compiler.engines.revision import Revision
from compiler.model.index import INDEX
from compiler.model.manifest import ObjectId
from compiler.model.site import ArgoCD
from tests.graph.worlds import Need, Offer, Part, Thing, World, world


@dataclass(frozen=True)
class Shape:
    """A random site: how many parts each instance has, which parts come after which, and who needs whom."""

    parts: tuple[int, ...]
    granularity: str
    after: frozenset[tuple[int, int, int]] = field(default_factory=frozenset)
    needs: frozenset[tuple[int, int]] = field(default_factory=frozenset)

    def site(self) -> World:
        """The site itself."""
        things = (self._thing(number, count) for number, count in enumerate(self.parts))
        return world(*things).delivered(argocd=ArgoCD(granularity=self.granularity))

    def _thing(self, number: int, count: int) -> Thing:
        parts = tuple(
            Part(f"c{one}", after=tuple(self._before(number, one)), uses=(f"ConfigMap i{number}-etc",))
            for one in range(count)
        )
        needs = {
            f"n{other}": Need(f"i{other}") for mine, other in sorted(self.needs) if mine == number and other < mine
        }
        objects = (f"ConfigMap i{number}-etc c0", f"Service i{number}-c0 c0")
        return Thing(f"i{number}", parts, needs, Offer("c0", 80), objects)

    def _before(self, number: int, one: int) -> Iterator[str]:
        yield from (f"c{low}" for mine, high, low in sorted(self.after) if mine == number and high == one and low < one)


SMALL = st.integers(0, 3)
SHAPES = st.builds(
    Shape,
    st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple),
    st.sampled_from(["site", "instance"]),
    st.frozensets(st.tuples(SMALL, SMALL, SMALL), max_size=8),
    st.frozensets(st.tuples(SMALL, SMALL).filter(lambda pair: pair[1] < pair[0]), max_size=4),
)


def stir(play: Rehearsal) -> None:
    """Tell everybody to look."""
    for one in play.cluster.objects:
        play.cluster._parked.look_at(one)  # noqa: SLF001 - the shortcut is what is tested
    if isinstance(play.engine, ArgoCDEngine):
        for name in play.engine.roster.at(play.revision):
            play.engine._agenda.call(name.name)  # noqa: SLF001 - the same
    else:
        play.engine._woken |= set(play.engine.roster.present)  # noqa: SLF001 - the same


class Restless(Rehearsal):
    """Everybody looks in every turn."""

    def _settle(self) -> bool:
        stir(self)
        return super()._settle()


def days(play: Rehearsal, site: World, broken: ObjectId) -> Iterator[object]:
    """An install without one object, its return, its failure, a loss of power, and a commit: all that can be seen."""
    play.cluster.broken.add(broken)
    yield play.run(), play.stuck()
    play.cluster.broken.discard(broken)
    yield play.run(), play.stuck()
    play.cluster.fail(broken)
    yield play.run(), play.stuck()
    play.cluster.broken.discard(broken)
    yield play.lose_power(), play.stuck()
    yield play.run(commit("commit 2", replace(site, bundles=site.bundles[:-1]))), play.stuck()


def commit(name: str, site: World) -> Revision:
    """The site as it lies in Git."""
    documents = annotate.deliver(site.site, site.instances, site.bundles, site.plan())
    tree = write.lay_out(site.site, site.instances, site.annotated(), site.plan(), documents)
    output = site.site.delivery.output
    return revision(name, {f"{output}/{path}": text.decode() for path, text in tree.files.items() if path != INDEX})


@given(SHAPES, st.integers(0, 20))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
def test_a_turn_that_is_left_out_would_have_changed_nothing(shape: Shape, which: int) -> None:
    site = shape.site()
    first = commit("commit 1", site)
    every = sorted(each.id for objects in first.files.values() for each in objects if each.runs)
    broken = every[which % len(every)]
    for name, play in engines.rehearsals(first, site.site.delivery.output):
        other = dict(engines.rehearsals(first, site.site.delivery.output))[name]
        restless = Restless(other.engine, other.cluster, other.revision, other.log)
        assert list(days(play, site, broken)) == list(days(restless, site, broken))
