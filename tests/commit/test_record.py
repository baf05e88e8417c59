"""One commit of exactly the output, whatever else is going on in the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from compiler import commit
from compiler.errors import OutOfDate, ProgramFailed
from tests.commit.conftest import Repository, begin

ONE = {"openstack/keystone/a.yaml": "a: 1\n", "openstack/keystone/b.yaml": "b: 1\n", "openstack/nova/c.yaml": "c: 1\n"}
TWO = {
    "openstack/keystone/a.yaml": "a: 1\n",
    "openstack/keystone/b.yaml": "b: 2\n",
    "openstack/glance/d.yaml": "d: 1\n",
}
FIRST = [
    "A rendered/site-a/index.json",
    "A rendered/site-a/openstack/keystone/a.yaml",
    "A rendered/site-a/openstack/keystone/b.yaml",
    "A rendered/site-a/openstack/nova/c.yaml",
]
SECOND = [
    "M rendered/site-a/index.json",
    "A rendered/site-a/openstack/glance/d.yaml",
    "M rendered/site-a/openstack/keystone/b.yaml",
    "D rendered/site-a/openstack/nova/c.yaml",
]


def test_the_first_commit_adds_the_whole_tree(repository: Repository) -> None:
    made = repository.record(ONE)
    assert made == repository.git("rev-parse", "HEAD").strip()
    assert repository.committed() == FIRST
    assert repository.git("status", "--porcelain") == ""


def test_what_is_added_changed_and_removed_is_in_one_commit(repository: Repository) -> None:
    repository.record(ONE)
    repository.record(TWO)
    assert repository.committed() == SECOND
    assert repository.git("rev-list", "--count", "HEAD") == "3\n"
    assert repository.git("status", "--porcelain") == ""


def test_nothing_changed_nothing_committed(repository: Repository) -> None:
    repository.record(ONE)
    before = repository.state()
    assert repository.record(ONE) is None
    assert repository.state() == before


def test_what_was_delivered_before_and_not_committed_is_committed_now(repository: Repository) -> None:
    repository.record(ONE)
    repository.deliver({"openstack/keystone/a.yaml": "a: 9\n"})
    tree = repository.deliver(TWO)
    commit.record(repository.root, repository.output, tree)
    assert repository.committed() == SECOND


def test_what_is_staged_edited_or_lying_about_elsewhere_is_not_swept_in(repository: Repository) -> None:
    repository.record(ONE)
    repository.write("staged.txt", "staged\n")
    repository.git("add", "staged.txt")
    repository.write("staged.txt", "and edited\n")
    repository.write("README.md", "edited\n")
    repository.write("untracked.txt", "untracked\n")
    repository.write("rendered/site-a/notes.txt", "in the output, and not ours\n")
    repository.write("rendered/site-a/staged-notes.txt", "in the output, staged, and not ours\n")
    repository.git("add", "rendered/site-a/staged-notes.txt")
    before = repository.git("status", "--porcelain")
    repository.record(TWO)
    assert repository.committed() == SECOND
    assert repository.git("status", "--porcelain") == before
    assert repository.git("show", ":staged.txt") == "staged\n"


def test_a_foreign_file_of_the_output_that_is_in_git_stays_in_git(repository: Repository) -> None:
    repository.write("rendered/site-a/notes.txt", "mine\n")
    repository.git("add", ".")
    repository.git("commit", "--quiet", "--message=notes")
    (repository.output / "notes.txt").rename(repository.root / "notes.txt")
    tree = repository.deliver(ONE)
    (repository.root / "notes.txt").rename(repository.output / "notes.txt")
    commit.record(repository.root, repository.output, tree)
    assert repository.committed() == FIRST
    assert "rendered/site-a/notes.txt" in repository.git("ls-files")


def test_other_bytes_of_ours_that_are_staged_give_way(repository: Repository) -> None:
    repository.record(ONE)
    repository.write("rendered/site-a/openstack/keystone/b.yaml", "b: by hand\n")
    repository.git("add", ".")
    repository.record(TWO)
    assert repository.git("show", "HEAD:rendered/site-a/openstack/keystone/b.yaml") == "b: 2\n"
    assert repository.git("status", "--porcelain") == ""


def test_a_removal_that_is_staged_gives_way_where_the_tree_has_news_and_stays_staged_elsewhere(
    repository: Repository,
) -> None:
    repository.record(ONE)
    repository.git("rm", "--quiet", "--cached", "-r", "rendered")
    repository.record(TWO)
    assert repository.committed() == SECOND
    unchanged = "rendered/site-a/openstack/keystone/a.yaml"
    assert repository.git("status", "--porcelain") == f"D  {unchanged}\n?? {unchanged}\n"


def test_a_branch_without_a_commit_gets_its_first(tmp_path: Path) -> None:
    repository = Repository(tmp_path, tmp_path / "rendered" / "site-a")
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.git("config", "user.name", "Someone")
    repository.git("config", "user.email", "someone@example.org")
    repository.write("staged.txt", "staged\n")
    repository.git("add", "staged.txt")
    repository.record(ONE)
    assert repository.committed() == FIRST
    assert repository.git("status", "--porcelain") == "A  staged.txt\n"


@pytest.mark.parametrize("root", ["a folder with blanks", "ünïcödé-設定", "star * [a-z] ? :(glob)", "under/neath"])
def test_the_path_may_be_any_path(tmp_path: Path, root: str) -> None:
    repository = begin(tmp_path)
    place = Repository(tmp_path, tmp_path / root / "site-a")
    place.record(ONE)
    assert place.record(TWO)
    assert [line.split("/")[-1].strip('"') for line in repository.committed()] == [
        line.split("/")[-1] for line in SECOND
    ]
    assert repository.git("status", "--porcelain") == ""


def test_a_star_in_a_path_is_a_star(repository: Repository) -> None:
    repository.record({"openstack/keystone/*.yaml": "a: 1\n"})
    repository.write("rendered/site-a/openstack/keystone/notes.yaml", "mine\n")
    repository.record({"openstack/keystone/*.yaml": "a: 2\n"})
    assert repository.committed() == ["M rendered/site-a/index.json", "M rendered/site-a/openstack/keystone/*.yaml"]


def test_a_worktree_is_committed_to_on_its_own_branch(repository: Repository, tmp_path: Path) -> None:
    repository.git("worktree", "add", "--quiet", "-b", "feature", str(tmp_path / "feature"))
    feature = Repository(tmp_path / "feature", tmp_path / "feature" / "rendered" / "site-a")
    feature.record(ONE)
    assert feature.committed("feature") == FIRST
    assert repository.git("rev-list", "--count", "main") == "1\n"


def test_an_output_in_a_submodule_is_committed_to_the_submodule(repository: Repository, tmp_path: Path) -> None:
    begin(tmp_path / "rendered-sites")
    add = (
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        str(tmp_path / "rendered-sites"),
        "rendered",
    )
    repository.git(*add)
    repository.git("commit", "--quiet", "--message=submodule")
    inner = Repository(repository.root / "rendered", repository.root / "rendered" / "site-a")
    inner.git("config", "user.name", "Someone")
    inner.git("config", "user.email", "someone@example.org")
    tree = inner.deliver(ONE)
    made = commit.record(repository.root, inner.output, tree)
    assert made == inner.git("rev-parse", "HEAD").strip()
    assert inner.committed() == [line.replace("rendered/", "") for line in FIRST]
    assert repository.git("status", "--porcelain") == " M rendered\n"


def test_a_repository_that_names_things_by_sha256_is_as_good(tmp_path: Path) -> None:
    repository = begin(tmp_path, "--object-format=sha256")
    assert len(repository.record(ONE) or "") == 64
    repository.record(TWO)
    assert repository.committed() == SECOND
    commit.check(repository.root, repository.output, repository.tree(TWO))


def test_the_message_names_the_site_and_what_changes(repository: Repository) -> None:
    repository.record(ONE)
    repository.record(TWO)
    assert repository.git("log", "-1", "--format=%B") == (
        "site-a: glance added, keystone changed (1 object), nova removed\n"
        "\n"
        "glance added (1 object)\n"
        "  added   openstack/glance/d.yaml\n"
        "\n"
        "keystone changed (1 object)\n"
        "  changed openstack/keystone/b.yaml\n"
        "\n"
        "nova removed (1 object)\n"
        "  removed openstack/nova/c.yaml\n"
        "\n"
        "Compiled by oscompile 0.1.0 from:\n"
        "\n"
    )


def hook(repository: Repository, name: str, script: str) -> None:
    path = repository.root / ".git" / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def test_hooks_run_and_see_what_will_be_committed(repository: Repository) -> None:
    hook(repository, "pre-commit", "git diff --cached --name-only > seen-by-hook")
    hook(repository, "commit-msg", 'echo "Signed-off-by: a hook" >> "$1"')
    repository.record(ONE)
    seen = (repository.root / "seen-by-hook").read_text(encoding="utf-8").splitlines()
    assert [f"A {path}" for path in seen] == FIRST
    assert repository.git("log", "-1", "--format=%B").endswith("Signed-off-by: a hook\n\n")


def test_a_hook_that_says_no_leaves_the_index_as_it_was(repository: Repository) -> None:
    repository.write("staged.txt", "staged\n")
    repository.write("rendered/site-a/staged-notes.txt", "mine\n")
    repository.git("add", "staged.txt")
    (repository.output / "staged-notes.txt").unlink()
    hook(repository, "pre-commit", "echo no commits on Fridays >&2; exit 1")
    tree = repository.deliver(ONE)
    before = repository.state()
    with pytest.raises(ProgramFailed) as failed:
        commit.record(repository.root, repository.output, tree)
    assert str(failed.value) == (
        "error: oscompile could not commit the compiled tree: `git` failed (exit code 1)\n  no commits on Fridays"
    )
    assert repository.state() == before
    assert not (repository.root / ".git/index.lock").exists()


def test_a_hook_that_changes_the_output_is_found_out(repository: Repository) -> None:
    hook(
        repository,
        "pre-commit",
        "echo '# tidy' >> rendered/site-a/openstack/nova/c.yaml; git add rendered/site-a/openstack/nova/c.yaml",
    )
    tree = repository.deliver(ONE)
    with pytest.raises(OutOfDate) as found:
        commit.record(repository.root, repository.output, tree)
    assert str(found.value) == (
        "error: `rendered/site-a` in Git does not equal the compile: 1 file differs\n"
        "  differs  openstack/nova/c.yaml\n"
        "  try: keep Git's hooks from changing the output: they changed it while it was committed"
    )


def test_a_commit_is_signed_where_git_signs(repository: Repository, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    repository.git("config", "gpg.format", "ssh")
    repository.git("config", "user.signingKey", str(key))
    repository.git("config", "commit.gpgSign", "true")
    repository.record(ONE)
    assert "\ngpgsig -----BEGIN SSH SIGNATURE-----\n" in repository.git("cat-file", "commit", "HEAD")


def test_a_signature_that_cannot_be_made_leaves_the_index_as_it_was(repository: Repository) -> None:
    repository.git("config", "gpg.format", "ssh")
    repository.git("config", "user.signingKey", "/nowhere/key")
    repository.git("config", "commit.gpgSign", "true")
    tree = repository.deliver(ONE)
    before = repository.state()
    with pytest.raises(ProgramFailed):
        commit.record(repository.root, repository.output, tree)
    assert repository.state() == before


def test_another_git_at_work_is_named_in_gits_own_words(repository: Repository) -> None:
    tree = repository.deliver(ONE)
    (repository.root / ".git/index.lock").touch()
    with pytest.raises(ProgramFailed, match=r"index\.lock': File exists"):
        commit.record(repository.root, repository.output, tree)
    (repository.root / ".git/index.lock").unlink()
    assert repository.state().index.endswith("\tREADME.md\n")


def test_a_checkout_that_ends_lines_otherwise_commits_the_bytes_that_were_compiled(repository: Repository) -> None:
    repository.git("config", "core.autocrlf", "true")
    repository.record(ONE)
    assert repository.git("show", "HEAD:rendered/site-a/openstack/keystone/a.yaml") == "a: 1\n"
    repository.git("rm", "--quiet", "--cached", "-r", "rendered")
    repository.git("reset", "--quiet", "--hard")
    assert (repository.output / "openstack/keystone/a.yaml").read_bytes() == b"a: 1\r\n"
    assert repository.record(ONE) is None
    assert (repository.output / "openstack/keystone/a.yaml").read_bytes() == b"a: 1\n"
