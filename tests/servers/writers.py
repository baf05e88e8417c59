"""Clients that write while servers are killed, and what became of every acknowledged write."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Write = Callable[[int], bool]
"""Write number ``n``; whether it was acknowledged. An error is no acknowledgement."""


@dataclass
class Ledger:
    """What a writer was told: the numbers that were acknowledged, with the times, and how many attempts failed."""

    acknowledged: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def gap(self) -> float:
        """The longest time without an acknowledged write, in seconds."""
        return round(max((b - a for a, b in zip(self.times, self.times[1:], strict=False)), default=0.0), 2)

    def lost(self, found: set[int]) -> list[int]:
        """Acknowledged numbers that are not there."""
        return sorted(set(self.acknowledged) - found)

    def figures(self, found: set[int]) -> dict[str, object]:
        """For ``record``."""
        return {
            "acknowledged": len(self.acknowledged),
            "failed": self.failed,
            "lost": len(self.lost(found)),
            "seconds": self.gap,
        }


@contextmanager
def writing(write: Write, pause: float = 0.01) -> Iterator[Ledger]:
    """Write numbers one after the other in the background as long as the block lasts, and once more at its end."""
    ledger, stop = Ledger(), threading.Event()

    def go() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            try:
                acknowledged = write(number)
            except (OSError, ValueError, json.JSONDecodeError):
                acknowledged = False
            if acknowledged:
                ledger.acknowledged.append(number)
                ledger.times.append(time.monotonic())
            else:
                ledger.failed += 1
            time.sleep(pause)

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    try:
        yield ledger
    finally:
        stop.set()
        thread.join(60)
