"""``python -m compiler``: the same program as ``oscompile`` and ``helm oscompile``."""

import sys

from compiler.cli import main

sys.exit(main())
