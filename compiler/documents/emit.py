"""YAML as reviewers read it: one order of keys, one way to write each value.

A pull request shows these bytes, so they are ours to choose: in every map ``apiVersion``, ``kind``, ``metadata``,
``name`` and ``namespace`` come first and the other keys follow in alphabetical order; a text of several lines is a
literal block; a string is quoted wherever a YAML 1.1 or 1.2 reader could take it for something else.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Final

from compiler.documents.scalars import resolve
from compiler.model.data import Data

_FIRST: Final = {key: rank for rank, key in enumerate(("apiVersion", "kind", "metadata", "name", "namespace"))}
_PLAIN: Final = re.compile(
    r"(?:[A-Za-z0-9_/.$(+^<\\;]|-(?=[^\s-])|--(?=[^\s-]))"  # begins as nothing else in YAML begins
    r"(?:[^\s:#]|:(?=[^\s])|#(?<=[^ ]#)| (?=[^ #]))*"  # and holds no ": ", no " #" and no blank at its end
)
_EXOTIC: Final = re.compile(
    r"[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029]"
)
_OTHER_READERS: Final = (
    re.compile(  # numbers, times and dates of YAML 1.1 and 1.2 readers that are strings to Kubernetes
        r"[-+]?(?:0o[0-7]+|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|\.[0-9_]+)|=|<<|\d{4}-\d\d?-\d\d?.*"
    )
)


def emit(value: Data) -> str:
    r"""``value`` as one YAML document, ending in a newline.

    Promises that ``sigs.k8s.io/yaml`` reads back exactly ``value``, and that equal values give equal bytes.

    >>> print(emit({"kind": "A", "data": {"b": "on", "a.sh": "#!/bin/bash\nexit 0\n"}, "apiVersion": "v1"}), end="")
    apiVersion: v1
    kind: A
    data:
      a.sh: |
        #!/bin/bash
        exit 0
      b: "on"
    """
    out: list[str] = []
    _block(value, "", "", out)
    return "".join(out)


def _order(key: str) -> tuple[int, str]:
    return (_FIRST.get(key, len(_FIRST)), key)


def _block(value: Data, lead: str, indent: str, out: list[str]) -> None:
    """Append ``value``; ``lead`` stands before its first line and ``indent`` before the others."""
    if isinstance(value, dict) and value:
        for key in sorted(value, key=_order):
            _entry(key, value[key], lead, indent, out)
            lead = indent
    elif isinstance(value, list) and value:
        for item in value:
            _block(item, f"{lead}- ", f"{indent}  ", out)
            lead = indent
    else:
        out.append(f"{lead}{_inline(value, indent)}\n")


def _entry(key: str, value: Data, lead: str, indent: str, out: list[str]) -> None:
    name = _string(key)
    if isinstance(value, dict) and value:
        out.append(f"{lead}{name}:\n")
        _block(value, f"{indent}  ", f"{indent}  ", out)
    elif isinstance(value, list) and value:
        out.append(f"{lead}{name}:\n")
        _block(value, indent, indent, out)
    else:
        out.append(f"{lead}{name}: {_inline(value, indent + '  ')}\n")


def _inline(value: Data, indent: str) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return _literal(value, indent or "  ") if _fits_literal(value) else _string(value)
        case dict():
            return "{}"
        case list():
            return "[]"


def _fits_literal(text: str) -> bool:
    return "\n" in text and not _EXOTIC.search(text) and not text.isspace()


def _literal(text: str, indent: str) -> str:
    body = text.rstrip("\n")
    trailing = len(text) - len(body)
    chomp = {0: "-", 1: ""}.get(trailing, "+")
    hint = "2" if text[0] in " \n\t" else ""
    # An explicit indentation indicator counts from the parent's indentation; ours is always two deeper.
    lines = [f"{indent}{line}" if line else "" for line in body.split("\n")]
    return f"|{hint}{chomp}\n" + "\n".join(lines) + "\n" * max(0, trailing - 1)


@lru_cache(maxsize=1 << 16)  # manifests say the same labels, keys and words again and again
def _string(text: str) -> str:
    if (
        _PLAIN.fullmatch(text)
        and resolve(text) == text
        and not (_OTHER_READERS.fullmatch(text) or _EXOTIC.search(text))
    ):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _EXOTIC.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted.replace("\x7f", "\\u007f"))
