"""``--check`` proves that the commit at HEAD holds exactly what the compile gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler import commit
from compiler.errors import OutOfDate
from compiler.model.tree import Tree
from tests.commit.conftest import Repository, begin

ONE = {"openstack/keystone/a.yaml": "a: 1\n", "openstack/keystone/b.yaml": "b: 1\n", "openstack/nova/c.yaml": "c: 1\n"}
TWO = {
    "openstack/keystone/a.yaml": "a: 1\n",
    "openstack/keystone/b.yaml": "b: 2\n",
    "openstack/glance/d.yaml": "d: 1\n",
}


def out_of_date(repository: Repository, tree: Tree) -> str:
    with pytest.raises(OutOfDate) as found:
        commit.check(repository.root, repository.output, tree)
    assert found.value.exit_code == 1
    return str(found.value)


def test_what_was_just_committed_is_up_to_date(repository: Repository) -> None:
    repository.record(ONE)
    commit.check(repository.root, repository.output, repository.tree(ONE))


def test_every_file_that_differs_is_named(repository: Repository) -> None:
    repository.record(ONE)
    assert out_of_date(repository, repository.tree(TWO)) == (
        "error: `rendered/site-a` in Git does not equal the compile: 4 files differ\n"
        "  differs  index.json\n"
        "  missing  openstack/glance/d.yaml\n"
        "  differs  openstack/keystone/b.yaml\n"
        "  extra    openstack/nova/c.yaml\n"
        "  try: oscompile site-a --commit"
    )


def test_what_is_delivered_and_not_committed_is_out_of_date(repository: Repository) -> None:
    tree = repository.deliver(ONE)
    assert out_of_date(repository, tree).startswith(
        "error: `rendered/site-a` in Git does not equal the compile: 4 files"
    )
    repository.git("add", ".")
    assert out_of_date(repository, tree).startswith(
        "error: `rendered/site-a` in Git does not equal the compile: 4 files"
    )


def test_the_working_tree_and_the_index_do_not_matter(repository: Repository) -> None:
    repository.record(ONE)
    repository.write("rendered/site-a/openstack/nova/c.yaml", "c: by hand\n")
    repository.git("add", ".")
    repository.git("rm", "--quiet", "-r", "--force", "rendered/site-a/openstack/keystone")
    commit.check(repository.root, repository.output, repository.tree(ONE))


def test_a_directory_that_is_not_checked_out_is_checked_all_the_same(repository: Repository) -> None:
    repository.record(ONE)
    repository.git("rm", "--quiet", "-r", "--cached", "rendered")
    (repository.root / "rendered").rename(repository.root.parent / "elsewhere")
    commit.check(repository.root, repository.output, repository.tree(ONE))


def test_files_that_are_not_ours_do_not_count(repository: Repository) -> None:
    repository.record(ONE)
    repository.write("rendered/site-a/notes.txt", "mine\n")
    repository.git("add", ".")
    repository.git("commit", "--quiet", "--message=notes")
    commit.check(repository.root, repository.output, repository.tree(ONE))


def test_a_link_that_reads_like_the_file_is_not_the_file(repository: Repository) -> None:
    repository.record(ONE)
    file = repository.output / "openstack/nova/c.yaml"
    file.unlink()
    file.symlink_to("c: 1\n")
    repository.git("add", ".")
    repository.git("commit", "--quiet", "--message=link")
    assert "  differs  openstack/nova/c.yaml\n" in out_of_date(repository, repository.tree(ONE))


def test_a_conversion_of_line_ends_on_the_way_in_is_found(repository: Repository) -> None:
    repository.deliver(ONE)
    repository.write(".gitattributes", "*.yaml filter=shout\n")
    repository.git("config", "filter.shout.clean", "tr a-z A-Z")
    repository.git("add", ".")
    repository.git("commit", "--quiet", "--message=by hand")
    assert "3 files differ" in out_of_date(repository, repository.tree(ONE))


def test_a_conversion_of_line_ends_on_the_way_out_does_not_matter(repository: Repository) -> None:
    repository.record(ONE)
    repository.git("config", "core.autocrlf", "true")
    repository.git("rm", "--quiet", "--cached", "-r", "rendered")
    repository.git("reset", "--quiet", "--hard")
    assert (repository.output / "openstack/keystone/a.yaml").read_bytes() == b"a: 1\r\n"
    commit.check(repository.root, repository.output, repository.tree(ONE))


def test_an_index_in_git_that_cannot_be_read_is_itself_out_of_date(repository: Repository) -> None:
    repository.record(ONE)
    repository.write("rendered/site-a/index.json", "<<<<<<< ours\n")
    repository.git("commit", "--quiet", "--all", "--message=conflict")
    assert out_of_date(repository, repository.tree(ONE)) == (
        "error: `rendered/site-a` in Git does not equal the compile: 1 file differs\n"
        "  differs  index.json\n"
        "  try: oscompile site-a --commit"
    )


def test_a_branch_without_a_commit_holds_nothing(tmp_path: Path) -> None:
    repository = Repository(tmp_path, tmp_path / "rendered" / "site-a")
    repository.git("init", "--quiet")
    assert "4 files differ\n  missing  index.json\n" in out_of_date(repository, repository.tree(ONE))


def test_where_there_is_no_git_it_says_so(tmp_path: Path) -> None:
    repository = Repository(tmp_path, tmp_path / "rendered" / "site-a")
    assert out_of_date(repository, repository.tree({"a.yaml": "a: 1\n"})) == (
        "error: `rendered/site-a` in Git does not equal the compile: 2 files differ\n"
        "  missing  a.yaml\n"
        "  missing  index.json\n"
        "  try: git init, then oscompile site-a --commit: there is no Git repository here"
    )


def test_a_detached_head_and_a_shallow_clone_can_be_checked(repository: Repository, tmp_path: Path) -> None:
    repository.record(ONE)
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.root}", str(tmp_path / "clone"))
    clone = Repository(tmp_path / "clone", tmp_path / "clone" / "rendered" / "site-a")
    clone.git("switch", "--quiet", "--detach")
    commit.check(clone.root, clone.output, clone.tree(ONE))


def test_two_sites_of_one_repository_are_checked_apart(tmp_path: Path) -> None:
    site_a = begin(tmp_path)
    site_b = Repository(tmp_path, tmp_path / "rendered" / "site-b", name="site-b")
    site_a.record(ONE)
    site_b.record(TWO)
    commit.check(site_a.root, site_a.output, site_a.tree(ONE))
    commit.check(site_b.root, site_b.output, site_b.tree(TWO))
