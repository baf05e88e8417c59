"""The nouns of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from compiler.catalogue.table import Dynamic
from compiler.model.diagnostic import Severity

Kind: TypeAlias = "str | tuple[str, Mapping[str, Any]]"
"""The type of an option as ``dump`` writes it: a class of oslo.config, perhaps with what restricts it."""

DEFAULT: Final = "DEFAULT"


@dataclass(frozen=True, slots=True)
class Option:
    """An option. ``kinds`` are all the types that parts of the service give it; a value that fits one of them fits.

    ``removed`` is the release since which it is deprecated with nothing in its place; empty where it is not.
    """

    section: str
    name: str
    kinds: tuple[Kind, ...]
    multi: bool = False
    removed: str = ""

    def __str__(self) -> str:
        return f"`[{self.section}] {self.name}`"


@dataclass(frozen=True, slots=True)
class Options:
    """Every option of a service in a release.

    ``sections`` maps the name of a section, as files may write it in any case, to its options by every name that they
    have; ``deprecated`` maps former places, section and name, to the options that took their place. ``prefix`` is what
    the sections begin with that it knows all of; sections of other names are no business of it.
    """

    service: str
    release: str
    sections: Mapping[str, Mapping[str, Option]]
    deprecated: Mapping[tuple[str, str], Option]
    dynamic: tuple[Dynamic, ...] = ()
    prefix: str = ""

    @property
    def subject(self) -> str:
        """As messages write it: ``keystone 2026.1``."""
        return f"{self.service} {self.release}"


def folded(section: str) -> str:
    """The name of a section as it is looked up: the case counts in DEFAULT alone."""
    return section if section == DEFAULT else section.lower()


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with one assignment of a file or of an environment.

    ``section`` and ``option`` are as written, in ``line`` of ``file``; in an environment, ``option`` is the variable.
    """

    message: str
    hint: str
    severity: Severity
    section: str = ""
    option: str = ""
    file: str = ""
    line: int = 0
