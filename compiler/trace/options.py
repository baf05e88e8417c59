"""Options of configuration files as fields of the objects that hold these files: a section, and an option in it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from compiler.model.data import Data

_SECTION: Final = re.compile(r"\[(?P<name>[^\]]+)\]\s*$")
_OPTION: Final = re.compile(r"(?P<name>[^\s=:#;][^=:]*?)\s*[=:](?P<value>.*)$")


def option(held: Data, steps: tuple[str | int, ...]) -> str | None:
    r"""What the text ``held`` (of a ConfigMap, or in base64 of a Secret) says in a section, or of one of its options.

    None where it is no text, or has no such section or option.

    >>> text = "[DEFAULT]\ndebug = true\n[output]\npipeline = osrf\n"
    >>> option(text, ("DEFAULT", "debug")), option(text, ("output",)), option(text, ("output", "debug"))
    ('true', 'pipeline = osrf', None)
    """
    if not isinstance(held, str) or not steps:
        return None
    lines = [line for section, line in _lines(_decoded(held)) if section == steps[0]]
    if not lines or len(steps) == 1:
        return "\n".join(lines) if lines else None
    found = (_OPTION.match(line) for line in lines)
    values = [match["value"].strip() for match in found if match is not None and match["name"] == steps[1]]
    return "\n".join(values) if values else None


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Every line of every section, with the section's name."""
    section = ""
    for line in text.splitlines():
        head = _SECTION.match(line)
        if head is not None:
            section = head["name"]
        elif section and line.strip():
            yield section, line


def _decoded(held: str) -> str:
    """The text of a file; what base64 holds, where it is nothing else."""
    if "\n" in held.strip():
        return held
    try:
        return base64.b64decode(held, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return held
