"""How Helm reads YAML: what these tests are measured against."""

from __future__ import annotations

from collections.abc import Callable

from compiler.model.data import Data

Oracle = Callable[[str], Data]
"""Gives what Helm reads in a text, or raises ``Refused``."""


class Refused(Exception):
    """Helm does not read the text."""
