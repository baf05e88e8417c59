"""What a commit says: first what changes for whom, then in which files, then what it was made from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from compiler.model.index import INDEX, Index
from compiler.model.instance import SITE
from compiler.model.names import InstanceName
from compiler.model.tree import Changes

_WIDTH: Final = 72
_FILES_EACH: Final = 10
_OWNERS: Final = 30
_LAYERS: Final = 30
_DIGITS: Final = 12


@dataclass(slots=True)
class _Part:
    """What changes for one owner: an instance, the site (its own objects), or delivery."""

    name: str
    instance: bool
    files: list[tuple[str, str]] = field(default_factory=list)
    verb: str = "changed"

    def __str__(self) -> str:
        return f"{self.name} {self.verb}" + (f" ({_count(self)})" if self.verb == "changed" else "")


def message(changes: Changes, after: Index, before: Index | None = None) -> str:
    """The message of a commit that makes ``changes`` on the way from the tree of ``before`` to that of ``after``.

    Promises a first line of at most 72 characters where the site's name allows it, which names the instances if they
    fit and counts them if not; and that the same changes give the same message.
    """
    parts = _parts(changes, after, before)
    lines = [_subject(after, parts), ""]
    for part in parts[:_OWNERS]:
        lines += [*_paragraph(part), ""]
    if len(parts) > _OWNERS:
        lines += [f"... and {len(parts) - _OWNERS} more", ""]
    return "\n".join([*lines, *_sources(after)]) + "\n"


def _parts(changes: Changes, after: Index, before: Index | None) -> list[_Part]:
    """Instances in order of name, then the site, then delivery. The index itself is nobody's news."""
    now, then = _owners(after), _owners(before)
    files: dict[InstanceName | None, list[tuple[str, str]]] = defaultdict(list)
    for verb, paths in (("added", changes.added), ("changed", changes.changed), ("removed", changes.removed)):
        for path in paths:
            if path != INDEX:
                files[now.get(path, then.get(path))].append((verb, path))
    parts = []
    for owner in sorted(files, key=lambda owner: (owner is None, owner == SITE, owner or "")):
        name = "delivery" if owner is None else owner or "site"
        verb = "changed" if owner in then.values() else "added"
        verb = verb if owner in now.values() else "removed"
        parts.append(_Part(name, bool(owner), sorted(files[owner], key=lambda file: file[1]), verb))
    return parts


def _owners(index: Index | None) -> dict[str, InstanceName | None]:
    return {path: entry.instance for path, entry in index.files.items()} if index is not None else {}


def _subject(after: Index, parts: list[_Part]) -> str:
    told = [part for part in parts if part.instance] or parts
    if not told:
        return f"{after.site}: index changed"
    named = f"{after.site}: {', '.join(str(part) for part in told)}"
    return named if len(named) <= _WIDTH else f"{after.site}: {_summary(told)}"


def _summary(parts: list[_Part]) -> str:
    counts = [(verb, sum(part.verb == verb for part in parts)) for verb in ("added", "changed", "removed")]
    told = [f"{count} {verb}" for verb, count in counts if count]
    noun = "instance" if len(parts) == 1 else "instances"
    told[0] = told[0].replace(" ", f" {noun} ", 1)
    objects = sum(len(part.files) for part in parts)
    return f"{', '.join(told)} ({objects} object{'s' if objects != 1 else ''})"


def _count(part: _Part) -> str:
    noun = "file" if part.name == "delivery" and not part.instance else "object"
    return f"{len(part.files)} {noun}{'s' if len(part.files) != 1 else ''}"


def _paragraph(part: _Part) -> Iterator[str]:
    yield f"{part.name} {part.verb} ({_count(part)})"
    for verb, path in part.files[:_FILES_EACH]:
        yield f"  {verb:<7} {path}"
    if len(part.files) > _FILES_EACH:
        yield f"  ... and {len(part.files) - _FILES_EACH} more"


def _sources(after: Index) -> Iterator[str]:
    yield f"Compiled by oscompile {after.compiler} from:"
    for layer in after.layers[:_LAYERS]:
        yield f"  {layer.sha256[:_DIGITS]} {layer.file} ({layer.layer})"
    if len(after.layers) > _LAYERS:
        yield f"  ... and {len(after.layers) - _LAYERS} more"
