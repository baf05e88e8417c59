"""Where things are: the repository, the folder that a reference means, the one file that a folder holds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from compiler.documents.schema import nearest
from compiler.errors import InputError
from compiler.model.diagnostic import Diagnostic
from compiler.model.node import Origin

ENVIRONMENTS: Final = "environments"
OVERLAYS: Final = "overlays"
SUFFIXES: Final = (".yaml", ".jsonnet")

_SHORTHANDS: Final = frozenset({ENVIRONMENTS, "env"})
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def repository(start: Path) -> Path:
    """The root of the repository that ``start`` lies in: the nearest folder with an ``environments/`` folder.

    ``start`` itself is looked at first, then its parents. Raises ``InputError`` where there is none.
    """
    beginning = start.resolve()
    for folder in (beginning, *beginning.parents):
        if (folder / ENVIRONMENTS).is_dir():
            return folder
    message = f"neither `{beginning}` nor a folder above it has an `{ENVIRONMENTS}/` folder"
    raise _fault(message, hint="change into the repository that describes your sites")


def existing(root: Path) -> tuple[str, ...]:
    """The names of the environments of the repository ``root``: its folders that hold an environment file, in order."""
    folder = root / ENVIRONMENTS
    entries = folder.iterdir() if folder.is_dir() else ()
    return tuple(sorted(entry.name for entry in entries if _files(entry, "environment")))


def folder_of(root: Path, reference: str, directory: Path) -> Path:
    """The folder of the environment that ``reference`` means, below ``root``.

    A name comes first (``site-a``, ``env/site-a``, ``environments/site-a``), then a path, absolute or from
    ``directory`` (or else from the root), to the folder or to the file in it. Raises ``InputError`` where nothing of
    the kind exists.
    """
    named = _named(root, reference)
    if named is not None:
        return named
    path = next((base / reference for base in (directory, root) if (base / reference).exists()), None)
    if path is None:
        raise missing(root, reference)
    is_document = path.is_file() and path.stem == "environment" and path.suffix in SUFFIXES
    inside = _below(root, path.parent if is_document else path)
    if inside is None:
        message = f"an environment must lie inside the repository `{root}`, but `{reference}` lies outside it"
        raise _fault(message, hint="copy it into the repository, or change into its own")
    if len(inside.parts) != 2 or inside.parts[0] != ENVIRONMENTS:  # noqa: PLR2004 - environments/<name>
        message = f"an environment must be a folder of `{ENVIRONMENTS}/`, but `{reference}` is not one"
        raise _fault(message, hint=_one_of(existing(root)))
    return environment_folder(root, inside.name) or root / inside


def document_file(root: Path, folder: Path, stem: str) -> Path:
    """The file ``<stem>.yaml`` or ``<stem>.jsonnet`` of ``folder``.

    Raises ``InputError`` unless exactly one of them exists.
    """
    found = _files(folder, stem)
    if len(found) == 1:
        return found[0]
    shown = folder.relative_to(root).as_posix()
    wanted = " or ".join(f"`{stem}{suffix}`" for suffix in SUFFIXES)
    if found:
        origin = Origin(found[1].relative_to(root).as_posix())
        raise _fault(f"`{shown}` must hold {wanted}, but holds both", origin, "remove one of them")
    raise _fault(f"`{shown}` must hold {wanted}, but holds neither", hint=f"create `{shown}/{stem}.yaml`")


def environment_folder(root: Path, name: str) -> Path | None:
    """The folder of the environment ``name``; None where there is none.

    Raises ``InputError`` for a folder whose name no environment can have: objects in the cluster are called after it.
    """
    folder = root / ENVIRONMENTS / name
    if not _is_one_step(name) or not folder.is_dir():
        return None
    if not _LABEL.fullmatch(name):
        message = (
            f"the name of an environment must be a DNS label (lower-case letters, digits and `-`), but is `{name}`"
        )
        raise _fault(message, hint=f"rename `{ENVIRONMENTS}/{name}`")
    return folder


def overlay_folder(root: Path, name: str) -> Path | None:
    """The folder of the site-wide overlay ``name``; None where there is none."""
    folder = root / OVERLAYS / name
    return folder if _is_one_step(name) and _files(folder, "overlay") else None


def overlays(root: Path) -> tuple[str, ...]:
    """The names of the site-wide overlays of the repository, in order."""
    folder = root / OVERLAYS
    entries = folder.iterdir() if folder.is_dir() else ()
    return tuple(sorted(entry.name for entry in entries if _files(entry, "overlay")))


def missing(root: Path, reference: str) -> InputError:
    """The error for a reference that means nothing, with the nearest name and the list of what exists."""
    names = existing(root)
    if not names:
        message = f"there is no environment `{reference}`: `{ENVIRONMENTS}/` has none at all"
        return _fault(message, hint=f"create `{ENVIRONMENTS}/{_last(reference)}/environment.yaml`")
    message = f"there is no environment `{reference}`: the repository has {listed(names)}"
    return _fault(message, hint=nearest(_last(reference), list(names)))


def listed(names: tuple[str, ...]) -> str:
    """Names as a sentence lists them."""
    return ", ".join(f"`{name}`" for name in names)


def _named(root: Path, reference: str) -> Path | None:
    steps = [step for step in reference.split("/") if step]
    if reference.startswith("/") or not steps or (len(steps) > 1 and steps[:-1] not in [[one] for one in _SHORTHANDS]):
        return None
    return environment_folder(root, steps[-1])


def _is_one_step(name: str) -> bool:
    """Whether ``name`` leads one folder down, and nowhere else."""
    return "/" not in name and name not in {"", ".", ".."}


def _last(reference: str) -> str:
    return reference.rstrip("/").rpartition("/")[2]


def _one_of(names: tuple[str, ...]) -> str:
    return f"one of {listed(names)}" if names else f"create `{ENVIRONMENTS}/<name>/environment.yaml`"


def _files(folder: Path, stem: str) -> list[Path]:
    return [folder / f"{stem}{suffix}" for suffix in SUFFIXES if (folder / f"{stem}{suffix}").is_file()]


def _below(root: Path, path: Path) -> Path | None:
    """``path`` relative to ``root``, wherever symlinks lead; None outside it."""
    actual, home = path.resolve(), root.resolve()
    return actual.relative_to(home) if actual.is_relative_to(home) else None


def _fault(message: str, origin: Origin | None = None, hint: str = "") -> InputError:
    return InputError([Diagnostic(message, origin, hint)])
