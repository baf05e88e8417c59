"""The CustomResourceDefinitions that a repository keeps for kinds that no chart of a site defines."""

from __future__ import annotations

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
    return read((path.relative_to(repository).as_posix(), path.read_text(encoding="utf-8")) for path in paths).text
