"""``--set instance.path=value``: the last word on one value."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from compiler.documents import parse_node
from compiler.documents.scalars import resolve
from compiler.errors import InputError, UsageError
from compiler.layers.merge import Law
from compiler.model.diagnostic import Diagnostic
from compiler.model.names import InstanceName, LayerName
from compiler.model.node import ListNode, MapNode, Node, Origin, ScalarNode, is_null, without_nulls
from compiler.model.site import Setting

_OPTION: Final = "--set"
_LAYER: Final = LayerName(_OPTION)
_STEP: Final = re.compile(r"\[(?P<index>\d+)\]|(?P<key>(?:[^.\[\]\\=]|\\.)+)")
_EXAMPLE: Final = "`--set keystone.replicas.api=5`"


def setting(text: str) -> Setting:
    r"""The setting that ``text`` says: ``<instance>.<path>=<value>``.

    The path is keys with dots between them and ``[0]`` for an item of a list; ``\`` before a dot makes it part of a
    key. The value means what it means in a YAML file, in one line: a number, a boolean, ``null`` (which deletes),
    ``[a, b]``, ``{a: b}``, a string, in quotes or not; nothing at all is the empty string, as for Helm. Raises
    ``UsageError`` for anything else.

    >>> setting(r"keystone.hosts[0].labels.example\.org/zone=on").path
    ('hosts', '[0]', 'labels', 'example.org/zone')
    >>> [setting(f"a.b={text}").value.data() for text in ("0644", '"0644"', "on", "x: y", "[1, 2]", "")]
    [420, '0644', True, 'x: y', [1, 2], '']
    """
    place, equals, written = text.partition("=")
    if not equals:
        raise _usage(text, "it has no `=`")
    instance, dot, path = place.partition(".")
    if not (instance and dot and path):
        raise _usage(text, "it must name an instance, a dot and a path")
    return Setting(InstanceName(instance), _path(text, path), _value(text, written, len(place) + 2))


def apply(values: MapNode, setting: Setting, law: Law) -> Node:
    """``values`` with ``setting`` laid over them by the law; an item that is set to null is removed from its list.

    Raises ``InputError`` for a list index that is more than one past the end.
    """
    return law.over(values, _upper(values, setting.path, (), setting, law), setting.instance)


def _path(text: str, path: str) -> tuple[str, ...]:
    steps: list[str] = []
    at = 0
    while at < len(path):
        at += 1 if steps and path[at] == "." else 0
        found = _STEP.match(path, at)
        if found is None or (found["key"] and steps and path[at - 1] != "."):
            raise _usage(text, f"its path cannot be read from `{path[at:]}` on")
        steps.append(found[0] if found["index"] else re.sub(r"\\(.)", r"\1", found["key"]))
        at = found.end()
    return tuple(steps)


def _value(text: str, written: str, column: int) -> Node:
    origin = Origin(_OPTION, 1, column, _LAYER)
    if not written.startswith(('"', "'", "[", "{")):
        return ScalarNode(resolve(written) if written else "", origin)
    try:
        node = parse_node(written, _OPTION, _LAYER)
    except InputError as error:
        raise _usage(text, f"its value is not YAML: {error.diagnostics[0].message}") from error
    return replace(node, origin=origin) if node is not None else ScalarNode("", origin)


def _upper(lower: Node | None, path: tuple[str, ...], done: tuple[str, ...], setting: Setting, law: Law) -> Node:
    """What must be laid over ``lower``, which stands at ``done``, for ``path`` below it to be set."""
    if not path:
        return setting.value
    step, origin = path[0], setting.value.origin
    if step.startswith("["):
        return _list(lower, path, done, setting, law)
    below = lower.entries.get(step) if isinstance(lower, MapNode) else None
    return MapNode({step: _upper(below, path[1:], (*done, step), setting, law)}, origin, keys={step: origin})


def _list(lower: Node | None, path: tuple[str, ...], done: tuple[str, ...], setting: Setting, law: Law) -> Node:
    """The whole list with one item set: Helm replaces lists."""
    items = lower.items if isinstance(lower, ListNode) else ()
    index, here = int(path[0][1:-1]), (*done, path[0])
    if index > len(items):
        many = f"{len(items)} item{'s' * (len(items) != 1)}"
        message = f"`{_shown(setting, done)}` has {many}, so `[{index}]` can be neither set nor added"
        raise InputError([Diagnostic(message, setting.value.origin, f"`[{len(items)}]` to add one")])
    below = items[index] if index < len(items) else None
    upper = _upper(below, path[1:], here, setting, law)
    item = without_nulls(law.over(below, upper, setting.instance, *here) if below is not None else upper)
    return ListNode((*items[:index], *(() if is_null(item) else (item,)), *items[index + 1 :]), setting.value.origin)


def _shown(setting: Setting, done: tuple[str, ...]) -> str:
    return setting.instance + "".join(step if step.startswith("[") else f".{step}" for step in done)


def _usage(text: str, reason: str) -> UsageError:
    return UsageError(f"error: `--set {text}` cannot be understood: {reason}\n  try: {_EXAMPLE}")
