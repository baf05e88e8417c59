"""From argv to an exit code."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from compiler.cli import endings
from compiler.cli.arguments import parse
from compiler.cli.findings import diagnostic_data
from compiler.cli.terminal import Terminal
from compiler.errors import InputError, OscompileError, RulesBroken
from compiler.model.data import Data

_BUG: Final = 70
_INTERRUPTED: Final = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code. ``argv`` is the process's own, without the program, where it is None."""
    gc.disable()  # one compile and the process is gone; what it would collect is not worth looking for
    terminal = Terminal.of_process()
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        arguments = parse(words)
        endings.ENDINGS[arguments.command](arguments, terminal)
        terminal.out.flush()
    except RulesBroken as broken:  # its findings are the result, and are printed
        return broken.exit_code
    except OscompileError as error:
        terminal.settle()
        _report(error, terminal, as_json=_wants_json(words))
        return error.exit_code
    except KeyboardInterrupt:
        terminal.settle()
        terminal.err.write("interrupted; nothing was written\n")
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`oscompile graph | head`): that is its right, and no fault of anybody's.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:  # noqa: BLE001 - whatever else it is, it is our bug, and says so
        terminal.settle()
        traceback.print_exc(file=terminal.err)
        terminal.err.write("\nThis is a bug in oscompile, not in your files. Please report it with the lines above.\n")
        return _BUG
    return 0


def _wants_json(words: Sequence[str]) -> bool:
    apart = any(option in {"-o", "--output"} and value == "json" for option, value in pairwise(words))
    return apart or "--output=json" in words or "-ojson" in words


def _report(error: OscompileError, terminal: Terminal, *, as_json: bool) -> None:
    if not as_json:
        terminal.fail(error)
        return
    diagnostics = error.diagnostics if isinstance(error, InputError) else ()
    mistakes: list[Data] = [diagnostic_data(diagnostic) for diagnostic in diagnostics]
    terminal.say_json({"error": {"message": str(error), "exitCode": error.exit_code, "diagnostics": mistakes}})
