"""A terminal, or the lack of one: colours, progress, plain lines."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import Final, TextIO

from compiler.errors import InputError, OscompileError
from compiler.model.data import Data
from compiler.model.diagnostic import Diagnostic

_BOLD: Final = "1"
_DIM: Final = "2"
_RED: Final = "31;1"
_YELLOW: Final = "33;1"
_CLEAR: Final = "\r\x1b[2K"


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where the program speaks: results on ``out``, everything else on ``err``.

    Colours only where a person looks and ``NO_COLOR`` (https://no-color.org) is not set; progress only where ``err`` is
    a terminal.
    """

    out: TextIO
    err: TextIO
    coloured: bool
    progressive: bool

    @classmethod
    def of_process(cls) -> Terminal:
        """This process's own."""
        dumb = os.environ.get("TERM") == "dumb"
        plain = bool(os.environ.get("NO_COLOR")) or dumb
        return cls(
            out=sys.stdout,
            err=sys.stderr,
            coloured=sys.stderr.isatty() and sys.stdout.isatty() and not plain,
            progressive=sys.stderr.isatty() and not dumb,
        )

    def paint(self, text: str, style: str) -> str:
        """``text`` in ``style``, where colours are wanted."""
        return f"\x1b[{style}m{text}\x1b[0m" if self.coloured and text else text

    def bold(self, text: str) -> str:
        """What a reader should find first."""
        return self.paint(text, _BOLD)

    def dim(self, text: str) -> str:
        """What a reader may pass over."""
        return self.paint(text, _DIM)

    def say(self, text: str) -> None:
        """Print a result."""
        self.out.write(f"{text}\n")

    def say_json(self, value: Data) -> None:
        """Print a result for machines."""
        self.say(json.dumps(value, indent=2, ensure_ascii=False))

    def progress(self, what: str, done: int, total: int) -> None:
        """Show, on one line that is overwritten, what is being done."""
        if self.progressive:
            count = f" {done}/{total}" if total > 1 else ""
            self.err.write(f"{_CLEAR}{self.dim(f'{what}{count} ...')}")
            self.err.flush()

    def settle(self) -> None:
        """Remove the line of progress."""
        if self.progressive:
            self.err.write(_CLEAR)
            self.err.flush()

    def warn(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        """Print what does not stop the compile."""
        for diagnostic in diagnostics:
            self.err.write(f"{self._coloured(str(diagnostic))}\n\n")

    def fail(self, error: OscompileError) -> None:
        """Print why it stopped, and how many mistakes there are."""
        self.err.write(f"{self._coloured(str(error))}\n")
        count = len(error.diagnostics) if isinstance(error, InputError) else 1
        if count > 1:
            self.err.write(f"\n{self.paint(f'{count} mistakes', _RED)}; nothing was written\n")

    def diagnostic(self, found: Diagnostic) -> str:
        """A diagnostic as it is printed."""
        return self._coloured(str(found))

    def _coloured(self, text: str) -> str:
        lines = []
        for line in text.split("\n"):
            head, separator, rest = line.partition(":")
            if line.startswith("error"):
                line = f"{self.paint(head, _RED)}{separator}{self.bold(rest)}"  # noqa: PLW2901 - the same line, painted
            elif line.startswith("warning"):
                line = f"{self.paint(head, _YELLOW)}{separator}{self.bold(rest)}"  # noqa: PLW2901 - the same
            elif line.startswith("  -->"):
                line = self.dim(line)  # noqa: PLW2901 - the same
            lines.append(line)
        return "\n".join(lines)
