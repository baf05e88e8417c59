"""What ``--commit`` and ``--check`` do to a real Git repository, seen from the command line."""

from __future__ import annotations

import subprocess

import pytest

from tests.conftest import World


@pytest.fixture
def committed(shipped_world: World) -> World:
    """The shipped sites in a Git repository, inputs and the output of site-a committed."""
    git(shipped_world, "init", "--quiet", "--initial-branch=main")
    git(shipped_world, "config", "user.name", "Somebody")
    git(shipped_world, "config", "user.email", "somebody@example.org")
    git(shipped_world, "add", "charts", "environments", "overlays")
    git(shipped_world, "commit", "--quiet", "--message=inputs")
    done = shipped_world.run("site-a", "--commit")
    assert done.returncode == 0, done.stderr
    return shipped_world


def git(world: World, *words: str) -> str:
    """What git says."""
    done = subprocess.run(["git", *words], cwd=world.root, capture_output=True, text=True, check=True)
    return done.stdout


def test_a_commit_holds_exactly_the_output_and_says_what_it_does(committed: World) -> None:
    assert git(committed, "status", "--porcelain", "--ignored=no") == ""
    assert {path.split("/")[0] for path in git(committed, "show", "--name-only", "--format=").split()} == {"rendered"}
    subject = git(committed, "log", "-1", "--format=%s").strip()
    assert subject.startswith("site-a: ")


def test_nothing_changed_is_nothing_committed(committed: World) -> None:
    before = git(committed, "rev-parse", "HEAD")
    done = committed.run("site-a", "--commit")
    assert done.returncode == 0
    assert "commit" not in [line.split()[0] for line in done.stdout.splitlines()[1:]]
    assert git(committed, "rev-parse", "HEAD") == before


def test_a_change_to_keystone_is_a_commit_that_touches_keystone_only(committed: World) -> None:
    file = committed.root / "environments/site-a/environment.yaml"
    file.write_text(file.read_text() + "\n  keystone: {values: {replicas: {api: 5}}}\n")
    (committed.root / "README.md").write_text("mine\n")
    git(committed, "add", "README.md")
    done = committed.run("site-a", "--commit")
    assert done.returncode == 0, done.stderr
    changed = git(committed, "show", "--name-only", "--format=").split()
    assert set(changed) - {"rendered/site-a/index.json"} == {
        "rendered/site-a/openstack/keystone/deployment.apps.keystone-api.yaml"
    }
    assert git(committed, "log", "-1", "--format=%s").startswith("site-a: keystone changed")
    status = sorted(git(committed, "status", "--porcelain").splitlines())
    assert status == [" M environments/site-a/environment.yaml", "A  README.md"]


def test_check_passes_when_git_equals_the_compile_and_fails_when_it_does_not(committed: World) -> None:
    done = committed.run("site-a", "--check")
    assert (done.returncode, "Git equals the compile" in done.stdout) == (0, True)
    file = committed.root / "environments/site-a/environment.yaml"
    file.write_text(file.read_text() + "\n  keystone: {values: {replicas: {api: 5}}}\n")
    before = committed.tree("rendered/site-a")
    done = committed.run("site-a", "--check")
    assert done.returncode == 1
    assert done.stderr.startswith("error: `rendered/site-a` in Git does not equal the compile: 2 files differ\n")
    assert "openstack/keystone/deployment.apps.keystone-api.yaml" in done.stderr
    assert committed.tree("rendered/site-a") == before
