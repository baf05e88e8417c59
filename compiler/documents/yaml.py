"""YAML with positions, read by libyaml and given Kubernetes' meaning.

Two readings of one syntax tree: ``parse_node`` for what people write (layers, contracts), where every value keeps its
place and a surprise is an error; ``parse_stream`` for what Helm rendered, where Kubernetes' reading is the law.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from yaml._yaml import CParser
from yaml.error import MarkedYAMLError, YAMLError
from yaml.nodes import MappingNode, SequenceNode
from yaml.nodes import ScalarNode as YamlScalar
from yaml.reader import ReaderError

from compiler.documents.scalars import as_json, as_key, resolve
from compiler.errors import InputError
from compiler.model.data import Data, Scalar
from compiler.model.diagnostic import Diagnostic, Related
from compiler.model.names import UNNAMED, LayerName
from compiler.model.node import ListNode, MapNode, Node, Origin, ScalarNode

LIMIT: Final = 1_000_000
"""How many values one document may come to once its aliases are expanded."""

DEPTH: Final = 100
"""How deep a document may nest."""

_Yaml: TypeAlias = Any
"""A node of libyaml's syntax tree, which has no types."""

_UNTAGGED: Final = ""
_CORE: Final = "tag:yaml.org,2002:"
_DUPLICATE_HINT: Final = "keep one of the two"


class _Parser(CParser):
    """libyaml's parser, with resolution left to us."""

    def descend_resolver(self, *_: object) -> None:
        """Nothing to do: we resolve later."""

    def ascend_resolver(self) -> None:
        """Nothing to do: we resolve later."""

    def resolve(self, *_: object) -> str:
        """Every untagged node."""
        return _UNTAGGED


def parse_node(text: str, file: str, layer: LayerName = UNNAMED) -> Node | None:
    """The single document of ``text``, as a node whose origins name ``file``; None for an empty document.

    Custom tags (``!append``) are kept on the nodes. Raises ``InputError`` for what is not YAML, for a second document,
    a duplicate key, a key that is not a string to Kubernetes, a number JSON does not have, and for aliases that expand
    past ``LIMIT``.
    """
    documents = list(_documents(text, file))
    if not documents:
        return None
    if len(documents) > 1:
        place = _origin(documents[1], file, layer)
        raise _fault("the file must hold one document, but a second one begins here", place, "one file for each")
    return _Nodes(file, layer).build(documents[0])


def parse_stream(text: str, file: str) -> Iterator[tuple[int, Data]]:
    """Every document of ``text`` that is not empty, with the line it begins at, as plain data.

    Raises ``InputError`` (with ``file`` and the line in the rendered text) for what is not YAML, a duplicate key, or a
    value that JSON does not have.
    """
    for document in _documents(text, file):
        data = _Plain(file).build(document)
        if data is not None:
            yield document.start_mark.line + 1, data


def _documents(text: str, file: str) -> Iterator[_Yaml]:
    try:
        parser = _Parser(text)
        while parser.check_node():
            yield parser.get_node()
    except MarkedYAMLError as error:
        raise _syntax(error, text, file) from error
    except ReaderError as error:
        raise _unreadable(error, text, file) from error
    except (YAMLError, ValueError) as error:
        raise _fault(f"the file is not YAML: {error}", Origin(file)) from error


def _unreadable(error: ReaderError, text: str, file: str) -> InputError:
    """A character that YAML does not allow; libyaml counts bytes."""
    before = text.encode()[: error.position].decode(errors="ignore")
    origin = Origin(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
    character = f"U+{ord(text[len(before)]):04X}" if len(before) < len(text) else "one"
    return _fault(
        f"the file holds a character that YAML does not allow: {character}", origin, "remove it, or escape it"
    )


def _syntax(error: MarkedYAMLError, text: str, file: str) -> InputError:
    mark = error.problem_mark or error.context_mark
    origin = Origin(file, mark.line + 1, mark.column + 1) if mark else Origin(file)
    lines = text.splitlines()
    line = lines[origin.line - 1] if origin.line <= len(lines) else ""
    problem = " ".join(str(part) for part in (error.context, error.problem) if part)
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return _fault("the line is indented with a tab, which YAML does not allow", origin, "spaces")
    context = error.context_mark
    related = (
        (Related("it began here", Origin(file, context.line + 1, context.column + 1)),)
        if error.context and context and mark and context.line != mark.line
        else ()
    )
    hint = "look at this line and the one before it: a missing colon, quote or bracket, or an indentation that is off"
    return InputError([Diagnostic(f"the file is not YAML: {problem}", origin, hint, related)])


def _fault(message: str, origin: Origin, hint: str = "", *related: Related) -> InputError:
    return InputError([Diagnostic(message, origin, hint, related)])


def _origin(node: _Yaml, file: str, layer: LayerName = UNNAMED) -> Origin:
    return Origin(file, node.start_mark.line + 1, node.start_mark.column + 1, layer)


def _tag(node: _Yaml) -> str:
    return str(node.tag) if node.tag is not _UNTAGGED else ""


def _scalar(node: _Yaml, file: str) -> Scalar:
    tag, text = _tag(node), node.value
    if not tag or not tag.startswith(_CORE):
        plain = node.style not in {"'", '"', "|", ">"} and not tag
        value: Scalar = resolve(text) if plain else text
    else:
        value = _tagged(tag.removeprefix(_CORE), text, node, file)
    if isinstance(value, float) and not math.isfinite(value):
        raise _fault(f"`{text}` is a number that JSON, and so Kubernetes, does not have", _origin(node, file), "quotes")
    return value


def _tagged(kind: str, text: str, node: _Yaml, file: str) -> Scalar:
    try:
        match kind:
            case "str" | "timestamp":
                return str(text)
            case "int":
                return int(str(resolve(text)))
            case "float":
                return as_json(float(str(resolve(text))))
            case "bool" if isinstance(resolve(text), bool):
                return resolve(text)
            case "null" if resolve(text) is None:
                return None
            case "binary":
                return base64.b64decode(text, validate=False).decode()
    except (ValueError, binascii.Error):
        pass
    raise _fault(f"`{text}` is tagged !!{kind}, but is not one", _origin(node, file), "remove the tag")


class _Plain:
    """A syntax tree as plain data."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.count = 0

    def build(self, node: _Yaml, depth: int = 0) -> Data:
        self.count += 1
        if self.count > LIMIT or depth > DEPTH:
            raise _fault(
                f"the document expands to more than {LIMIT} values or nests deeper than {DEPTH}",
                _origin(node, self.file),
                "look for aliases of aliases",
            )
        if node.__class__ is YamlScalar:
            return _scalar(node, self.file)
        if node.__class__ is SequenceNode:
            return [self.build(item, depth + 1) for item in node.value]
        return self.build_map(node, depth)

    def build_map(self, node: _Yaml, depth: int) -> Data:
        out: dict[str, Data] = {}
        merged: list[_Yaml] = []
        for key, value in node.value:
            if _is_merge(key):
                merged += value.value if value.__class__ is SequenceNode else [value]
                continue
            name = self.key(key)
            if name in out:
                raise _fault(f"the key `{name}` stands twice in one map", _origin(key, self.file), _DUPLICATE_HINT)
            out[name] = self.build(value, depth + 1)
        for source in merged:
            below = self.build(source, depth + 1)
            out = {**below, **out} if isinstance(below, dict) else out
        return out

    def key(self, key: _Yaml) -> str:
        name = as_key(_scalar(key, self.file)) if key.__class__ is YamlScalar else None
        if name is None:
            raise _fault("a map key must be a string", _origin(key, self.file), "quotes")
        return name


class _Nodes:
    """A syntax tree as nodes: every value with its place; an alias is the very node that it names."""

    def __init__(self, file: str, layer: LayerName) -> None:
        self.file, self.layer = file, layer
        self.built: dict[int, tuple[Node, int]] = {}
        self.open: set[int] = set()

    def build(self, node: _Yaml) -> Node:
        return self._sized(node, 0)[0]

    def _sized(self, node: _Yaml, depth: int) -> tuple[Node, int]:
        """The node, and how many values it comes to with its aliases expanded."""
        known = self.built.get(id(node))
        if known is not None:
            return known
        if id(node) in self.open:
            raise _fault("the alias names a value that contains it", self.origin(node), "remove the alias")
        if depth > DEPTH:
            raise _fault(f"the document nests deeper than {DEPTH}", self.origin(node), "a flatter document")
        self.open.add(id(node))
        built, size = self._construct(node, depth)
        if size > LIMIT:
            raise _fault(
                f"the aliases expand to more than {LIMIT} values",
                self.origin(node),
                "write the values out, or use fewer aliases of aliases",
            )
        self.open.discard(id(node))
        self.built[id(node)] = (built, size)
        return built, size

    def origin(self, node: _Yaml) -> Origin:
        return _origin(node, self.file, self.layer)

    def _construct(self, node: _Yaml, depth: int) -> tuple[Node, int]:
        tag = _tag(node)
        own = tag if tag and not tag.startswith(_CORE) else None
        if node.__class__ is YamlScalar:
            return ScalarNode(self._value(node, own), self.origin(node), tag=own), 1
        if node.__class__ is SequenceNode:
            items = [self._sized(item, depth + 1) for item in node.value]
            return ListNode(tuple(i for i, _ in items), self.origin(node), tag=own), 1 + sum(n for _, n in items)
        return self._map(node, own, depth)

    def _value(self, node: _Yaml, own: str | None) -> Scalar:
        if own is None:
            return _scalar(node, self.file)
        # A tag of ours says what to do with the value, not what it is: `!replace 3` is a number, `!delete` alone null.
        untagged = YamlScalar(_UNTAGGED, node.value, node.start_mark, node.end_mark, style=node.style)
        return _scalar(untagged, self.file)

    def _map(self, node: MappingNode, own: str | None, depth: int) -> tuple[Node, int]:
        entries: dict[str, Node] = {}
        keys: dict[str, Origin] = {}
        size = 1
        merges: list[_Yaml] = []
        for key, value in node.value:
            if _is_merge(key):
                merges += value.value if value.__class__ is SequenceNode else [value]
                continue
            name = self._key(key)
            if name in keys:
                first = Related("it stands here first", keys[name])
                raise _fault(f"the key `{name}` stands twice in one map", self.origin(key), _DUPLICATE_HINT, first)
            entries[name], below = self._sized(value, depth + 1)
            keys[name] = self.origin(key)
            size += below
        for source in merges:
            merged, below = self._sized(source, depth + 1)
            size += below
            if not isinstance(merged, MapNode):
                raise _fault("`<<` must name a map", self.origin(source), "an alias of a map")
            entries = {**{k: v for k, v in merged.entries.items() if k not in entries}, **entries}
            keys = {**merged.keys, **keys}
        return MapNode(entries, self.origin(node), tag=own, keys=keys), size

    def _key(self, key: _Yaml) -> str:
        if key.__class__ is not YamlScalar:
            raise _fault("a map key must be a string, but is a map or a list", self.origin(key), "a string")
        value = _scalar(key, self.file)
        if isinstance(value, bool) or value is None:
            meaning = "null" if value is None else "a boolean"
            raise _fault(
                f"the key `{key.value}` is {meaning} to Kubernetes", self.origin(key), f'"{key.value}" in quotes'
            )
        return as_key(value) or ""


def _is_merge(key: _Yaml) -> bool:
    return key.__class__ is YamlScalar and key.value == "<<" and key.style not in {"'", '"'}
