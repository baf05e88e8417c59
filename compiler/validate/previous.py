"""What the output directory holds of a site: what was compiled last, and so what the cluster runs.

It is part of the repository, so a compile that reads it is as pure as any other.
"""

from __future__ import annotations

from compiler.documents import parse_stream
from compiler.errors import InputError
from compiler.model.manifest import Manifest
from compiler.relations.untyped import Map, mapping
from compiler.validate.rule import Subject, View


def last_spec(view: View, subject: Subject, manifest: Manifest) -> Map | None:
    """The `spec` of ``manifest`` in the last output; None where it is the same, was not there, or cannot be read."""
    base = view.site.repository / view.site.delivery.output
    path = base / manifest.id.namespace / subject.owner.name / manifest.id.file_name
    try:
        before = path.read_text(encoding="utf-8")
        documents = [] if before.endswith(manifest.body) else parse_stream(before, manifest.id.file_name)
        written = next((data for _, data in documents if isinstance(data, dict)), None)
    except (OSError, UnicodeDecodeError, InputError):
        return None
    return None if written is None else mapping(written, "spec")
