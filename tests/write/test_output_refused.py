"""A place where no tree of ours may be is refused, with the reason, and nothing there is touched."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from compiler import write
from compiler.errors import OutputRefused
from tests.write.trees import seen, tree_of

FILES = {"openstack/keystone/a.yaml": "a: 1\n"}
OTHER = "another `delivery.output`, such as `rendered/site-a`"


def refusal(repository: Path, output: Path, files: dict[str, str] | None = None) -> str:
    """The whole message, the same from both verbs; nothing in the repository may have changed."""
    tree = tree_of(files or FILES, repository=repository)
    before = seen(repository)
    messages = set()
    for verb in (write.compare, write.deliver):
        with pytest.raises(OutputRefused) as refused:
            verb(tree, output)
        messages.add(str(refused.value))
        assert refused.value.exit_code == 1
    assert seen(repository) == before
    (message,) = messages
    return message


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with inputs."""
    root = tmp_path / "sites"
    for name in ("charts", "compiler", "environments/site-a", "overlays"):
        (root / name).mkdir(parents=True)
    (root / "environments/site-a/environment.yaml").write_text("kind: Environment\n", encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("", "it is the repository, or holds it"),
        ("..", "it is the repository, or holds it"),
        (".git/rendered", "it lies inside `.git`"),
        (".git", "it lies inside `.git`"),
        ("charts", "it lies in `charts/`, among the inputs of the compile"),
        ("charts/keystone/rendered", "it lies in `charts/`, among the inputs of the compile"),
        ("compiler", "it lies in `compiler/`, among the inputs of the compile"),
        ("environments/site-a", "it lies in `environments/`, among the inputs of the compile"),
        ("rendered/../overlays/x", "it lies in `overlays/`, among the inputs of the compile"),
    ],
)
def test_a_place_that_is_no_place_for_a_tree_is_refused(repository: Path, output: str, reason: str) -> None:
    shown = {"": str(repository), "..": str(repository.parent), "rendered/../overlays/x": "overlays/x"}.get(
        output, output
    )
    assert refusal(repository, repository / output) == (
        f"error: oscompile does not write into `{shown}`: {reason}\n  try: {OTHER}"
    )


def _file(path: Path) -> None:
    path.write_text("mine\n", encoding="utf-8")


def _link(path: Path) -> None:
    path.symlink_to("../environments")


def _file_above(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("mine\n", encoding="utf-8")


def _repository(path: Path) -> None:
    path.mkdir()
    (path / ".git").write_text("gitdir: elsewhere\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("obstacle", "reason"),
    [
        (_file, "it is a file"),
        (_link, "it is a symbolic link, to `../environments`"),
        (_file_above, "`rendered`, above it, is a file"),
        (_repository, "it is a Git repository of its own"),
    ],
)
def test_what_stands_in_the_way_is_refused(repository: Path, obstacle: Callable[[Path], None], reason: str) -> None:
    (repository / "rendered").mkdir()
    obstacle(repository / "rendered/site-a")
    assert refusal(repository, repository / "rendered/site-a") == (
        f"error: oscompile does not write into `rendered/site-a`: {reason}\n  try: {OTHER}"
    )


@pytest.mark.parametrize("name", ["README.md", "openstack/keystone/a.yaml", "folder/"])
def test_a_directory_that_is_not_ours_is_refused(repository: Path, name: str) -> None:
    path = repository / "rendered/site-a" / name
    (path if name.endswith("/") else path.parent).mkdir(parents=True)
    if not name.endswith("/"):
        _file(path)
    assert refusal(repository, repository / "rendered/site-a") == (
        "error: oscompile does not write into `rendered/site-a`: "
        "it is not empty, and holds no `index.json` that says it is ours\n"
        "  try: another `delivery.output`, or remove what the directory holds"
    )


INDEX = json.loads(tree_of(FILES).files["index.json"])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("<<<<<<< HEAD\n", "it is not JSON (Expecting value: line 1 column 1 (char 0))"),
        ("[]", "it is not of kind `Index`"),
        (json.dumps({"name": "a-javascript-package"}), "it is not of kind `Index`"),
        (
            json.dumps({**INDEX, "schema": "index.v9"}),
            "it is not written in the schema `index.v1` of `oscompile/v1alpha1`",
        ),
        (json.dumps({**INDEX, "objects": ["a"]}), "it does not follow the schema `index.v1`"),
        (json.dumps({**INDEX, "site": None}), "it does not follow the schema `index.v1`"),
    ],
)
def test_an_index_that_is_not_ours_is_refused(repository: Path, content: str, why: str) -> None:
    output = repository / "rendered/site-a"
    output.mkdir(parents=True)
    (output / "index.json").write_text(content, encoding="utf-8")
    assert refusal(repository, output) == (
        f"error: oscompile does not write into `rendered/site-a`: its `index.json` does not say that it is ours: {why}\n"
        "  try: restore `index.json` from Git, or remove what the directory holds"
    )


def test_the_directory_of_another_site_is_refused(repository: Path) -> None:
    output = repository / "rendered/shared"
    write.deliver(tree_of(FILES, site="site-b", repository=repository), output)
    assert refusal(repository, output) == (
        "error: oscompile does not write into `rendered/shared`: it holds the site `site-b`, and this is `site-a`\n"
        "  try: a `delivery.output` of its own for each site"
    )


@pytest.mark.parametrize(
    ("foreign", "wanted"),
    [
        ("openstack/nova/a.yaml", "openstack/nova/a.yaml"),
        ("openstack/nova", "openstack/nova/a.yaml"),
        ("openstack/nova/a.yaml/notes", "openstack/nova/a.yaml"),
    ],
)
def test_a_foreign_file_where_the_tree_must_write_is_refused(repository: Path, foreign: str, wanted: str) -> None:
    output = repository / "rendered/site-a"
    write.deliver(tree_of(FILES, repository=repository), output)
    (output / foreign).parent.mkdir(parents=True, exist_ok=True)
    _file(output / foreign)
    assert refusal(repository, output, {**FILES, wanted: "theirs\n"}) == (
        "error: oscompile does not write into `rendered/site-a`: "
        f"the compile would overwrite what it did not write: `{foreign}`\n"
        "  try: move it away, or remove it if it is the output of another compile"
    )


def test_of_many_foreign_files_in_the_way_three_are_named(repository: Path) -> None:
    output = repository / "rendered/site-a"
    write.deliver(tree_of({}, repository=repository), output)
    names = [f"{letter}.yaml" for letter in "edcba"]
    for name in names:
        _file(output / name)
    assert "`a.yaml`, `b.yaml`, `c.yaml` and 2 more" in refusal(repository, output, dict.fromkeys(names, "theirs\n"))


def test_an_output_outside_of_the_repository_is_named_in_full(repository: Path, tmp_path: Path) -> None:
    _file(tmp_path / "out")
    assert refusal(repository, tmp_path / "out") == (
        f"error: oscompile does not write into `{tmp_path}/out`: it is a file\n  try: {OTHER}"
    )
