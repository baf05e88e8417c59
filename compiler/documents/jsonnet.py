"""Jsonnet layers, evaluated by Google's own implementation, with imports kept inside the repository."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from compiler.documents.fields import places
from compiler.documents.scalars import as_json
from compiler.documents.yaml import DEPTH
from compiler.errors import InputError
from compiler.model.data import Data
from compiler.model.diagnostic import Diagnostic, Related
from compiler.model.names import UNNAMED, LayerName
from compiler.model.node import ListNode, MapNode, Node, Origin, ScalarNode

_PLACE: Final = re.compile(r"(?P<file>[^:]+):\(?(?P<line>\d+):(?P<column>\d+)\)?(?:-\(?[\d:]+\)?)?(?:: )?")
_KINDS: Final = re.compile(r"(?:RUNTIME|STATIC) ERROR: ")
_SHOWN_FRAMES: Final = 3
_INT64: Final = range(-(2**63), 2**64)


def evaluate(text: str, file: str, repository: Path, layer: LayerName = UNNAMED) -> Node:
    """The value of the Jsonnet program ``text``, which stands in ``file`` of ``repository``.

    Imports are searched beside the importing file, then from the root of the repository, and never outside it, also
    where symlinks lead. There are no external variables, and file names are relative to the repository
    (``std.thisFile`` too): the same files give the same value on every machine. A value originates at its field's name
    where that is certain (``fields.places``), else at what encloses it. Raises ``InputError`` with Jsonnet's own
    message and place.
    """
    import _jsonnet  # noqa: PLC0415 - a compile of YAML layers need not load it

    imports = _Imports(repository, {file: text})
    try:
        document = _jsonnet.evaluate_snippet(file, text, import_callback=imports.load)
    except RuntimeError as error:
        raise _fault(str(error), file, imports, layer) from error
    return _Nodes(places(imports.files, layer)).build(json.loads(document), Origin(file, layer=layer))


class _Imports:
    """What a program reads: ``files`` by name, relative to the repository, and why an import was ``refused``."""

    def __init__(self, repository: Path, files: dict[str, str]) -> None:
        self.repository, self.files = repository.resolve(), files
        self.refused: tuple[str, str] | None = None

    def load(self, directory: str, wanted: str) -> tuple[str, bytes]:
        for base in (self.repository / directory, self.repository):
            found = (base / wanted).resolve()
            if not found.is_relative_to(self.repository):
                raise self.refuse(
                    f"it imports `{wanted}`, which lies outside the repository",
                    "copy the file into the repository: a layer reads nothing outside it",
                )
            if found.is_file():
                return self.loaded(found)
        where = f"`{directory.rstrip('/') or '.'}` or the root of the repository"
        raise self.refuse(f"it imports `{wanted}`, but there is no such file", f"a path that is relative to {where}")

    def loaded(self, path: Path) -> tuple[str, bytes]:
        name, content = path.relative_to(self.repository).as_posix(), path.read_bytes()
        self.files[name] = content.decode(errors="replace")
        return name, content

    def refuse(self, reason: str, hint: str) -> RuntimeError:
        self.refused = (reason, hint)
        return RuntimeError(reason)


class _Nodes:
    """A value as nodes; ``places`` says where the names that are certain stand."""

    def __init__(self, places: Mapping[str, Origin]) -> None:
        self.places = places

    def build(self, value: Data, origin: Origin, depth: int = 0) -> Node:
        if depth > DEPTH:
            message = f"the Jsonnet layer nests deeper than {DEPTH}"
            raise InputError([Diagnostic(message, origin, "a flatter document")])
        match value:
            case dict():
                keys = {key: self.places.get(key, origin) for key in value}
                entries = {key: self.build(below, keys[key], depth + 1) for key, below in value.items()}
                return MapNode(entries, origin, keys=keys)
            case list():
                return ListNode(tuple(self.build(item, origin, depth + 1) for item in value), origin)
            case float():
                return ScalarNode(as_json(value), origin)
            case int() if value not in _INT64:
                return ScalarNode(as_json(float(value)), origin)
            case _:
                return ScalarNode(value, origin)


def _fault(said: str, file: str, imports: _Imports, layer: LayerName) -> InputError:
    """Jsonnet says the message first, over one or more lines, then each place on a line that begins with a tab."""
    lines = said.splitlines()
    message = _KINDS.sub("", " ".join(line.strip() for line in lines if not line.startswith("\t")).strip(), count=1)
    at_start = _PLACE.match(message)
    if at_start and at_start["file"] in imports.files:
        message = message[at_start.end() :]
    frames = [at_start, *(_PLACE.match(line.strip()) for line in lines if line.startswith("\t"))]
    known = [
        Origin(frame["file"], int(frame["line"]), int(frame["column"]), layer)
        for frame in frames
        if frame and frame["file"] in imports.files
    ]
    distinct = list(dict.fromkeys(known)) or [Origin(file, layer=layer)]
    reason, hint = imports.refused or (message.strip(), "the message is Jsonnet's own")
    related = tuple(Related("evaluated from here", place) for place in distinct[1 : 1 + _SHOWN_FRAMES])
    return InputError([Diagnostic(f"the Jsonnet layer fails: {reason}", distinct[0], hint, related)])
