"""``docs/environment.md`` is true: it knows every key, and its example compiles to what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from compiler import environment, layers
from compiler.documents import parse_node, schema
from compiler.layers import operations
from compiler.model.site import ArgoCD, Flux

if TYPE_CHECKING:
    from tests.conftest import World

BLOCK: Final = re.compile(r"```(?:yaml|jsonnet)\n(?:#|//) (?P<title>[^\n]+)\n(?P<text>.*?)```", re.DOTALL)
FORMS: Final = ("environment.v1", "overlay.v1", "component-overlay.v1")


@pytest.fixture
def reference(repository: Path) -> str:
    """The text of the page."""
    return (repository / "docs" / "environment.md").read_text(encoding="utf-8")


def paths(node: Mapping[str, Any], whole: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Every key that a schema names, as the page writes it: an instance's from the instance on."""
    node = whole["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    for key, below in node.get("properties", {}).items():
        yield f"{path}{key}"
        yield from paths(below, whole, f"{path}{key}.")
    if "items" in node:
        yield from paths(node["items"], whole, f"{path.rstrip('.')}[].")
    if isinstance(node.get("additionalProperties"), dict):
        yield from paths(node["additionalProperties"], whole, "")


@pytest.mark.parametrize("form", FORMS)
def test_every_key_of_the_format_is_in_the_reference(reference: str, form: str) -> None:
    """A key that nobody can look up does not exist; a map is named by the keys below it."""
    whole = schema.published(form)
    named = {name.removeprefix("capacity.") for name in re.findall(r"`([^`\n]+)`", reference)}
    known = named | {name.rpartition(".")[0] for name in named}
    assert [path for path in paths(whole, whole) if path.rpartition("capacity.")[2] not in known] == []


def test_every_key_of_the_reference_is_in_the_format(reference: str) -> None:
    """And none is made up."""
    known = {path for form in FORMS for path in paths(schema.published(form), schema.published(form))}
    rows = re.findall(r"^\| `([a-zA-Z.\[\]]+)` \|", reference, re.MULTILINE)
    assert rows
    assert [row for row in rows if row not in known] == []


def test_every_key_of_the_format_is_described() -> None:
    """``oscompile schema`` prints it, editors show it."""
    for form in FORMS:
        whole = schema.published(form)
        bare = [name for name, node in described(whole) if not (node.get("description") or "$ref" in node)]
        assert bare == []


def described(node: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, below in node.get("properties", {}).items():
        yield name, below
        yield from described(below)
    for below in node.get("$defs", {}).values():
        yield from described(below)


def test_what_overlays_share_with_environments_is_one_format() -> None:
    """The same key means the same, and has the same schema, in both."""
    whole, overlay = schema.published("environment.v1"), schema.published("overlay.v1")
    assert {name: whole["$defs"][name] for name in overlay["$defs"]} == overlay["$defs"]
    shared = overlay["properties"].keys() - {"kind"}
    assert {name: whole["properties"][name] for name in shared} == {
        name: overlay["properties"][name] for name in shared
    }


def test_the_defaults_that_the_reference_gives_are_those_of_the_compiler(reference: str) -> None:
    """Row by row."""
    for prefix, engine in (("argocd", ArgoCD()), ("flux", Flux())):
        for name in engine.__dataclass_fields__:
            value = getattr(engine, name)
            shown = str(value).lower() if isinstance(value, bool) else value
            expected = f"`{shown}`" if shown else "the site's name"
            assert f"| `delivery.{prefix}.{name}` | {expected} |" in reference


def test_every_operation_is_in_the_reference(reference: str) -> None:
    """As the module that knows them lists them."""
    rows = re.findall(r"^``(![^`]+)``", operations.__doc__ or "", re.MULTILINE)
    assert rows
    assert [row for row in rows if f"| `{row}` |" not in reference] == []


def test_the_worked_example_compiles_to_what_it_says(reference: str, world: World) -> None:
    """The very files of the page, and the values that it shows."""
    blocks = {found["title"]: found["text"] for found in BLOCK.finditer(reference)}
    world.write({title: text for title, text in blocks.items() if "/" in title})
    world.write({"charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n"})
    site = layers.merge(environment.find(world.root, "site-a"))
    for declaration in site.declarations:
        expected = parse_node(blocks[f"the finished values of `{declaration.name}`"], "docs")
        assert expected is not None
        assert declaration.values.data() == expected.data()
    assert [declaration.namespace for declaration in site.declarations] == ["openstack", "internal"]
