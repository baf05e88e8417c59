"""What a renderer is, and what both of them have to agree on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from compiler.model.render import RenderedFile, RenderRequest
from compiler.render.charts import ChartFiles

_BLANKS: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""What Go calls a space (``unicode.IsSpace``)."""

_SEPARATOR: Final = re.compile(r"(?:\A|[\t\n\f\r ]*\n)(?:---[\t\n\f\r ]*)+")
_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(.*)")
_NOTES: Final = "NOTES.txt"


class Renderer(Protocol):
    """Helm's engine, somewhere. Can be pickled, so that any executor's worker can be handed one."""

    @property
    def identity(self) -> str:
        """Which engine, in which version: different identities may render the same request differently."""
        ...

    def render(self, request: RenderRequest, files: ChartFiles | None = None) -> tuple[RenderedFile, ...]:
        """Every document that the chart renders, hooks and CustomResourceDefinitions too, in order.

        ``files`` are rendered in the place of the chart's own.
        Raises ``InputError`` with the template's place where one fails. Partials and notes are left out.
        """
        ...


def kube_version(text: str) -> str:
    """The Kubernetes version as every Helm understands it the same way.

    >>> kube_version("1.35"), kube_version("v1.35.2"), kube_version("1.35.0+k3s1")
    ('v1.35.0', 'v1.35.2', 'v1.35.0+k3s1')
    """
    found = _VERSION.fullmatch(text)
    return f"v{found[1]}.{found[2]}.{found[3] or 0}{found[4]}" if found else text


def documents(files: Iterable[tuple[str, str]]) -> tuple[RenderedFile, ...]:
    """The documents of the rendered ``files`` (template and text), in order of template and text.

    Splits where Helm splits (``SplitManifests`` in its ``release/util``) and drops what Helm drops: blanks, notes,
    partials. The order is not that of the file, because the helm program sorts by kind before it prints.
    """
    return tuple(sorted(RenderedFile(template, text) for template, whole in files for text in _split(template, whole)))


def _split(template: str, whole: str) -> Iterator[str]:
    if template.endswith(_NOTES) or template.rpartition("/")[2].startswith("_"):
        return
    text = whole.lstrip(_BLANKS)
    is_one = "\n---" not in text and not text.startswith("---")
    for part in (text,) if is_one else _SEPARATOR.split(text):
        document = part.strip(_BLANKS)
        if document:
            yield f"{document}\n"
