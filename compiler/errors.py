"""Everything that can go wrong, as one tree.

::

    OscompileError
    ├── InputError            the repository is at fault; carries every diagnostic that its room found      exit 1
    ├── RulesBroken           ``validate``: the rules found something; what, is printed already            exit 1
    ├── UsageError            the command line is at fault                                                exit 2
    ├── ProgramMissing        a program that was asked for (helm, git) is not installed                  exit 1
    ├── ProgramFailed         a program ended with an error of its own                                   exit 1
    ├── OutputRefused         the output directory is not ours to write into                             exit 1
    ├── OutputFailed          the disk did not take the tree; the old one is whole                       exit 1
    ├── OutOfDate             ``--check``: Git does not equal the compile                                 exit 1
    └── CommitRefused         Git is in a state in which one clean commit cannot be made                 exit 1

Whatever else is raised is a bug of ours, and exits 70.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from compiler.model.diagnostic import Diagnostic, Severity
from compiler.model.node import Origin


class OscompileError(Exception):
    """An expected failure: ``str()`` is one clear message for people."""

    exit_code = 1


class InputError(OscompileError):
    """The input is at fault. ``diagnostics`` holds every mistake that was found, in order of place."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(sorted(set(diagnostics), key=Diagnostic.sort_key))
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        return "\n\n".join(str(diagnostic) for diagnostic in self.diagnostics)


class RulesBroken(OscompileError):
    """The rules found something that this run was told to fail on; the findings themselves are the result."""

    def __init__(self, *, count: int) -> None:
        self.count = count
        super().__init__(count)

    def __str__(self) -> str:
        return f"error: {self.count} finding{'' if self.count == 1 else 's'} to settle"


class UsageError(OscompileError):
    """The command line asks for something that does not make sense."""

    exit_code = 2


class ProgramMissing(OscompileError):
    """A program is not installed."""

    def __init__(self, *, program: str, purpose: str) -> None:
        self.program, self.purpose = program, purpose
        super().__init__(program, purpose)

    def __str__(self) -> str:
        return (
            f"error: oscompile could not {self.purpose}: there is no program `{self.program}`\n"
            f"  try: install it, or put its directory on PATH"
        )


class ProgramFailed(OscompileError):
    """A program ended with an error; ``said`` holds its own words."""

    def __init__(self, *, program: str, purpose: str, code: int | None, said: str) -> None:
        self.program, self.purpose, self.code, self.said = program, purpose, code, said
        super().__init__(program, purpose, code, said)

    def __str__(self) -> str:
        ended = "" if self.code is None else f" (exit code {self.code})"
        said = "\n".join(f"  {line}" for line in self.said.splitlines()) or "  (it said nothing)"
        return f"error: oscompile could not {self.purpose}: `{self.program}` failed{ended}\n{said}"


class OutputRefused(OscompileError):
    """The output directory is not ours. Nothing was written."""

    def __init__(self, *, path: str, reason: str, hint: str) -> None:
        self.path, self.reason, self.hint = path, reason, hint
        super().__init__(path, reason, hint)

    def __str__(self) -> str:
        return f"error: oscompile does not write into `{self.path}`: {self.reason}\n  try: {self.hint}"


class OutputFailed(OscompileError):
    """The disk did not take the tree. What was there before is whole."""

    def __init__(self, *, path: str, reason: str, hint: str) -> None:
        self.path, self.reason, self.hint = path, reason, hint
        super().__init__(path, reason, hint)

    def __str__(self) -> str:
        return (
            f"error: the compiled tree could not be written to `{self.path}`: {self.reason}\n"
            f"  The tree that was there before is untouched.\n"
            f"  try: {self.hint}"
        )


class OutOfDate(OscompileError):
    """Git does not hold what the compile gives; ``paths`` are the files that differ, with what is wrong with each."""

    def __init__(self, *, output: str, paths: tuple[tuple[str, str], ...], hint: str) -> None:
        self.output, self.paths, self.hint = output, paths, hint
        super().__init__(output, paths, hint)

    def __str__(self) -> str:
        shown = [f"  {what:<8} {path}" for path, what in self.paths[:20]]
        if len(self.paths) > len(shown):
            shown.append(f"  ... and {len(self.paths) - len(shown)} more")
        count = "1 file differs" if len(self.paths) == 1 else f"{len(self.paths)} files differ"
        return "\n".join(
            [f"error: `{self.output}` in Git does not equal the compile: {count}", *shown, f"  try: {self.hint}"]
        )


class CommitRefused(OscompileError):
    """One clean commit cannot be made now. Nothing was committed."""

    def __init__(self, *, reason: str, hint: str) -> None:
        self.reason, self.hint = reason, hint
        super().__init__(reason, hint)

    def __str__(self) -> str:
        return f"error: nothing was committed: {self.reason}\n  try: {self.hint}"


class Collector:
    """Gathers the mistakes of one room, so that an author who made six sees six.

    >>> with collecting() as mistakes:
    ...     mistakes.add("`replicas` must be odd, but is 2", Origin("site.yaml", 3, 5), hint="3")
    Traceback (most recent call last):
        ...
    compiler.errors.InputError: error: `replicas` must be odd, but is 2
      --> site.yaml:3:5
      try: 3
    """

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def add(self, message: str, origin: Origin | None = None, hint: str = "") -> None:
        """Note one mistake."""
        self.diagnostics.append(Diagnostic(message, origin, hint))

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Note mistakes that are already put into words."""
        self.diagnostics.extend(diagnostics)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Go on after a failure inside the block, keeping its diagnostics."""
        try:
            yield
        except InputError as error:
            self.extend(error.diagnostics)

    def stop(self) -> None:
        """Raise ``InputError`` if any error was noted (warnings alone do not stop)."""
        if any(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics):
            raise InputError(self.diagnostics)


@contextmanager
def collecting() -> Iterator[Collector]:
    """Collect inside a block, stop at its end: raises ``InputError`` with everything noted."""
    collector = Collector()
    with collector.attempt():
        yield collector
    collector.stop()
