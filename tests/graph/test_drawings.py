"""A plan in words and pictures, from afar and from near."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from compiler import graph
from compiler.graph import Level
from compiler.model.chart import Role
from tests.graph.worlds import Offer, Part, Thing, control_plane, thing_object, world

if TYPE_CHECKING:
    from collections.abc import Callable

PLAN = world(Thing("a", (Part("one"), Part("two", after=("one",)), Part("node", Role.AGENT, after=("one",))))).plan()
PICTURE = graph.picture(PLAN)
SVG = "{http://www.w3.org/2000/svg}"


def _read(drawing: str) -> ET.Element:
    return ET.fromstring(drawing)  # noqa: S314 - our own drawing


def test_text_lists_waves_and_marks_the_critical_path() -> None:
    """What follows from the rest is left out: `a/two` comes after the Namespace because `a/one` does."""
    assert graph.text(PICTURE) == (
        "wave 0\n"
        "  * site/namespaces\n"
        "wave 1\n"
        "  * a/one            after site/namespaces\n"
        "wave 2\n"
        "  * a/node           after a/one\n"
        "    a/two            after a/one\n"
        "critical path: site/namespaces -> a/one -> a/node\n"
    )


def test_text_ends_in_what_was_dropped() -> None:
    """An edge that begins at an agent is not hidden."""
    plan = world(Thing("a", (Part("node", Role.AGENT), Part("web", after=("node",))))).plan()
    said = graph.text(graph.picture(plan)).splitlines()
    assert said[-1] == "dropped: a/web after a/node, which gates nothing"


def test_instances_that_wait_for_one_another_share_a_rank() -> None:
    """Nova and neutron do, through different components; both arrows are drawn."""
    said = graph.text(graph.picture(control_plane().plan(), Level.INSTANCE))
    assert "rank 3\n  * neutron    after keystone, nova\n  * nova       after keystone, neutron\n" in said


def test_objects_come_after_what_runs_in_the_components_before() -> None:
    """The StatefulSet stands for its component: the ConfigMap that is applied with it gates nothing of its own."""
    site = world(
        Thing(
            "db",
            (Part("server", Role.QUORUM), Part("proxy", after=("server",))),
            offer=Offer("server"),
            objects=("ConfigMap db-server server", "Service db-proxy proxy"),
        )
    )
    picture = graph.picture(site.plan(), Level.OBJECT)
    found = {(one.name, other.name) for one, other in picture.nearest}
    assert found == {
        ("Namespace openstack", "openstack/ConfigMap db-server"),
        ("Namespace openstack", "openstack/StatefulSet db-server"),
        ("openstack/StatefulSet db-server", "openstack/Deployment db-proxy"),
        ("openstack/StatefulSet db-server", "openstack/Service db-proxy"),
    }
    assert [box.name for box in picture.critical] == [
        "Namespace openstack",
        "openstack/StatefulSet db-server",
        "openstack/Deployment db-proxy",
    ]


def test_many_objects_on_both_sides_meet_in_one_point() -> None:
    """A hundred objects before a hundred others are two hundred arrows, and not ten thousand."""
    site = world(Thing("db", (Part("server"),)), Thing("web", (Part("api", after=("shared",)),)))
    several = [thing_object("web", "openstack", f"ConfigMap web-{number:03} api") for number in range(100)]
    shared = [thing_object("web", "openstack", f"ConfigMap shared-{number:03} shared") for number in range(100)]
    plan = site.with_objects("web", *several, *shared).plan()
    arrows = graph.picture(plan, Level.OBJECT).arrows
    assert len([arrow for arrow in arrows if "all of web/shared" in {box.name for box in arrow}]) == 201


def test_mermaid_has_a_frame_for_each_instance() -> None:
    assert graph.mermaid(PICTURE) == (
        "flowchart LR\n"
        '  subgraph v0i["a"]\n'
        '    v0["node"]\n'
        '    v1["one"]\n'
        '    v2["two"]\n'
        "  end\n"
        '  subgraph v3i["site"]\n'
        '    v3["namespaces"]\n'
        "  end\n"
        "  v1 ==> v0\n"
        "  v1 --> v2\n"
        "  v3 ==> v1\n"
        "  classDef critical stroke-width:3px\n"
        "  classDef ungated stroke-dasharray:4\n"
        "  class v3 critical\n"
        "  class v1 critical\n"
        "  class v0 critical\n"
        "  class v0 ungated\n"
    )


def test_dot_has_a_cluster_for_each_instance() -> None:
    assert graph.dot(PICTURE) == (
        "digraph site {\n"
        "  rankdir=LR\n"
        "  node [shape=box]\n"
        "  subgraph cluster_v0 {\n"
        '    label="a"\n'
        '    v0 [label="node", style=bold]\n'
        '    v1 [label="one", style=bold]\n'
        '    v2 [label="two"]\n'
        "  }\n"
        "  subgraph cluster_v3 {\n"
        '    label="site"\n'
        '    v3 [label="namespaces", style=bold]\n'
        "  }\n"
        "  v1 -> v0 [style=bold]\n"
        "  v1 -> v2\n"
        "  v3 -> v1 [style=bold]\n"
        "}\n"
    )


def test_svg_has_every_box_in_the_column_of_its_wave_and_every_arrow() -> None:
    """Boxes of one wave begin at one place, those of a later wave further right; the critical path is marked."""
    picture = graph.picture(control_plane().plan())
    root = _read(graph.svg(picture))
    at = {
        str(group.findtext(f"{SVG}title")): float(group.find(f"{SVG}rect").attrib["x"])  # type: ignore[union-attr]
        for group in root.iter(f"{SVG}g")
    }
    lefts = [{at[box.name] for box in boxes} for boxes in picture.columns.values()]
    assert all(len(left) == 1 for left in lefts)
    assert sorted(lefts, key=min) == lefts
    drawn = [path.attrib["class"] for path in root.iter(f"{SVG}path") if "class" in path.attrib]
    assert len(drawn) == len(picture.nearest)
    assert drawn.count("arrow critical") == len(picture.critical) - 1


def test_no_two_boxes_of_an_svg_overlap() -> None:
    root = _read(graph.svg(graph.picture(control_plane().plan(), Level.OBJECT)))
    rects = [group.find(f"{SVG}rect") for group in root.iter(f"{SVG}g")]
    places = sorted((float(rect.attrib["x"]), float(rect.attrib["y"])) for rect in rects if rect is not None)
    height = min(float(rect.attrib["height"]) for rect in rects if rect is not None)
    for (x, y), (other_x, other_y) in pairwise(places):
        assert x != other_x or other_y - y >= height


def test_every_form_is_the_same_twice() -> None:
    forms: tuple[Callable[[graph.Picture], object], ...] = (
        graph.text,
        graph.mermaid,
        graph.dot,
        graph.svg,
        graph.data,
    )
    for level in Level:
        for form in forms:
            assert form(graph.picture(control_plane().plan(), level)) == form(
                graph.picture(control_plane().plan(), level)
            )


def test_machines_read_everything() -> None:
    """It is plain data: every node, every edge with its reasons and places, also what follows from others."""
    found = graph.data(PICTURE)
    assert json.loads(json.dumps(found)) == found
    assert found["waves"] == 3
    assert found["criticalPath"] == ["site/namespaces", "a/one", "a/node"]
    assert found["edges"] == [
        {
            "before": "a/one",
            "after": "a/node",
            "follows": False,
            "because": [{"why": "its contract puts it after `one`", "place": "charts/a/component.yaml:12:3"}],
        },
        {
            "before": "a/one",
            "after": "a/two",
            "follows": False,
            "because": [{"why": "its contract puts it after `one`", "place": "charts/a/component.yaml:11:3"}],
        },
        *(
            {
                "before": "site/namespaces",
                "after": after,
                "follows": after != "a/one",
                "because": [{"why": "it lies in Namespace `openstack`", "place": "environments/tiny/a.yaml:1:1"}],
            }
            for after in ("a/node", "a/one", "a/two")
        ),
    ]
