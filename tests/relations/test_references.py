"""What an object needs by name, what appears because of it, and which pods it is about: one case, one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from compiler.model.manifest import ObjectId, Reference
from compiler.relations.references import Relations, relations
from compiler.relations.untyped import mapping

if TYPE_CHECKING:
    from pytest_golden.plugin import GoldenTestFixture


def spelled(reference: Reference) -> str:
    """One reference as a line."""
    where = f"{reference.namespace}/" if reference.namespace else ""
    return f"{where}{reference.kind} {reference.name}{' (optional)' if reference.optional else ''}"


def shown(found: Relations) -> str:
    """Everything that was found, a line each."""
    lines = [f"needs {spelled(reference)}" for reference in found.references]
    lines += [f"makes {spelled(reference)}" for reference in found.provides]
    if found.workload is not None:
        lines += [f"selector {dict(found.workload.selector)}", f"labels {dict(found.workload.pod_labels)}"]
        lines += [f"waits for {spelled(reference)}" for reference in found.workload.waits]
    lines += [] if found.selects is None else [f"selects {dict(found.selects)}"]
    return "".join(f"{line}\n" for line in lines) or "nothing\n"


@pytest.mark.golden_test("cases/*.yaml")
def test_relations(golden: GoldenTestFixture) -> None:
    """Each case is an object and its relations."""
    golden.get("about")
    document = golden["object"]
    metadata = mapping(document, "metadata")
    group = document["apiVersion"].rpartition("/")[0]
    identity = ObjectId(str(metadata.get("namespace", "")), document["kind"], group, str(metadata["name"]))
    assert shown(relations(identity, identity.namespace or "openstack", document)) == golden.out["relations"]
