"""The only voice: argv in; text, progress and an exit code out.

Exit codes: 0 done, 1 the input is at fault, 2 the command line is, 70 we are. Nothing below this package prints, reads
the clock or looks at the environment.
"""

from compiler.cli.main import main

__all__ = ["main"]
