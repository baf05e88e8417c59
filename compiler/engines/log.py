"""What engines did, in order."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: the turn, who did it, and what."""

    turn: int
    who: str
    what: str

    def __str__(self) -> str:
        """As it is shown."""
        return f"{self.who} {self.what}"


@dataclass(slots=True)
class Log:
    """Entries; call it to add one."""

    entries: list[Entry] = field(default_factory=list)
    turn: int = 0

    def __call__(self, who: str, what: str) -> None:
        """Note what happened in this turn."""
        self.entries.append(Entry(self.turn, who, what))
