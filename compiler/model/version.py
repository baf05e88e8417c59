"""The version of the compiler, as ``pyproject.toml`` has it."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.1.0"
"""Written here too because a compile asks nothing of the machine, not even which packages it has installed."""
