"""Names with a meaning of their own, and the one rule by which object names are made."""

from __future__ import annotations

import hashlib
from typing import Final, NewType

EnvironmentName = NewType("EnvironmentName", str)
LayerName = NewType("LayerName", str)
InstanceName = NewType("InstanceName", str)
ChartName = NewType("ChartName", str)
ComponentName = NewType("ComponentName", str)
RequirementName = NewType("RequirementName", str)
ProvisionName = NewType("ProvisionName", str)
InterfaceName = NewType("InterfaceName", str)
NamespaceName = NewType("NamespaceName", str)
Wave = NewType("Wave", int)
Digest = NewType("Digest", str)
CommitId = NewType("CommitId", str)

UNNAMED: Final = LayerName("")
"""The layer of a document that is not one: a contract, a chart's own file."""

NAME_LIMIT: Final = 52
"""The longest object name: a CronJob may have 52, and a Job appends ``-`` and ten digits to stay within 63."""

_KEPT: Final = NAME_LIMIT - 9


def object_name(instance: str, *suffix: str) -> str:
    """The name of an object that belongs to ``instance``: the twin of ``common.names.name`` in the charts.

    Promises at most 52 characters, and different names for different arguments: what does not fit keeps its
    first 43 characters and ends in a digest of the whole.

    >>> object_name("keystone", "api")
    'keystone-api'
    >>> object_name("keystone-" + "x" * 50, "api")
    'keystone-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-655f897e'
    """
    name = "-".join((instance, *suffix))
    if len(name) <= NAME_LIMIT:
        return name
    return f"{name[:_KEPT].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
