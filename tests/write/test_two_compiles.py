"""Two compiles that write to one place: one after the other, never into one another."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler import write
from compiler.errors import OutputFailed
from tests.write.child import NEW, NEXT, OLD
from tests.write.conftest import ROOT, Run
from tests.write.trees import seen, texts


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A directory that holds ``OLD``."""
    output = tmp_path / "rendered" / "site-a"
    write.deliver(OLD, output)
    return output


@pytest.fixture
def other(output: Path) -> Iterator[subprocess.Popen[str]]:
    """Another compile that is at work on the same output."""
    command = [sys.executable, "-m", "tests.write.child", "hold", str(output.with_name(".oscompile-site-a"))]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.communicate()


@pytest.mark.usefixtures("other")
def test_the_second_says_who_the_first_is_when_its_patience_ends(output: Path) -> None:
    with pytest.raises(OutputFailed) as failed:
        write.deliver(NEW, output, patience=0.2)
    assert str(failed.value) == (
        f"error: the compiled tree could not be written to `{output}`: "
        "another compile (process 4711 on build-3) is writing there, and did not end within 0.2 seconds\n"
        "  The tree that was there before is untouched.\n"
        "  try: wait until it has ended, then compile again"
    )
    assert seen(output) == texts(OLD)


def test_the_second_goes_on_when_the_first_has_died(output: Path, other: subprocess.Popen[str]) -> None:
    other.kill()
    write.deliver(NEW, output)
    assert seen(output.parent) == {f"site-a/{path}": text for path, text in texts(NEW).items()}


@pytest.mark.usefixtures("other")
def test_the_output_of_another_site_does_not_wait(output: Path) -> None:
    write.deliver(NEW, output.with_name("site-b"), patience=0)
    assert seen(output.with_name("site-b")) == texts(NEW)


def test_many_at_once_leave_one_whole_tree(quick_path: Path) -> None:
    output = quick_path / "site-a"
    command = [sys.executable, "-m", "tests.write.child", "race", str(output), str(time.time() + 1.0)]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert [process.communicate() for process in processes] == [("[]", "")] * len(processes)
    assert seen(quick_path) == {f"site-a/{path}": text for path, text in texts(NEXT).items()}


def test_of_a_compile_that_was_killed_at_work_git_sees_nothing(child: Run, output: Path) -> None:
    repository = output.parent.parent
    subprocess.run(["git", "init", "-q"], cwd=repository, check=True)
    assert child("killed_at_work", output)
    assert (output.with_name(".oscompile-site-a") / "new/d/d.yaml").exists()
    status = ["git", "status", "--porcelain", "--untracked-files=all"]
    said = subprocess.run(status, cwd=repository, check=True, capture_output=True, text=True).stdout
    assert said.splitlines() == [f"?? rendered/site-a/{path}" for path in sorted(OLD.files)]
    write.deliver(OLD, output)
    assert seen(output.parent) == {f"site-a/{path}": text for path, text in texts(OLD).items()}
