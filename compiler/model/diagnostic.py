"""What is wrong, where, and what to do: facts in fields, the sentence made in one place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from compiler.model.node import Origin

if TYPE_CHECKING:
    from compiler.model.manifest import Field


class Severity(StrEnum):
    """An error stops the compile; a warning is printed."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that belongs to the same mistake."""

    text: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake.

    ``message`` says what must be and what is, ``hint`` what to try; ``code`` is that of the rule, where it is one, and
    ``field`` what of a rendered object is at fault, ``container`` which of its containers, where it is about one; a
    ``value`` is at fault where nothing is rendered from it (``keystone.replicaCount``, as ``--set`` writes it).
    """

    message: str
    origin: Origin | None = None
    hint: str = ""
    related: tuple[Related, ...] = ()
    code: str = ""
    severity: Severity = Severity.ERROR
    field: Field | None = None
    container: str = ""
    value: str = ""

    def __str__(self) -> str:
        """The whole message, in plain text, as a terminal shows it."""
        code = f" [{self.code}]" if self.code else ""
        lines = [f"{self.severity}{code}: {self.message}"]
        if self.origin is not None:
            lines.append(f"  --> {self.origin}")
        lines += [f"  {related.text}\n  --> {related.origin}" for related in self.related]
        if self.hint:
            lines.append(f"  try: {self.hint}")
        return "\n".join(lines)

    def sort_key(self) -> tuple[bool, Origin, str, str]:
        """Errors with a place first, by place; then by code and message."""
        return (self.origin is None, self.origin or Origin(""), self.code, self.message)
