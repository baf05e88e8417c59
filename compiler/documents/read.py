"""Read one file of the repository, YAML or Jsonnet, as a node."""

from __future__ import annotations

from pathlib import Path

from compiler.documents.jsonnet import evaluate
from compiler.documents.yaml import parse_node
from compiler.errors import InputError
from compiler.model.diagnostic import Diagnostic
from compiler.model.names import UNNAMED, LayerName
from compiler.model.node import Node, Origin


def read(path: Path, repository: Path, layer: LayerName = UNNAMED) -> Node | None:
    """The document in ``path``; None where it is empty. Origins name files relative to ``repository``.

    A ``.jsonnet`` file is evaluated, and may import only from inside ``repository``. Raises ``InputError`` for a file
    that cannot be read, is not UTF-8, is not what its name says, or that a symlink fetches from outside ``repository``.
    """
    file = path.relative_to(repository).as_posix()
    text = _text(path, repository, file)
    if path.suffix == ".jsonnet":
        return evaluate(text, file, repository, layer)
    return parse_node(text, file, layer)


def _text(path: Path, repository: Path, file: str) -> str:
    if not path.resolve().is_relative_to(repository.resolve()):
        raise _fault("the file is a symlink that leads outside the repository", file, "copy it into the repository")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _fault(f"the file must be UTF-8, but byte {error.start} is not", file, "save it as UTF-8") from error
    except OSError as error:
        raise _fault(f"the file cannot be read: {error.strerror}", file, "look at its permissions") from error


def _fault(message: str, file: str, hint: str) -> InputError:
    return InputError([Diagnostic(message, Origin(file), hint)])
