"""A file of oslo.config as assignments, read by oslo.config's own parser."""

from __future__ import annotations

from dataclasses import dataclass

from oslo_config.iniparser import BaseParser, ParseError

from compiler.catalogue.option import DEFAULT


@dataclass(frozen=True, slots=True)
class Assignment:
    """One value of an option, with the file and the line that it begins in."""

    file: str
    section: str
    option: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is none of a file of oslo.config."""

    file: str
    reason: str
    line: int


class _Reader(BaseParser):
    """Gathers assignments. A value is reported when it has ended, so its line is counted back from there."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.section = DEFAULT
        self.found: list[Assignment] = []
        self.begins = 0

    def new_section(self, section: str) -> None:
        self.section = section

    def _split_key_value(self, line: str) -> tuple[str, list[str]]:
        self.begins = self.lineno
        return super()._split_key_value(line)

    def assignment(self, key: str, value: list[str]) -> None:
        self.found.append(Assignment(self.file, self.section, key, "\n".join(value), self.begins))


def read(file: str, text: str) -> tuple[Assignment, ...] | Unreadable:
    """Every assignment of ``text``, which is called ``file``, in its order; or why oslo.config cannot read it."""
    reader = _Reader(file)
    try:
        reader.parse(text.splitlines())
    except ParseError as error:
        return Unreadable(file, error.msg, error.lineno)
    return tuple(reader.found)
