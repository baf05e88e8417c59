"""What people write: places kept, surprises refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from compiler.documents import parse_node, parse_stream, read
from compiler.errors import InputError
from compiler.model.node import MapNode, Node, leaves

if TYPE_CHECKING:
    from pytest_golden.plugin import GoldenTestFixture

    from tests.conftest import World


def places(node: Node) -> dict[str, str]:
    return {".".join(path): str(leaf.origin) for path, leaf in leaves(node)}


@pytest.mark.golden_test("bad/*.yaml")
def test_a_mistake_is_told_with_its_place_and_what_to_try(golden: GoldenTestFixture, world: World) -> None:
    """Each file of ``bad/``: files, the one that is read, and the whole message."""
    golden.get("about")
    world.write(golden["files"])
    for link, target in golden.get("links", {}).items():
        (world.root / link).symlink_to(target)
    with pytest.raises(InputError) as failure:
        read(world.root / golden["read"], world.root)
    assert golden.out["error"] == str(failure.value)


def test_every_value_and_key_knows_its_place(world: World) -> None:
    """File, line and column, relative to the repository."""
    world.write({"a/b.yaml": "# comment\na: 1\nb:\n  - x\nc: {d: [1], e: {}}\nf: |\n  text\n'g': !append [h]\n"})
    node = read(world.root / "a/b.yaml", world.root)
    assert isinstance(node, MapNode)
    assert places(node) == {
        "a": "a/b.yaml:2:4",
        "b": "a/b.yaml:4:3",
        "c.d": "a/b.yaml:5:8",
        "c.e": "a/b.yaml:5:16",
        "f": "a/b.yaml:6:4",
        "g": "a/b.yaml:8:6",
    }
    assert [str(node.key_origin(key)) for key in node.entries] == [f"a/b.yaml:{line}:1" for line in (2, 3, 5, 6, 8)]
    assert node.entries["g"].tag == "!append"


def test_a_tag_of_ours_does_not_change_what_a_value_is() -> None:
    """It says what to do with the value; alone, it stands before null."""
    node = parse_node('a: !x 0644\nb: !x "0644"\nc: !x\nd: !x ~\ne: !x ""\n', "f.yaml")
    assert node is not None
    assert node.data() == {"a": 420, "b": "0644", "c": None, "d": None, "e": ""}


def test_an_alias_is_the_value_that_it_names() -> None:
    """With its place; ``<<`` lays a map under the keys beside it."""
    node = parse_node("base: &base {x: 1, z: 2}\nsame: *base\nmore: {<<: *base, z: 3}\n", "f.yaml")
    assert node is not None
    assert node.data() == {"base": {"x": 1, "z": 2}, "same": {"x": 1, "z": 2}, "more": {"x": 1, "z": 3}}
    assert places(node)["more.x"] == "f.yaml:1:17"


def test_an_url_needs_no_quotes() -> None:
    """Also between braces, where older readers stumble over its colon."""
    node = parse_node("a: {url: https://example.org/x, port: 80}\nb: [http://x:80, a:b]\n", "f.yaml")
    assert node is not None
    assert node.data() == {"a": {"url": "https://example.org/x", "port": 80}, "b": ["http://x:80", "a:b"]}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "\n\n"])
def test_an_empty_file_is_nothing(text: str, world: World) -> None:
    """Not null, and not an empty map: whoever reads it decides."""
    world.write({"f.yaml": text})
    assert read(world.root / "f.yaml", world.root) is None


def test_a_stream_is_its_documents_with_the_lines_that_they_begin_at() -> None:
    """Empty documents are skipped, as Helm and kubectl skip them."""
    text = "---\n# Source: a\n---\na: 1\n---\n---\nb: 2\n...\n"
    assert list(parse_stream(text, "rendered")) == [(4, {"a": 1}), (7, {"b": 2})]


def test_a_file_that_is_not_utf8_is_told_from_what_byte_on(world: World) -> None:
    """The whole message."""
    (world.root / "f.yaml").write_bytes("a: ü".encode("latin-1"))
    with pytest.raises(InputError) as failure:
        read(world.root / "f.yaml", world.root)
    assert str(failure.value) == (
        "error: the file must be UTF-8, but byte 3 is not\n  --> f.yaml:1:1\n  try: save it as UTF-8"
    )


def test_a_file_that_cannot_be_read_is_told(world: World) -> None:
    """Here it is a directory; a missing permission says so in the same place."""
    (world.root / "f.yaml").mkdir()
    with pytest.raises(InputError) as failure:
        read(world.root / "f.yaml", world.root)
    assert str(failure.value) == (
        "error: the file cannot be read: Is a directory\n  --> f.yaml:1:1\n  try: look at its permissions"
    )


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(world: World) -> None:
    """Editors write them."""
    (world.root / "f.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb:\r\n  - x\r\n")
    node = read(Path(world.root / "f.yaml"), world.root)
    assert node is not None
    assert node.data() == {"a": 1, "b": ["x"]}
