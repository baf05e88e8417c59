"""The whole tree of each shipped site, as reviewers would see it: ``golden/<site>/``.

``make golden`` writes the trees anew. Each site is compiled twice, and with either renderer.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from compiler import Request, compile_site
from compiler.model.tree import Tree
from tests.conftest import ROOT

SITES: Final = ("site-a", "dev")


def compiled(site: str, helm: Path | None = None) -> Tree:
    """The tree of a shipped site, from no cache."""
    return compile_site(Request(site, ROOT, helm=str(helm) if helm else None, cached=False)).tree


@pytest.mark.parametrize("site", SITES)
def test_a_site_compiles_to_the_tree_that_was_reviewed(site: str, pytestconfig: pytest.Config) -> None:
    tree, golden = compiled(site), ROOT / "golden" / site
    if pytestconfig.getoption("--update-goldens"):
        rewrite(golden, tree)
    there = {path.relative_to(golden).as_posix(): path.read_bytes() for path in golden.rglob("*") if path.is_file()}
    assert sorted(there) == sorted(tree.files), "run `make golden` and review the difference"
    different = [path for path, content in tree.files.items() if there[path] != content]
    assert different == [], "run `make golden` and review the difference"


@pytest.mark.parametrize("site", SITES)
def test_two_compiles_and_two_renderers_give_the_same_bytes(site: str, helm_programs: Mapping[str, Path]) -> None:
    once = compiled(site)
    assert once == compiled(site)
    assert once == compiled(site, helm_programs["helm4"])
    assert once == compiled(site, helm_programs["helm3"])


def rewrite(golden: Path, tree: Tree) -> None:
    """Make the directory hold exactly the tree."""
    shutil.rmtree(golden, ignore_errors=True)
    for name, content in tree.files.items():
        path = golden / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
