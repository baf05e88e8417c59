"""The schemas of Kubernetes' own kinds, from the data of the package ``kubernetes-validate``.

That data is made of each version's OpenAPI document, strict: a field that the version does not know is refused, which a
server only does for who asks it to. A schema is compiled once for each kind, API version and Kubernetes version.
"""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, Registry

GROUPS: Final = frozenset(
    {"", "apps", "autoscaling", "batch", "extensions", "policy"}
    | {
        f"{name}.k8s.io"
        for name in (
            *("admissionregistration", "apiextensions", "apiregistration", "authentication", "authorization"),
            *("certificates", "coordination", "discovery", "events", "flowcontrol.apiserver", "internal.apiserver"),
            *("lifecycle", "networking", "node", "rbac.authorization", "resource", "scheduling", "storage"),
            "storagemigration",
        )
    }
)
"""The API groups of Kubernetes itself. Every other group is of a CustomResourceDefinition or an aggregated server."""

KNOWN: Final = (25, 37)
"""The first and the last minor version of Kubernetes 1 whose schemas there are."""

_VERSION: Final = re.compile(r"v?1\.(\d+)")
_REFERENCE: Final = "/api/_definitions.json"


@dataclass(frozen=True)
class Form:
    """A compiled schema, and the documents that its errors point into."""

    validator: Draft202012Validator
    schema: dict[str, Any]
    definitions: dict[str, Any]


def minor(version: str) -> int:
    """The minor version of Kubernetes, as environments write versions.

    >>> minor("1.35"), minor("v1.35.2")
    (35, 35)
    """
    found = _VERSION.match(version)
    return int(found[1]) if found else 0


@cache
def built_in(version: str, group: str, api_version: str, kind: str) -> Form | None:
    """The schema of a kind of Kubernetes' own as ``version`` of it has it; None where that version has no such kind."""
    from jsonschema_rs import Draft202012Validator  # noqa: PLC0415 - a compile from the cache has no use for it

    name = f"{kind.lower()}-{group.partition('.')[0]}{'-' if group else ''}{api_version}.json"
    path = _folder(minor(version)) / name
    if not path.is_file():
        return None
    schema = json.loads(path.read_text(encoding="utf-8"))
    named = {"group": group, "version": api_version, "kind": kind}
    if named not in schema.get("x-kubernetes-group-version-kind", []):
        return None
    definitions, registry = _definitions(minor(version))
    whole = {**schema, "$id": f"json-schema:///{name}"}
    return Form(Draft202012Validator(whole, registry=registry), whole, definitions)


@cache
def _definitions(number: int) -> tuple[dict[str, Any], Registry]:
    from jsonschema_rs import Registry  # noqa: PLC0415 - as above

    definitions = json.loads((_folder(number) / "_definitions.json").read_text(encoding="utf-8"))
    return definitions, Registry([(f"json-schema://{_REFERENCE}", definitions)])


@cache
def _folder(number: int) -> Path:
    """Where the schemas of a version are: found without importing the package, which would load another validator."""
    found = importlib.util.find_spec("kubernetes_validate")
    assert found is not None  # noqa: S101 - it is a dependency of ours
    package = Path(cast("str", found.origin)).parent
    return package / "kubernetes-json-schema" / f"v1.{number}.0-local-strict"
