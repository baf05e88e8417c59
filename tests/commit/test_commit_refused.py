"""Where one clean commit cannot be made, none is made, and the reason is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler import commit
from compiler.errors import CommitRefused, ProgramMissing
from compiler.model.tree import Tree
from tests.commit.conftest import Repository, begin

ONE = {"openstack/keystone/a.yaml": "a: 1\n", "openstack/nova/c.yaml": "c: 1\n"}


def refusal(repository: Repository, tree: Tree) -> str:
    """The whole message; the repository is as it was."""
    before = repository.state()
    with pytest.raises(CommitRefused) as refused:
        commit.record(repository.root, repository.output, tree)
    assert repository.state() == before
    assert refused.value.exit_code == 1
    return str(refused.value)


def test_a_directory_that_is_in_no_repository(tmp_path: Path) -> None:
    place = Repository(tmp_path, tmp_path / "rendered" / "site-a")
    with pytest.raises(CommitRefused) as refused:
        place.record(ONE)
    assert str(refused.value) == (
        "error: nothing was committed: `rendered/site-a` does not lie in a Git repository\n  try: git init"
    )


def diverge(repository: Repository) -> None:
    """Two branches that change one line differently, the first checked out."""
    repository.git("switch", "--quiet", "--create", "theirs")
    repository.write("README.md", "theirs\n")
    repository.git("commit", "--quiet", "--all", "--message=theirs")
    repository.git("switch", "--quiet", "main")
    repository.write("README.md", "ours\n")
    repository.git("commit", "--quiet", "--all", "--message=ours")


UNDER_WAY = {
    "merge theirs": ("a merge is under way", "git merge --continue, or git merge --abort"),
    "rebase theirs": ("a rebase is under way", "git rebase --continue, or git rebase --abort"),
    "rebase --apply theirs": (
        "a rebase, or an application of patches, is under way",
        "git status, which says how to end it",
    ),
    "cherry-pick theirs": ("a cherry-pick is under way", "git cherry-pick --continue, or git cherry-pick --abort"),
    "revert --no-edit HEAD~1": ("a revert is under way", "git revert --continue, or git revert --abort"),
    "bisect start": ("a bisection is under way", "git bisect reset"),
}


@pytest.mark.parametrize("command", UNDER_WAY)
def test_something_else_is_under_way(repository: Repository, command: str) -> None:
    diverge(repository)
    if command.startswith("revert"):
        repository.write("README.md", "ours, again\n")
        repository.git("commit", "--quiet", "--all", "--message=again")
    repository.git(*command.split(), check=False)
    reason, hint = UNDER_WAY[command]
    assert refusal(repository, repository.deliver(ONE)) == f"error: nothing was committed: {reason}\n  try: {hint}"


def test_something_else_is_under_way_in_a_worktree_only(repository: Repository, tmp_path: Path) -> None:
    diverge(repository)
    repository.git("worktree", "add", "--quiet", "-b", "feature", str(tmp_path / "feature"))
    repository.git("merge", "theirs", check=False)
    feature = Repository(tmp_path / "feature", tmp_path / "feature" / "rendered" / "site-a")
    assert feature.record(ONE) is not None


def test_a_conflict_that_no_merge_left(repository: Repository) -> None:
    repository.write("README.md", "stashed\n")
    repository.git("stash", "--quiet")
    repository.write("README.md", "ours\n")
    repository.git("commit", "--quiet", "--all", "--message=ours")
    repository.git("stash", "pop", check=False)
    assert refusal(repository, repository.deliver(ONE)) == (
        "error: nothing was committed: `README.md` has a conflict that is not resolved\n"
        "  try: git add README.md, once it is"
    )


def test_no_branch_is_checked_out(repository: Repository) -> None:
    repository.git("switch", "--quiet", "--detach")
    assert refusal(repository, repository.deliver(ONE)) == (
        "error: nothing was committed: no branch is checked out (HEAD is detached)\n  try: git switch <branch>"
    )


@pytest.mark.parametrize("key", ["user.name", "user.email"])
def test_git_does_not_know_who_commits(repository: Repository, key: str) -> None:
    repository.git("config", "--unset", key)
    assert refusal(repository, repository.deliver(ONE)) == (
        "error: nothing was committed: Git does not know who commits: `user.name` or `user.email` is not set\n"
        '  try: git config user.name "Your Name", and git config user.email you@example.org'
    )


@pytest.mark.parametrize(
    ("file", "pattern", "ignored"),
    [
        (".gitignore", "rendered/", "index.json"),
        ("rendered/.gitignore", "*.json", "index.json"),
        (".git/info/exclude", "!keep\nnova", "openstack/nova/c.yaml"),
    ],
)
def test_git_ignores_the_output(repository: Repository, file: str, pattern: str, ignored: str) -> None:
    repository.write(file, f"# ours\n{pattern}\n")
    line, last = len(pattern.splitlines()) + 1, pattern.splitlines()[-1]
    assert refusal(repository, repository.deliver(ONE)) == (
        f"error: nothing was committed: Git ignores `rendered/site-a/{ignored}`: `{last}` in {file}:{line}\n"
        "  try: remove that pattern, or choose another `delivery.output`"
    )


def test_an_exception_from_what_git_ignores_is_not_ignored(repository: Repository) -> None:
    repository.write(".gitignore", "*.json\n!rendered/**/*.json\n")
    assert repository.record(ONE) is not None


@pytest.mark.parametrize("attributes", ["*.yaml filter=shout", "*.yaml ident"])
def test_an_attribute_would_change_the_bytes(repository: Repository, attributes: str) -> None:
    repository.git("config", "filter.shout.clean", "tr a-z A-Z")
    repository.write(".gitattributes", f"{attributes}\n")
    files = {f"openstack/nova/{name}.yaml": f"{name}: $Id: 1 $\n" for name in "abcde"}
    names = ", ".join(f"`rendered/site-a/openstack/nova/{name}.yaml`" for name in "abc")
    tree = repository.deliver(files)
    assert refusal(repository, tree) == (
        "error: nothing was committed: an attribute makes Git store other bytes than were compiled for "
        f"{names} and 2 more\n"
        "  try: `rendered/site-a/** -text -filter -ident -working-tree-encoding` at the end of `.gitattributes`"
    )
    with (repository.root / ".gitattributes").open("a", encoding="utf-8") as file:
        file.write("rendered/site-a/** -text -filter -ident -working-tree-encoding\n")
    assert commit.record(repository.root, repository.output, tree) is not None
    commit.check(repository.root, repository.output, tree)


def test_the_directory_no_longer_holds_what_was_compiled(repository: Repository) -> None:
    tree = repository.deliver(ONE)
    repository.write("rendered/site-a/openstack/nova/c.yaml", "c: by hand\n")
    assert refusal(repository, tree) == (
        "error: nothing was committed: `rendered/site-a/openstack/nova/c.yaml` does not hold what was compiled\n"
        "  try: compile once more"
    )


def test_a_file_that_the_tree_no_longer_has_is_there_again(repository: Repository) -> None:
    repository.record(ONE)
    tree = repository.deliver({"openstack/keystone/a.yaml": "a: 1\n"})
    repository.git("restore", "rendered/site-a/openstack/nova/c.yaml")
    assert refusal(repository, tree) == (
        "error: nothing was committed: "
        "`rendered/site-a/openstack/nova/c.yaml` is still there, but is no longer part of the output\n"
        "  try: remove it, or move it away"
    )


def test_inside_a_hook_git_is_told_to_work_elsewhere(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = repository.deliver(ONE)
    with monkeypatch.context() as variables:
        variables.setenv("GIT_INDEX_FILE", str(repository.root / ".git/index"))
        message = refusal(repository, tree)
    assert message == (
        "error: nothing was committed: Git is told to work elsewhere by the variable `GIT_INDEX_FILE` "
        "(as it is inside a Git hook)\n"
        "  try: env -u GIT_INDEX_FILE oscompile ..."
    )


def test_a_machine_without_git(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = repository.deliver(ONE)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramMissing) as missing:
        commit.record(repository.root, repository.output, tree)
    assert str(missing.value) == (
        "error: oscompile could not ask Git about the output: there is no program `git`\n"
        "  try: install it, or put its directory on PATH"
    )


def test_where_nothing_changed_nothing_is_refused(repository: Repository) -> None:
    repository.record(ONE)
    repository.git("switch", "--quiet", "--detach")
    assert repository.record(ONE) is None


def test_what_is_refused_can_be_committed_once_it_is_put_right(tmp_path: Path) -> None:
    repository = begin(tmp_path)
    repository.git("switch", "--quiet", "--detach")
    tree = repository.deliver(ONE)
    refusal(repository, tree)
    repository.git("switch", "--quiet", "--create", "feature")
    assert commit.record(repository.root, repository.output, tree) is not None
