"""What both engines make of the sites that we ship, and of small worlds: good days and bad ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from compiler import annotate, engines, write
from compiler.engines import Applied, Emitted, Rehearsal, Revision
from compiler.engines.files import revision as from_files
from compiler.model.manifest import ObjectId
from compiler.model.plan import Plan, Vertex
from compiler.model.site import ArgoCD, Flux
from compiler.pipeline import Judged, Request, judge_site
from tests.graph.worlds import KEYSTONE, MARIADB, MEMCACHED, SITE_OBJECTS, Part, Thing, World, control_plane, world

SITES: Final = ("site-a", "dev")
DATABASE: Final = ObjectId("openstack", "StatefulSet", "apps", "mariadb-server")
API: Final = ObjectId("openstack", "Deployment", "apps", "keystone-api")
ENGINES: Final = ("Argo CD", "Flux")
MATERIALISED: Final = {"ExternalSecret", "Secret"}


def read(found: Emitted, name: str) -> Revision:
    """A commit of what was emitted."""
    given = found.revision
    return Revision(name, given.files, given.skipped, given.listings)


def emitted(judged: Judged) -> Emitted:
    """A site that we ship, delivered by both engines."""
    url = judged.site.delivery.url or "https://git.example.org/sites.git"
    delivery = replace(judged.site.delivery, url=url, argocd=ArgoCD(), flux=Flux())
    site = replace(judged.site, delivery=delivery)
    documents = annotate.deliver(site, judged.instances, judged.bundles, judged.plan)
    return Emitted(delivery.output, judged.bundles, documents)


@pytest.fixture(scope="module", params=SITES)
def shipped(request: pytest.FixtureRequest, repository: Path) -> Judged:
    return judge_site(Request(request.param, repository, cached=False))


@pytest.fixture(params=ENGINES)
def installed(request: pytest.FixtureRequest, shipped: Judged) -> Rehearsal:
    """A rehearsal of one engine, after a first install."""
    found = emitted(shipped)
    play = dict(engines.rehearsals(read(found, "commit 1"), found.output))[request.param]
    play.run()
    return play


def of_world(site: World) -> Callable[[str], Mapping[str, Rehearsal]]:
    """What begins rehearsals of a small world on both engines."""
    found = Emitted(site.site.delivery.output, site.annotated(), site.documents())
    return lambda name: dict(engines.rehearsals(read(found, name), found.output))


def revision_of(site: World, name: str) -> Revision:
    return read(Emitted(site.site.delivery.output, site.annotated(), site.documents()), name)


def after(plan: Plan, vertex: Vertex) -> set[Vertex]:
    """Every vertex that comes after one, directly or through others."""
    following: defaultdict[Vertex, set[Vertex]] = defaultdict(set)
    for edge in plan.edges:
        following[edge.before].add(edge.after)
    found: set[Vertex] = set()
    queue = [vertex]
    while queue:
        new = following[queue.pop()] - found
        found |= new
        queue += new
    return found


def test_a_first_install_comes_to_its_end(installed: Rehearsal) -> None:
    """Applications that are too early for their Namespace fail, are tried again, and have synced in the end."""
    assert not installed.stuck()
    assert not installed.failures()


def test_every_edge_is_held(shipped: Judged) -> None:
    """On both engines, whatever the granularity."""
    proofs = engines.prove(shipped.plan, emitted(shipped).revision)
    assert {proof.engine for proof in proofs} == set(ENGINES)
    assert not [proof for proof in proofs if proof.construct == engines.NOTHING]


def test_an_upgrade_of_one_component_touches_nothing_else(shipped: Judged, installed: Rehearsal) -> None:
    """The next commit changes the API's Deployment alone; nothing else is applied, nothing is deleted or made anew."""
    bundles = tuple(
        replace(
            bundle,
            manifests=tuple(
                replace(one, body=one.body.replace("replicas:", "replicas: 9 #", 1)) if one.id == API else one
                for one in bundle.manifests
            ),
        )
        for bundle in shipped.bundles
    )
    log = installed.run(read(emitted(replace(shipped, bundles=bundles)), "commit 2"))
    done = [entry.what for entry in log if entry.what.startswith(("applies", "deletes"))]
    assert [what.partition(" (")[0] for what in done] == [f"applies {API}"]
    assert not installed.stuck()


def test_after_a_loss_of_power_everything_comes_back_in_order(installed: Rehearsal) -> None:
    """No engine has anything to do; the API starts after the database, because its pods wait for it."""
    started = installed.lose_power()
    assert not installed.stuck()
    assert started[DATABASE] < started[API]


def test_a_provider_that_flaps_moves_nothing(installed: Rehearsal) -> None:
    """While it is away and when it is back: nothing is applied, deleted or made anew."""
    installed.cluster.fail(DATABASE)
    away = installed.run()
    installed.cluster.broken.discard(DATABASE)
    back = installed.run()
    assert not [entry for entry in (*away, *back) if entry.what.startswith(("applies", "deletes"))]
    assert not installed.stuck()


def test_what_never_becomes_healthy_blocks_what_comes_after_it_and_nothing_else(shipped: Judged) -> None:
    """Flux holds every edge itself, so that is exactly the plan. Argo CD stops the rest of the instance's waves too."""
    plan, found = shipped.plan, emitted(shipped)
    home = plan.homes[DATABASE]
    waiting = after(plan, home)
    plays = dict(engines.rehearsals(read(found, "commit 1"), found.output))
    flux = {plan.homes[one] for one in plays["Flux"].blocked_by(DATABASE)}
    assert flux - {home} == {vertex for vertex in waiting if vertex in set(plan.homes.values())}
    argocd = {plan.homes[one].instance for one in plays["Argo CD"].blocked_by(DATABASE)}
    assert argocd == {vertex.instance for vertex in waiting}


def test_an_instance_that_leaves_goes_and_nothing_else_does() -> None:
    """Its objects are deleted; what the engines must keep (its Namespace) stays, and so does everybody else's."""
    tool = Thing("tool", (Part("web"),), objects=("ConfigMap tool-etc web",), namespace="tools")
    whole = world(MARIADB, MEMCACHED, KEYSTONE, tool, site_objects=SITE_OBJECTS)
    rest = world(MARIADB, MEMCACHED, KEYSTONE, site_objects=SITE_OBJECTS)
    for play in of_world(whole)("commit 1").values():
        play.run()
        assert not play.stuck()
        gone = [
            entry.what.partition(" (")[0]
            for entry in play.run(revision_of(rest, "commit 2"))
            if entry.what.startswith("deletes") and "argocd/" not in entry.what and "flux-system/" not in entry.what
        ]
        assert sorted(gone) == ["deletes tools/ConfigMap tool-etc", "deletes tools/Deployment tool-web"]
        assert ObjectId("", "Namespace", "", "tools") in play.cluster.objects
        assert not play.stuck()


def test_a_small_world_comes_back_from_a_loss_of_power() -> None:
    """Also where two instances wait for one another through different components."""
    for play in of_world(control_plane())("commit 1").values():
        play.run()
        play.lose_power()
        assert not play.stuck()


def test_the_files_on_disk_say_what_the_compile_knows(shipped: Judged) -> None:
    """What is proved in memory is proved of the bytes: read again, every file comes to the same object."""
    found = emitted(shipped)
    tree = write.lay_out(shipped.site, shipped.instances, found.bundles, shipped.plan, found.documents)
    texts = {f"{found.output}/{path}": content.decode() for path, content in tree.files.items()}
    again = from_files("commit 1", {path: text for path, text in texts.items() if not path.endswith("index.json")})
    assert again.listings == found.revision.listings
    assert {path: _alike(objects) for path, objects in again.files.items()} == {
        path: _alike(objects) for path, objects in found.revision.files.items()
    }


def _alike(objects: tuple[Applied, ...]) -> list[Applied]:
    """Objects without the digest of their text, which is taken of the bytes in one place and of the data in the other.

    What the compiler itself makes of a declared Secret names the store too, once it is read again.
    """
    alike = (replace(each, text="") for each in objects)
    return [replace(each, needs=(), makes=()) if each.id.kind in MATERIALISED else each for each in alike]
