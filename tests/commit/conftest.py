"""Real repositories, with nothing of the machine's own configuration in them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from compiler import commit, write
from compiler.model.names import CommitId
from compiler.model.tree import Tree
from tests.write.trees import tree_of


@dataclass(frozen=True)
class State:
    """What must be as it was when nothing was committed."""

    head: str
    index: str
    status: str


@dataclass(frozen=True)
class Repository:
    """A Git repository, and an output directory in it."""

    root: Path
    output: Path
    name: str = field(default="site-a")

    def git(self, *words: str, check: bool = True) -> str:
        """Run git in the repository, and return what it said."""
        done = subprocess.run(["git", *words], cwd=self.root, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def write(self, path: str, text: str) -> Path:
        """Write a file."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def tree(self, files: dict[str, str]) -> Tree:
        """A tree of the site."""
        return tree_of(files, self.name, self.root)

    def deliver(self, files: dict[str, str]) -> Tree:
        """Bring the output to these files, and return the tree."""
        tree = self.tree(files)
        write.deliver(tree, self.output)
        return tree

    def record(self, files: dict[str, str]) -> CommitId | None:
        """Deliver and commit."""
        return commit.record(self.root, self.output, self.deliver(files))

    def committed(self, what: str = "HEAD") -> list[str]:
        """The files that a commit changes, each with how: ``A path``."""
        return self.git("show", "--format=", "--name-status", "--no-renames", what).replace("\t", " ").splitlines()

    def state(self) -> State:
        """How it stands now."""
        head = self.git("rev-parse", "--quiet", "--verify", "HEAD", check=False)
        return State(head, self.git("ls-files", "--stage"), self.git("status", "--porcelain"))


@pytest.fixture(autouse=True)
def _nobodys_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration, and no variables, of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.delenv("EMAIL", raising=False)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


def begin(root: Path, *options: str) -> Repository:
    """A repository with one commit, and a committer."""
    root.mkdir(parents=True, exist_ok=True)
    repository = Repository(root, root / "rendered" / "site-a")
    repository.git("init", "--quiet", "--initial-branch=main", *options)
    repository.git("config", "user.name", "Someone")
    repository.git("config", "user.email", "someone@example.org")
    repository.write("README.md", "mine\n")
    repository.git("add", "README.md")
    repository.git("commit", "--quiet", "--message=begin")
    return repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with one commit."""
    return begin(tmp_path / "sites")
