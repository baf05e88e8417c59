"""Which site a reference means, and what it is made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from compiler import environment
from compiler.errors import InputError
from compiler.model.site import Listed

if TYPE_CHECKING:
    from pytest_golden.plugin import GoldenTestFixture

    from tests.conftest import World


def written(name: str, more: str = "") -> str:
    return f"apiVersion: oscompile/v1alpha1\nkind: Environment\nmetadata: {{name: {name}}}\n{more}"


def overlay() -> str:
    return "apiVersion: oscompile/v1alpha1\nkind: Overlay\n"


def layers(world: World, reference: str) -> list[str]:
    return [source.layer for source in environment.find(world.root, reference).sources]


@pytest.mark.parametrize("form", ["yaml", "jsonnet"])
@pytest.mark.parametrize(
    ("reference", "directory"),
    [
        ("site-a", "."),
        ("env/site-a", "."),
        ("environments/site-a", "."),
        ("environments/site-a/", "."),
        ("./environments/site-a", "."),
        ("environments/site-a/environment.{form}", "."),
        ("env/site-a", "charts"),
        ("environments/site-a/environment.{form}", "charts"),
        ("../environments/site-a", "charts"),
        (".", "environments/site-a"),
        ("environment.{form}", "environments/site-a"),
        ("../site-a", "environments/base"),
        ("{root}/environments/site-a", "charts"),
        ("{root}/environments/site-a/environment.{form}", "charts"),
    ],
)
def test_a_name_a_shorthand_and_a_path_mean_one_site(world: World, form: str, reference: str, directory: str) -> None:
    """The name, ``env/`` and ``environments/`` before it, and any path to the folder or the file."""
    texts = {"yaml": written("site-a"), "jsonnet": "import 'site.libsonnet'"}
    world.write(
        {
            f"environments/site-a/environment.{form}": texts[form],
            "environments/site-a/site.libsonnet": "{apiVersion: 'oscompile/v1alpha1', kind: 'Environment'}",
            "environments/base/environment.yaml": written("base"),
            "charts/readme": "",
        }
    )
    found = environment.find(world.root, reference.format(form=form, root=world.root), world.root / directory)
    assert (found.name, found.file) == ("site-a", f"environments/site-a/environment.{form}")


def test_a_name_wins_over_a_path_of_the_same_name(world: World) -> None:
    """Where one works does not change what a name means."""
    world.write({"environments/a/environment.yaml": written("a"), "charts/a/Chart.yaml": "name: a"})
    assert environment.find(world.root, "a", world.root / "charts").name == "a"


def test_a_base_lies_below_everything_that_extends_it(world: World) -> None:
    """Depth first, in the order that is written, each environment once, where it is first met."""
    world.write(
        {
            "environments/base/environment.yaml": written("base"),
            "environments/left/environment.yaml": written("left", "extends: [base]\n"),
            "environments/right/environment.yaml": written("right", "extends: [base]\n"),
            "environments/site/environment.yaml": written("site", "extends: [left, right, base]\n"),
        }
    )
    assert layers(world, "site") == ["base", "left", "right", "site"]


def test_overlays_lie_above_every_environment_those_of_a_base_first(world: World) -> None:
    """An overlay that a base lists still lies above the site itself; each is there once."""
    world.write(
        {
            "environments/base/environment.yaml": written("base", "overlays: [ceph]\n"),
            "environments/site/environment.yaml": written("site", "extends: [base]\noverlays: [ha, ceph]\n"),
            "overlays/ha/overlay.yaml": overlay(),
            "overlays/ceph/overlay.jsonnet": "{apiVersion: 'oscompile/v1alpha1', kind: 'Overlay'}",
        }
    )
    assert layers(world, "site") == ["base", "site", "overlays/ceph", "overlays/ha"]


def test_the_repository_is_the_nearest_folder_with_environments(world: World) -> None:
    """Seen from the root, from a folder below it, and from an environment itself."""
    world.write({"environments/a/environment.yaml": written("a"), "charts/x/environments": "a file is no folder"})
    for place in (".", "charts", "charts/x", "environments", "environments/a"):
        assert environment.repository(world.root / place) == world.root


def test_outside_a_repository_there_is_none(tmp_path: Path) -> None:
    """The message says where was looked."""
    with pytest.raises(InputError) as failure:
        environment.repository(tmp_path)
    assert str(failure.value) == (
        f"error: neither `{tmp_path}` nor a folder above it has an `environments/` folder\n"
        "  try: change into the repository that describes your sites"
    )


def test_environments_are_listed_by_name_concrete_and_abstract(world: World) -> None:
    """Folders without an environment file are no environments."""
    world.write(
        {
            "environments/site/environment.yaml": written("site", "extends: [base]\n"),
            "environments/base/environment.yaml": written("base", "abstract: true\n"),
            "environments/notes/README.md": "",
        }
    )
    assert environment.names(world.root) == (
        Listed(environment.names(world.root)[0].name, "environments/base/environment.yaml", abstract=True),
        Listed(
            environment.names(world.root)[1].name,
            "environments/site/environment.yaml",
            extends=(environment.names(world.root)[0].name,),
        ),
    )
    assert [listed.name for listed in environment.names(world.root)] == ["base", "site"]


@pytest.mark.golden_test("bad/*.yaml")
def test_a_mistake_is_told_with_its_place_and_what_to_try(golden: GoldenTestFixture, world: World) -> None:
    """Each file of ``bad/``: a small repository, a reference, and the whole message."""
    golden.get("about")
    world.write(golden["files"])
    for link, target in golden.get("links", {}).items():
        (world.root / link).parent.mkdir(parents=True, exist_ok=True)
        (world.root / link).symlink_to(world.root / target)
    with pytest.raises(InputError) as failure:
        environment.find(world.root, golden["reference"].replace("<root>", str(world.root)))
    assert golden.out["error"] == str(failure.value).replace(str(world.root), "<root>")
