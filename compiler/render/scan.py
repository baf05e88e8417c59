"""Find the calls in a chart's templates whose result is not decided by its values.

The scan knows enough of Go's template language to tell a call from a comment, a string, a field (``.now``) and a
variable (``$now``), and to know which named template a call stands in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final


class Cause(StrEnum):
    """What decides the result of a call instead of the values."""

    CHANCE = "chance"
    CLOCK = "the clock"
    ORDER = "the order of a map"
    CLUSTER = "the cluster"


_FUNCTIONS: Final[Mapping[Cause, str]] = {
    Cause.CHANCE: "randAlpha randAlphaNum randNumeric randAscii randInt randBytes uuidv4 htpasswd bcrypt genPrivateKey "
    "genCA genCAWithKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey encryptAES "
    "shuffle",
    Cause.CLOCK: "now ago",
    Cause.ORDER: "keys values",
    Cause.CLUSTER: "lookup getHostByName",
}
"""Sprig's functions by what they depend on (``derivePassword`` depends on its arguments alone; Helm has no ``env``)."""

CAUSES: Final = {name: cause for cause, names in _FUNCTIONS.items() for name in names.split()}

_STRING: Final = r'"(?:\\.|[^"\\\n])*"|`[^`]*`|' + r"'(?:\\.|[^'\\\n])*'"
_ACTION: Final = re.compile(
    rf"\{{\{{-?\s*/\*.*?\*/\s*-?\}}\}}|\{{\{{(?:{_STRING}|[^\"`'}}]|\}}(?!\}}))*\}}\}}", re.DOTALL
)
_COMMENT: Final = re.compile(r"\{\{(?:-\s+)?/\*")
_CALL: Final = re.compile(rf"(?<![\w.$])(?:{'|'.join(sorted(CAUSES, key=len, reverse=True))})\b")
_TPL: Final = re.compile(r"(?<![\w.$])tpl\b")
_KEPT: Final = 4096
"""How many texts a process remembers what it found in: charts of one project hold the same library, over and over."""

_ANOTHER_TIME: Final = {"now": '(toDate "2006-01-02" "2001-01-01")', "ago": "toString"}
_INCLUDED: Final = re.compile(r'\b(?:include|template)\s+"([^"]+)"')
_OPENS: Final = re.compile(r'\{\{-?\s*(if|range|with|block|define)\b(?:\s+"([^"]+)")?')
_ENDS: Final = re.compile(r"\{\{-?\s*end\b")
_SORTED: Final = re.compile(r"\b(?:sortAlpha|len|has)\b")
_VALUE: Final = re.compile(r'\.Values((?:\.\w+)+)(?:\s+"([\w-]+)")?')
"""A value, and the key below it that ``set`` writes or ``index`` reads."""

_NEAR: Final = 6
"""How many lines above a call the condition on the value that pins it may stand."""


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """One call. ``owner`` is the named template it stands in, or the file; ``pins`` are the values used beside it."""

    template: str
    line: int
    column: int
    function: str
    owner: str
    pins: tuple[str, ...] = ()

    @property
    def cause(self) -> Cause:
        """What decides its result."""
        return CAUSES[self.function]


@dataclass(frozen=True, slots=True)
class Scan:
    """Every such call of a chart, and which named templates each template or file includes."""

    calls: tuple[Call, ...]
    includes: Mapping[str, frozenset[str]]

    def reachable(self, templates: Iterable[str]) -> frozenset[str]:
        """``templates`` and every named template that they include, directly or not."""
        seen: set[str] = set()
        ahead = list(templates)
        while ahead:
            name = ahead.pop()
            if name not in seen:
                seen.add(name)
                ahead += self.includes.get(name, ())
        return frozenset(seen)


def scan(templates: Iterable[tuple[str, str]]) -> Scan:
    """Read ``templates`` (path and text). Calls come in order of place.

    >>> [(call.function, call.line, call.pins) for call in scan([("a.yaml", '''{{/* now */}}
    ... password: {{ .Values.password | default (randAlphaNum 12) }}  # {{ "uuidv4" }} {{ .now }}
    ... ''')]).calls]
    [('randAlphaNum', 2, ('password',))]
    """
    calls: list[Call] = []
    includes: dict[str, set[str]] = {}
    for path, text in templates:
        found = _scanned(path, text)
        calls += found.calls
        for owner, names in found.includes.items():
            includes.setdefault(owner, set()).update(names)
    return Scan(tuple(sorted(calls)), {owner: frozenset(names) for owner, names in includes.items()})


@lru_cache(maxsize=_KEPT)
def _scanned(path: str, text: str) -> Scan:
    """What stands in one template."""
    calls: list[Call] = []
    includes: dict[str, set[str]] = {}
    for owner, start, action in _owned(path, text):
        includes.setdefault(owner, set()).update(_INCLUDED.findall(action))
        calls += _calls(path, owner, text, start, action)
    return Scan(tuple(calls), {owner: frozenset(names) for owner, names in includes.items()})


def is_mute(templates: Iterable[tuple[str, str]], others: Iterable[str]) -> bool:
    """Whether nothing that can be executed so much as names a function whose result its arguments do not decide.

    ``others`` are texts that ``tpl`` may be handed: values, and files of the chart. Strings and comments count as well,
    and with ``tpl`` every word of the chart: what is not named nowhere cannot be called.

    >>> is_mute([("a.yaml", "now {{ .Values.a }}")], ["{{ now }}"])
    True
    >>> is_mute([("a.yaml", "{{ tpl .Values.a . }}")], ["{{ now }}"])
    False
    """
    told = [_named(text) for _, text in templates]
    if any(tells for tells, _, _ in told):
        return False
    if not any(uses_tpl for _, uses_tpl, _ in told):
        return True
    return not any(anywhere for *_, anywhere in told) and not any(map(_CALL.search, others))


@lru_cache(maxsize=_KEPT)
def _named(text: str) -> tuple[bool, bool, bool]:
    """Whether an action names such a function, whether one names ``tpl``, and whether the text does anywhere."""
    actions = _ACTION.findall(text)
    anywhere = _CALL.search(text) is not None
    return anywhere and any(map(_CALL.search, actions)), any(map(_TPL.search, actions)), anywhere


@lru_cache(maxsize=_KEPT)
def strict(text: str) -> str:
    """``text`` with a failure for each call that asks the clock, or for a map in no order.

    Where it renders all the same, no such call was reached.

    >>> strict("{{ now }} {{ keys .a }} {{ keys .a | sortAlpha }} {{ randAlpha 3 }}")
    '{{ fail }} {{ fail .a }} {{ keys .a | sortAlpha }} {{ randAlpha 3 }}'
    """
    return _ACTION.sub(lambda action: _strict(action[0]), text) if _CALL.search(text) else text


def _strict(action: str) -> str:
    if _COMMENT.match(action):
        return action
    code = _without_strings(action)
    for found in reversed(list(_CALL.finditer(code))):
        cause = CAUSES[found[0]]
        if cause is Cause.CLOCK or (cause is Cause.ORDER and not _SORTED.search(code)):
            action = f"{action[: found.start()]}fail{action[found.end() :]}"
    return action


def disturbed(text: str) -> str:
    """``text`` at another time and with its maps in another order: equal output proves that neither decides it.

    >>> disturbed("{{ now }} {{ range keys .a }}")
    '{{ (toDate "2006-01-02" "2001-01-01") }} {{ range keys .a | reverse }}'
    """
    return _ACTION.sub(lambda action: _disturbed(action[0]), text)


def _owned(path: str, text: str) -> Iterator[tuple[str, int, str]]:
    """Each action that is not a comment, with the named template (or file) it stands in and where it begins."""
    open_blocks: list[str] = []
    for found in _ACTION.finditer(text):
        action = found[0]
        if _COMMENT.match(action):
            continue
        opens = _OPENS.match(action)
        if opens is not None:
            open_blocks.append(opens[2] if opens[1] in {"define", "block"} and opens[2] else "")
        elif _ENDS.match(action) and open_blocks:
            open_blocks.pop()
        yield next((name for name in reversed(open_blocks) if name), path), found.start(), action


def _calls(path: str, owner: str, text: str, start: int, action: str) -> Iterator[Call]:
    code = _without_strings(action)
    for found in _CALL.finditer(code):
        if CAUSES[found[0]] is Cause.ORDER and _SORTED.search(code):
            continue
        at = start + found.start()
        line = text.count("\n", 0, at) + 1
        column = at - text.rfind("\n", 0, at)
        yield Call(path, line, column, found[0], owner, _pins(text, line, action))


def _pins(text: str, line: int, action: str) -> tuple[str, ...]:
    """The values that the action uses, or else the nearest lines above it."""
    above = text.splitlines()[max(0, line - _NEAR) : line]
    for part in (action, *reversed(above)):
        names = tuple(dict.fromkeys(".".join(filter(None, (path[1:], key))) for path, key in _VALUE.findall(part)))
        if names:
            return names
    return ()


def _disturbed(action: str) -> str:
    if _COMMENT.match(action):
        return action
    code = _without_strings(action)
    for found in reversed(list(_CALL.finditer(code))):
        if CAUSES[found[0]] is Cause.CLOCK:
            action = action[: found.start()] + _ANOTHER_TIME[found[0]] + action[found.end() :]
        elif CAUSES[found[0]] is Cause.ORDER:
            end = _end_of_call(code, found.end())
            action = action[:end] + " | reverse" + action[end:]
    return action


def _without_strings(action: str) -> str:
    """The action with blanks for its strings, at the same places."""
    return re.sub(_STRING, lambda string: " " * len(string[0]), action)


def _end_of_call(code: str, start: int) -> int:
    """Where the arguments of a call that begin at ``start`` end, without the blanks behind them."""
    depth = 0
    for at in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        if depth < 0 or (depth == 0 and code[at] in "|}"):
            return start + len(code[start:at].rstrip(" -\t\n"))
    return len(code)
