"""A plan in words and pictures."""

from __future__ import annotations

import json

from compiler import graph
from compiler.model.chart import Role
from tests.graph.worlds import Part, Thing, world

PLAN = world(Thing("a", (Part("one"), Part("two", after=("one",)), Part("node", Role.AGENT, after=("one",))))).plan()


def test_text_lists_waves_and_marks_the_critical_path() -> None:
    assert graph.text(PLAN) == (
        "wave 0\n"
        "  * site/namespaces\n"
        "wave 1\n"
        "  * a/one            after site/namespaces\n"
        "wave 2\n"
        "  * a/node           after site/namespaces, a/one\n"
        "    a/two            after site/namespaces, a/one\n"
        "critical path: site/namespaces -> a/one -> a/node\n"
    )


def test_text_ends_in_what_was_dropped() -> None:
    """An edge that begins at an agent is not hidden."""
    plan = world(Thing("a", (Part("node", Role.AGENT), Part("web", after=("node",))))).plan()
    assert graph.text(plan).splitlines()[-1] == "dropped: a/web after a/node, which gates nothing"


def test_mermaid_has_a_box_for_each_instance() -> None:
    assert graph.mermaid(PLAN) == (
        "flowchart LR\n"
        '  subgraph v0i["site"]\n'
        '    v0["namespaces"]\n'
        "  end\n"
        '  subgraph v1i["a"]\n'
        '    v1["node"]\n'
        '    v2["one"]\n'
        '    v3["two"]\n'
        "  end\n"
        "  v0 --> v1\n"
        "  v0 ==> v2\n"
        "  v0 --> v3\n"
        "  v2 ==> v1\n"
        "  v2 --> v3\n"
        "  classDef critical stroke-width:3px\n"
        "  classDef ungated stroke-dasharray:4\n"
        "  class v0 critical\n"
        "  class v2 critical\n"
        "  class v1 critical\n"
        "  class v1 ungated\n"
    )


def test_dot_has_a_cluster_for_each_instance() -> None:
    assert graph.dot(PLAN) == (
        "digraph site {\n"
        "  rankdir=LR\n"
        "  node [shape=box]\n"
        "  subgraph cluster_v0 {\n"
        '    label="site"\n'
        '    v0 [label="namespaces", style=bold]\n'
        "  }\n"
        "  subgraph cluster_v1 {\n"
        '    label="a"\n'
        '    v1 [label="node", style=bold]\n'
        '    v2 [label="one", style=bold]\n'
        '    v3 [label="two"]\n'
        "  }\n"
        "  v0 -> v1\n"
        "  v0 -> v2 [style=bold]\n"
        "  v0 -> v3\n"
        "  v2 -> v1 [style=bold]\n"
        "  v2 -> v3\n"
        "}\n"
    )


def test_machines_read_everything() -> None:
    """It is plain data: every component, every edge with its reason and place, what was dropped, the critical path."""
    found = graph.describe(PLAN)
    assert json.loads(json.dumps(found)) == found
    assert found["waves"] == 3
    assert found["criticalPath"] == ["site/namespaces", "a/one", "a/node"]
    assert {
        "before": "a/one",
        "after": "a/two",
        "why": "its contract puts it after `one`",
        "place": "charts/a/component.yaml:11:3",
    } in found["edges"]  # type: ignore[operator]
