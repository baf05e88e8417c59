"""Where the field names of Jsonnet programs stand.

Jsonnet's evaluator gives values without places. A name that is written exactly once in everything that a program reads
can come from nowhere else, so its place is certain; every other value takes the place of what encloses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from compiler.model.names import LayerName
from compiler.model.node import Origin

_PROGRAMS: Final = (".jsonnet", ".libsonnet")
_TOKEN: Final = re.compile(
    r"(?P<blank>\s+|//[^\n]*|\#[^\n]*|/\*.*?\*/)"
    r"|(?P<text>\|\|\|.*?\n[ \t]*\|\|\|"
    r"|@\"(?:[^\"]|\"\")*\"|@'(?:[^']|'')*'"
    r"|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_IMPORTS: Final = frozenset({"import", "importstr", "importbin"})
_BEFORE_FIELD: Final = frozenset({"{", ","})


def places(files: Mapping[str, str], layer: LayerName) -> Mapping[str, Origin]:
    r"""The place of each field name that is written exactly once in ``files`` (name to text) and spelt nowhere else.

    A text that is not a program (an ``importstr``) may become names by parsing, and a string by computation, so
    whatever they spell is not certain.

    >>> found = places({"a.jsonnet": "{ one: 1,\n  two: {x: 1}, three: {x: 2} }"}, LayerName("a"))
    >>> {name: str(origin) for name, origin in found.items()}
    {'one': 'a.jsonnet:1:3', 'two': 'a.jsonnet:2:3', 'three': 'a.jsonnet:2:16'}
    """
    fields: dict[str, list[Origin]] = {}
    strings: list[str] = []
    computed = False
    for file, text in files.items():
        if not file.endswith(_PROGRAMS):
            strings.append(text)
            continue
        tokens = list(_tokens(text))
        computed = computed or any(_is_computed(tokens, index) for index in range(len(tokens)))
        for index, (token, start) in enumerate(tokens):
            if _is_field(tokens, index):
                fields.setdefault(_name(token), []).append(_origin(file, text, start, layer))
            elif token[0] in "\"'@|" and not _is_imported(tokens, index):
                strings.append(_name(token))
    spelt = "\0".join(strings)
    return {
        name: found[0]
        for name, found in fields.items()
        if len(found) == 1 and name not in spelt and not (computed and any(part in name for part in strings))
    }


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    for found in _TOKEN.finditer(text):
        if found.lastgroup != "blank":
            yield found[0], found.start()


def _is_field(tokens: list[tuple[str, int]], index: int) -> bool:
    """Whether the token is a field's name: after ``{`` or ``,`` and before ``:`` or ``+:``."""
    token = tokens[index][0]
    if index == 0 or tokens[index - 1][0] not in _BEFORE_FIELD or not (token[0].isalpha() or token[0] in "_\"'"):
        return False
    return _colon_follows(tokens, index)


def _is_computed(tokens: list[tuple[str, int]], index: int) -> bool:
    """Whether the token ends a computed name: ``[...]:``."""
    return tokens[index][0] == "]" and _colon_follows(tokens, index)


def _is_imported(tokens: list[tuple[str, int]], index: int) -> bool:
    return index > 0 and tokens[index - 1][0] in _IMPORTS


def _colon_follows(tokens: list[tuple[str, int]], index: int) -> bool:
    following = "".join(token for token, _ in tokens[index + 1 : index + 3])
    return following.startswith((":", "+:"))


def _name(token: str) -> str:
    return token[1:-1] if token[0] in "\"'" else token


def _origin(file: str, text: str, start: int, layer: LayerName) -> Origin:
    line = text.count("\n", 0, start) + 1
    return Origin(file, line, start - text.rfind("\n", 0, start), layer)
