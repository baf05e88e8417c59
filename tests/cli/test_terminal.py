"""A terminal shows progress and colours; a pipe gets plain lines and nothing else."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import Final

from tests.conftest import ROOT, World

PROGRAM: Final = str(ROOT / ".venv" / "bin" / "oscompile")


def on_a_terminal(world: World, *words: str, **environment: str) -> str:
    """What a person sees."""
    ours, theirs = pty.openpty()
    kept = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "TERM"}}
    process = subprocess.Popen(
        [PROGRAM, *words], cwd=world.root, env={**kept, "TERM": "xterm", **environment}, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 65536):
            said += chunk
    except OSError:  # Linux says so when the other side has closed
        pass
    os.close(ours)
    process.wait()
    return said.decode()


def test_a_terminal_shows_what_is_being_done_and_then_the_summary(shipped_world: World) -> None:
    said = on_a_terminal(shipped_world, "dev")
    assert "rendering" in said
    assert "\r\x1b[2K" in said
    assert "\x1b[1mdev\x1b[0m (development) compiled in " in said
    assert said.rpartition("\x1b[2K")[2].startswith("\x1b[1mdev")


def test_no_color_is_honoured(shipped_world: World) -> None:
    said = on_a_terminal(shipped_world, "dev", NO_COLOR="1")
    assert "dev (development) compiled in " in said
    assert "\x1b[1m" not in said
    assert "\x1b[2m" not in said


def test_a_terminal_that_can_do_nothing_gets_plain_lines(shipped_world: World) -> None:
    assert "\x1b" not in on_a_terminal(shipped_world, "dev", TERM="dumb")


def test_an_error_on_a_terminal_begins_on_a_line_of_its_own(shipped_world: World) -> None:
    said = on_a_terminal(shipped_world, "dve")
    assert "\x1b[2K\x1b[31;1merror\x1b[0m" in said


def test_a_pipe_gets_plain_lines_and_silence_on_the_other_stream(shipped_world: World) -> None:
    done = shipped_world.run("dev", environment={"NO_COLOR": ""})
    assert "\x1b" not in done.stdout
    assert done.stderr == ""
