"""One child process: run, and reported well.

A command is a value: argv, input, environment, a sentence for people. Nothing is given a shell; secrets and values
travel on standard input, never in argv.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from compiler.errors import ProgramFailed, ProgramMissing


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. ``purpose`` completes the sentence "oscompile could not ...".

    ``environment`` is laid over the caller's own environment; ``timeout`` is in seconds.
    """

    argv: tuple[str, ...]
    purpose: str
    stdin: bytes = b""
    directory: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 300.0


@dataclass(frozen=True, slots=True)
class Output:
    """What a finished command said."""

    code: int
    stdout: bytes
    stderr: str


def run(command: Command, *, accept: tuple[int, ...] = (0,)) -> Output:
    """Run ``command`` to its end and return what it said.

    Raises ``ProgramMissing`` where there is no such program, and ``ProgramFailed``, with the program's own words,
    where it ran out of time or ended with a code that ``accept`` does not list.
    """
    try:
        done = subprocess.run(
            command.argv,
            input=command.stdin,
            capture_output=True,
            cwd=command.directory,
            env={**os.environ, **command.environment},
            timeout=command.timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise ProgramMissing(program=command.argv[0], purpose=command.purpose) from error
    except subprocess.TimeoutExpired as error:
        raise ProgramFailed(
            program=command.argv[0],
            purpose=command.purpose,
            code=None,
            said=f"it did not end within {command.timeout:g} seconds",
        ) from error
    output = Output(done.returncode, done.stdout, done.stderr.decode(errors="replace"))
    if output.code not in accept:
        raise ProgramFailed(
            program=command.argv[0],
            purpose=command.purpose,
            code=output.code,
            said=output.stderr.strip() or done.stdout.decode(errors="replace").strip(),
        )
    return output
