"""The CustomResourceDefinitions that a repository keeps for kinds that no chart of a site defines."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from compiler.validate.schemas import read

FOLDER: Final = "environments/crds"


def vendored(repository: Path) -> str:
    """The text of every definition in ``environments/crds/*.yaml``, as ``Judge`` and ``check`` take it.

    Raises ``InputError`` with the place of what is not YAML, no CustomResourceDefinition, or no schema.
    """
    folder = repository / FOLDER
    paths = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    return _text(tuple((path.relative_to(repository).as_posix(), path.read_text(encoding="utf-8")) for path in paths))


@cache
def _text(files: tuple[tuple[str, str], ...]) -> str:
    """The definitions in ``files``, which are read for the instances and for the whole site: parsed once."""
    return read(files).text
