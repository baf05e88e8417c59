"""Overrides that change nothing: what a misspelt value does in a chart without a schema.

Whether an override does anything is found by rendering without it. First without all of them; then with a mark in each
text and number, which shows most of them in one render; the few that are left are taken out in groups.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from compiler.errors import InputError
from compiler.model.data import Data, canonical
from compiler.model.diagnostic import Diagnostic, Severity
from compiler.model.instance import Instance
from compiler.model.names import Digest
from compiler.model.node import MapNode, Node, Origin, at, describe, dotted, is_null, leaves
from compiler.model.render import RenderedFile, Trial
from compiler.model.site import Declaration, Site
from compiler.model.trace import ValuePath
from compiler.trace.experiment import Bench
from compiler.trace.marks import mark, marks_in
from compiler.trace.overrides import Override, default_at, overrides, without
from compiler.trace.perturb import replaced
from compiler.trace.place import Means

UNREAD: Final = "OS060"
"""The code of the rule about values that no template reads."""

IDLE: Final = "OS061"
"""The code of the rule about values that change nothing here."""

_SMALLEST: Final = 3
"""Groups smaller than this are not worth a second look for marks: taking each out is as quick."""


def silent(site: Site, instances: Sequence[Instance], means: Means) -> Iterator[Diagnostic]:
    """Every override that changes nothing in what its instance renders, and every deletion that deletes nothing.

    Instances whose chart's schema names all that is set cost nothing, and so does what an earlier compile found out.
    """
    declarations = {declaration.name: declaration for declaration in site.declarations}
    for instance in instances:
        declaration = declarations[instance.name]
        yield from (_deletes_nothing(declaration, instance, path, node) for path, node in declaration.idle)
        found = tuple(
            one for one in overrides(site, declaration, instance) if one.changes and not _is_left(declaration, one)
        )
        dead = _remembered(instance, found, means) if found else ()
        yield from _told(declaration, instance, found, dead, means)


def _is_left(declaration: Declaration, one: Override) -> bool:
    """Whether it is what is left of a map in which everything was a deletion of nothing."""
    return any(path[: len(one.path)] == one.path for path, _ in declaration.idle)


def _remembered(instance: Instance, found: tuple[Override, ...], means: Means) -> tuple[Override, ...]:
    """Those of ``found`` that change nothing."""
    question = json.dumps(["silent", *([*one.path, _data(one.default)] for one in found)])
    key = means.key(instance, question) if means.store is not None else Digest("")
    known = means.store.get(key) if means.store is not None else None
    if known is not None:
        return tuple(found[number] for number in json.loads(known))
    dead = _Trying(instance, means.bench(instance)).dead(found)
    if means.store is not None:
        means.store.put(key, json.dumps([found.index(one) for one in dead]).encode())
    return dead


def _data(node: Node | None) -> Data:
    return [] if node is None else [node.data()]


class _Trying:
    """Renders of one instance without some of its overrides, held against the render with all."""

    def __init__(self, instance: Instance, bench: Bench) -> None:
        self._instance, self._bench = instance, bench
        self._base = bench.render()

    def dead(self, found: tuple[Override, ...]) -> tuple[Override, ...]:
        """Those that can be taken out, all together, without any difference."""
        if self._is_same(found):
            return found
        seen = self._seen(found)
        left = tuple(one for one in found if one.path not in seen)
        return self._idle(left, (), differs=left == found)

    def _is_same(self, removed: Sequence[Override]) -> bool:
        data = without(self._instance.values, self._instance, removed)
        return self._render(data) == self._base

    def _render(self, data: Data) -> tuple[RenderedFile, ...] | None:
        try:
            return self._bench.render(Trial(values=canonical(data)))
        except InputError:
            return None

    def _seen(self, group: tuple[Override, ...]) -> frozenset[ValuePath]:
        """The paths of those whose mark shows in the render; an override holds maps, and has no hash."""
        numbered = ((one.path, mark(one.node.data(), number)) for number, one in enumerate(group))
        marks = {path: found for path, found in numbered if found is not None}
        if len(marks) < _SMALLEST:
            return frozenset()
        changes: dict[ValuePath, Data] = {path: value for path, (value, _) in marks.items()}
        files = self._render(replaced(self._instance.values.data(), changes))
        if files is None:
            middle = len(group) // 2
            return self._seen(group[:middle]) | self._seen(group[middle:])
        after, before = (marks_in("\n".join(file.text for file in render)) for render in (files, self._base))
        return frozenset(path for path, (_, token) in marks.items() if token in after - before)

    def _idle(
        self, group: tuple[Override, ...], dead: tuple[Override, ...], *, differs: bool = False
    ) -> tuple[Override, ...]:
        """``dead``, and those of ``group`` that can be taken out besides; ``differs``: not all of them, it is known."""
        if not group:
            return dead
        if not differs and self._is_same((*dead, *group)):
            return (*dead, *group)
        if len(group) == 1:
            return dead
        middle = len(group) // 2
        return self._idle(group[middle:], self._idle(group[:middle], dead))


def _told(
    declaration: Declaration,
    instance: Instance,
    found: tuple[Override, ...],
    dead: tuple[Override, ...],
    means: Means,
) -> Iterator[Diagnostic]:
    """One diagnostic for each dead override, or for the key above it that the chart does not know at all."""
    templates = "\n".join(means.bench(instance).templates().values()) if dead else ""
    said: set[tuple[str, ...]] = set()
    for one in dead:
        top = _unknown(declaration.values, instance, one.path)
        whole = top is not None and all(other in dead for other in found if other.path[: len(top)] == top)
        path = top if top is not None and whole else one.path
        if path not in said:
            said.add(path)
            if top is not None and not _is_read(templates, top):
                yield _unread(declaration, instance, path)
            else:
                yield _idle(declaration, instance, one, top)


def _is_read(templates: str, path: tuple[str, ...]) -> bool:
    """Whether a template may read the value at ``path``: below what it stands in, below the dot, or by its name."""
    key, above = re.escape(path[-1]), re.escape(path[-2]) if len(path) > 1 else "Values"
    return re.search(rf"(?:{above}|\$\w+|(?<![\w)\]$]))\.{key}\b|\"{key}\"", templates) is not None


def _unknown(values: MapNode, instance: Instance, path: tuple[str, ...]) -> tuple[str, ...] | None:
    """The first part of ``path`` that is not in the chart's own values; None where all of it is."""
    for length in range(1, len(path) + 1):
        if default_at(values, instance, path[:length]) is None:
            return path[:length]
    return None


def _unread(declaration: Declaration, instance: Instance, path: tuple[str, ...]) -> Diagnostic:
    chart = instance.chart.name
    message = f"`{dotted(path)}` of `{instance.name}` changes nothing: no template of the chart `{chart}` reads it"
    hint = (
        _near(declaration.values, instance, path) or f"remove it; `helm show values {instance.chart.path}` lists them"
    )
    return Diagnostic(message, _place(declaration.values, path), hint, code=UNREAD, value=_named(instance, path))


def _idle(declaration: Declaration, instance: Instance, one: Override, unknown: tuple[str, ...] | None) -> Diagnostic:
    what = f"deleting `{dotted(one.path)}`" if is_null(one.node) else f"`{dotted(one.path)}`"
    default = one.default
    same = "without it" if default is None or isinstance(default, MapNode) else f"with its default, {describe(default)}"
    message = f"{what} of `{instance.name}` changes nothing: the chart `{instance.chart.name}` renders the same {same}"
    near = _near(declaration.values, instance, unknown) if unknown is not None else ""
    hint = near or "remove it, or set what makes the chart use it"
    place, value = _place(declaration.values, one.path), _named(instance, one.path)
    return Diagnostic(message, place, hint, code=IDLE, severity=Severity.WARNING, value=value)


def _deletes_nothing(declaration: Declaration, instance: Instance, path: tuple[str, ...], node: Node) -> Diagnostic:
    message = f"`{dotted(path)}: null` of `{instance.name}` deletes nothing: neither the chart nor a layer sets it"
    hint = _near(declaration.values, instance, path) or "remove it"
    value = _named(instance, path)
    return Diagnostic(message, node.origin, hint, code=IDLE, severity=Severity.WARNING, value=value)


def _named(instance: Instance, path: tuple[str, ...]) -> str:
    """How a waiver writes the value."""
    return f"{instance.name}.{dotted(path)}"


def _place(values: MapNode, path: tuple[str, ...]) -> Origin | None:
    """Where the key stands; where the chart has it too, where its value does."""
    node, above = at(values, path), at(values, path[:-1])
    if isinstance(above, MapNode) and path[-1] in above.keys and isinstance(node, MapNode):
        return above.key_origin(path[-1])
    return node.origin if node is not None else None


def _near(values: MapNode, instance: Instance, path: tuple[str, ...]) -> str:
    """What was probably meant: a key of the chart beside it that is written alike, or the same key in another place."""
    known = list(dict.fromkeys(_known(values, instance)))
    depth = len(path) - 1
    beside = {other[depth] for other in known if len(other) > depth and other[:depth] == path[:depth]}
    close = difflib.get_close_matches(path[-1], sorted(beside), n=1, cutoff=0.6)
    if close:
        return f"`{dotted((*path[:-1], close[0]))}`"
    elsewhere = sorted(dotted(other) for other in known if other[-1] == path[-1])
    return "one of " * (len(elsewhere) > 1) + ", ".join(f"`{other}`" for other in elsewhere[:3])


def _known(values: MapNode, instance: Instance) -> Iterator[tuple[str, ...]]:
    """Every path of the chart's own values."""
    for path, _ in leaves(values):
        for length in range(1, len(path) + 1):
            if default_at(values, instance, path[:length]) is not None:
                yield path[:length]
