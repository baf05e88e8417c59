"""Jsonnet layers: the same files give the same values, with places where they are certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from compiler.documents import read
from compiler.model.names import LayerName
from compiler.model.node import ListNode, MapNode, Node

if TYPE_CHECKING:
    from tests.conftest import World


def evaluated(world: World, text: str, **files: str) -> MapNode:
    world.write({"e/x.jsonnet": text, **{f"lib/{name}.libsonnet": more for name, more in files.items()}})
    node = read(world.root / "e/x.jsonnet", world.root, LayerName("x"))
    assert isinstance(node, MapNode)
    return node


def place(node: MapNode, path: str) -> str:
    found: Node | None = node.get(*path.split("."))
    assert found is not None
    return str(found.origin)


def test_imports_are_searched_beside_the_file_then_from_the_root(world: World) -> None:
    """And an imported file imports from where it lies itself."""
    world.write({"e/near.libsonnet": "{near: true}"})
    node = evaluated(
        world,
        "(import 'near.libsonnet') + (import 'lib/far.libsonnet') + {text: importstr '../lib/more.libsonnet'}",
        far="(import 'more.libsonnet') + {far: true}",
        more="{more: true}",
    )
    assert node.data() == {"near": True, "far": True, "more": True, "text": "{more: true}"}


def test_a_name_that_is_written_once_is_the_place_of_its_value(world: World) -> None:
    """Whatever computes the value; below it what is not certain takes its place."""
    node = evaluated(
        world,
        "local n = 3;\n{\n  // replicas: none\n  replicas: n,\n  'quoted': {inner: 1},\n  list: [{item: x} for x in [1, 2]],\n"
        "  a: {twice: 1},\n  b: {twice: 2},\n  text: |||\n    once: 1\n  |||,\n}\n",
    )
    assert {
        path: place(node, path) for path in ("replicas", "quoted", "quoted.inner", "list", "a.twice", "b.twice")
    } == {
        "replicas": "e/x.jsonnet:4:3",
        "quoted": "e/x.jsonnet:5:3",
        "quoted.inner": "e/x.jsonnet:5:14",
        "list": "e/x.jsonnet:6:3",
        "a.twice": "e/x.jsonnet:7:3",
        "b.twice": "e/x.jsonnet:8:3",
    }
    items = node.get("list")
    assert isinstance(items, ListNode)
    assert [str(item.origin) for item in items.items] == ["e/x.jsonnet:6:3"] * 2
    assert str(node.key_origin("replicas")) == "e/x.jsonnet:4:3"
    assert node.entries["replicas"].origin.layer == "x"


def test_a_name_in_an_imported_file_is_a_place_in_that_file(world: World) -> None:
    """Unless the importing file writes it too."""
    node = evaluated(
        world, "(import 'lib/one.libsonnet') {\n  other: 2,\n  both: 3,\n}\n", one="{\n  size: 1,\n  both: 1,\n}\n"
    )
    assert {path: place(node, path) for path in ("size", "other", "both")} == {
        "size": "lib/one.libsonnet:2:3",
        "other": "e/x.jsonnet:2:3",
        "both": "e/x.jsonnet:1:1",
    }


@pytest.mark.parametrize(
    "text",
    [
        "{\n  size: {},\n  made: {['si' + 'ze']: 1},\n}",
        "{\n  size: {},\n  made: {['size']: 1},\n}",
        "{\n  size: {},\n  made: std.parseJson('{\"size\": 1}'),\n}",
        "{\n  size: {},\n  made: std.parseYaml(importstr 'data.yaml'),\n}",
    ],
)
def test_a_name_that_may_be_computed_elsewhere_is_not_certain(world: World, text: str) -> None:
    """A wrong place would be worse than a rough one."""
    world.write({"e/data.yaml": "size: 1\n"})
    node = evaluated(world, text)
    assert place(node, "made.size") in {"e/x.jsonnet:3:3", "e/x.jsonnet:1:1"}


def test_slices_conditions_and_assertions_are_no_fields(world: World) -> None:
    """Their colons are not those of a field."""
    node = evaluated(
        world,
        "local l = [1, 2, 3], b = 1;\n{\n  assert b == 1 : 'b',\n  a: l[b:2],\n  b: if b == 1 then {c: 1} else {},\n}\n",
    )
    assert node.data() == {"a": [2], "b": {"c": 1}}
    assert (place(node, "a"), place(node, "b")) == ("e/x.jsonnet:4:3", "e/x.jsonnet:1:1")


def test_numbers_mean_what_they_mean_in_yaml(world: World) -> None:
    """Whole ones are integers, and one that 64 bits do not hold is what Go's JSON makes of it."""
    node = evaluated(world, "{a: 3, b: 1.5, c: 1e3, d: 0.1, e: 1e30, f: -2}")
    assert node.data() == {"a": 3, "b": 1.5, "c": 1000, "d": 0.1, "e": 1e30, "f": -2}


def test_a_program_sees_nothing_of_the_machine(world: World) -> None:
    """File names are those of the repository, so two checkouts give the same values."""
    assert evaluated(world, "{file: std.thisFile}").data() == {"file": "e/x.jsonnet"}
