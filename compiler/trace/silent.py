"""Overrides that change nothing: what a misspelt value does in a chart without a schema."""

from __future__ import annotations

import difflib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from compiler.model.data import Data
from compiler.model.diagnostic import Diagnostic, Severity
from compiler.model.instance import Instance
from compiler.model.manifest import Bundle
from compiler.model.names import InstanceName
from compiler.model.node import MapNode, Node, Origin, at, describe, dotted, is_null, leaves
from compiler.model.site import Declaration, Site
from compiler.trace.dead import FEW, Question, dead
from compiler.trace.means import Means
from compiler.trace.overrides import Override, default_at, overrides, removal

UNREAD: Final = "OS060"
"""The code of the rule about values that no template reads."""

IDLE: Final = "OS061"
"""The code of the rule about values that change nothing here."""

_LONG: Final = 4
"""How long a text must be to be looked for in what is rendered."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """An instance, and what was set for it of which nothing is known yet."""

    declaration: Declaration
    instance: Instance
    found: tuple[Override, ...]

    @property
    def words(self) -> str:
        """The question in words, to know it again."""
        return json.dumps(["silent", *([*one.path, _data(one.default)] for one in self.found)])

    def question(self, bundle: Bundle, means: Means) -> Question:
        """Which of it changes nothing."""
        texts: defaultdict[str, str] = defaultdict(str)
        for manifest in bundle.manifests:
            texts[manifest.template] += manifest.metadata + manifest.body
        rendered = sorted((name for name in texts), key=lambda name: (len(texts[name]), name))
        removals = tuple(
            removal(self.instance.values, self.instance, one, _shown(one, texts, rendered)) for one in self.found
        )
        return Question(means.request(self.instance), means.bench, removals, tuple(rendered))


def silent(site: Site, instances: Sequence[Instance], bundles: Sequence[Bundle], means: Means) -> Iterator[Diagnostic]:
    """Every override that changes nothing in what its instance renders, and every deletion that deletes nothing.

    Instances whose chart's schema names all that is set cost nothing, and so does what an earlier compile found out.
    """
    declarations = {declaration.name: declaration for declaration in site.declarations}
    asked = [_asked(site, declarations[instance.name], instance) for instance in instances]
    dead = _dead([each for each in asked if each.found], bundles, means)
    for each in asked:
        yield from (
            _deletes_nothing(each.declaration, each.instance, path, node) for path, node in each.declaration.idle
        )
        yield from _told(each, dead.get(each.instance.name, ()), means)


def _asked(site: Site, declaration: Declaration, instance: Instance) -> _Asked:
    found = (one for one in overrides(site, declaration, instance) if one.changes and not _is_left(declaration, one))
    return _Asked(declaration, instance, tuple(found))


def _is_left(declaration: Declaration, one: Override) -> bool:
    """Whether it is what is left of a map in which everything was a deletion of nothing."""
    return any(path[: len(one.path)] == one.path for path, _ in declaration.idle)


def _shown(one: Override, texts: Mapping[str, str], rendered: Sequence[str]) -> tuple[str, ...]:
    """The smallest templates in whose output the value seems to stand."""
    value = one.node.data()
    if not isinstance(value, str) or len(value) < _LONG:
        return ()
    return tuple(name for name in rendered if value in texts[name])[:FEW]


def _dead(
    asked: Sequence[_Asked], bundles: Sequence[Bundle], means: Means
) -> Mapping[InstanceName, tuple[Override, ...]]:
    """What changes nothing, by instance: what was found out before, and the rest side by side."""
    rendered = {bundle.instance: bundle for bundle in bundles}

    def job(number: int) -> Question:
        each = asked[number]
        return each.question(rendered[each.instance.name], means)

    answers = means.answers([(means.request(each.instance), each.words) for each in asked], job, _answer)
    return {
        each.instance.name: tuple(each.found[number] for number in json.loads(answer))
        for each, answer in zip(asked, answers, strict=True)
    }


def _answer(question: Question) -> bytes:
    """The numbers of what changes nothing, written down."""
    return json.dumps(dead(question)).encode()


def _data(node: Node | None) -> Data:
    return [] if node is None else [node.data()]


def _told(each: _Asked, dead: tuple[Override, ...], means: Means) -> Iterator[Diagnostic]:
    """One diagnostic for each dead override, or for the key above it that the chart does not know at all."""
    declaration, instance, found = each.declaration, each.instance, each.found
    templates = "\n".join(means.on(instance).templates().values()) if dead else ""
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
