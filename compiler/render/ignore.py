"""``.helmignore``: which files of a chart's directory Helm does not read.

The rules are those of Helm's ``pkg/ignore``, which are not Git's: the first rule that matches decides, ``*`` does not
cross a slash, a rule without a slash looks at the last part of the path, and a rule that begins with ``!`` ignores
whatever it does *not* match.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_DEFAULT: Final = "templates/.?*"
_CLASS: Final = re.compile(r"\[(\^?)((?:\\.|[^\]\\])+)\]")


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the file."""

    pattern: re.Pattern[str]
    negated: bool
    only_directories: bool
    whole_path: bool

    def ignores(self, path: str, *, is_directory: bool) -> bool:
        """Whether this rule alone keeps ``path`` out of the chart."""
        applies = is_directory or not self.only_directories
        subject = path if self.whole_path else path.rpartition("/")[2]
        matches = applies and self.pattern.fullmatch(subject) is not None
        return matches != self.negated


def parse(text: str) -> tuple[Rule, ...]:
    r"""The rules of a ``.helmignore``, with Helm's own (no hidden files in ``templates/``) as the last one.

    >>> rules = parse("*.bak\n/docs/\n")
    >>> [ignored(rules, path, is_directory=False) for path in ("templates/a.bak", "docs", "templates/.x", "a.yaml")]
    [True, False, True, False]

    Raises ``ValueError`` for ``**``, which Helm refuses.
    """
    if any("**" in line and not line.lstrip().startswith("#") for line in text.split("\n")):
        raise ValueError("`.helmignore` must not use `**`, which Helm does not know")
    lines = (line.strip() for line in text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").split("\n"))
    return tuple(_rule(line) for line in (*lines, _DEFAULT) if line and not line.startswith("#"))


def ignored(rules: tuple[Rule, ...], path: str, *, is_directory: bool) -> bool:
    """Whether Helm leaves ``path`` (relative to the chart) out; of a directory, everything below it too."""
    return any(rule.ignores(path, is_directory=is_directory) for rule in rules)


def _rule(line: str) -> Rule:
    negated = line.startswith("!")
    line = line.removeprefix("!")
    only_directories = line.endswith("/")
    line = line.removesuffix("/")
    whole_path = "/" in line
    return Rule(_compiled(line.removeprefix("/")), negated, only_directories, whole_path)


def _compiled(glob: str) -> re.Pattern[str]:
    """A pattern of Go's ``filepath.Match`` as a regular expression."""
    out: list[str] = []
    at = 0
    while at < len(glob):
        found = _CLASS.match(glob, at)
        if found is not None:
            out.append(f"[{found[1]}{found[2]}]" if found[1] else f"[{found[2]}]")
            at = found.end()
            continue
        character = glob[at]
        if character == "\\" and at + 1 < len(glob):
            at += 1
            out.append(re.escape(glob[at]))
        else:
            out.append({"*": "[^/]*", "?": "[^/]"}.get(character) or re.escape(character))
        at += 1
    return re.compile("".join(out), re.DOTALL)
