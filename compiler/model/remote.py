"""Charts that are published elsewhere, and what the repository keeps of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from compiler.model.names import ChartName, Digest
from compiler.model.node import Origin

VENDOR: Final = "environments/vendor"
"""Where the charts of elsewhere are kept, with their lock."""

LOCK: Final = f"{VENDOR}/charts.lock.yaml"

OCI: Final = "oci://"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, order=True)
class Remote:
    """One version of a chart in a chart repository (``https://...``) or a registry (``oci://...``).

    ``origin`` is where an environment names it; the same chart named in two places is one chart.
    """

    repository: str
    name: ChartName
    version: str
    origin: Origin = field(compare=False)

    def __str__(self) -> str:
        """As messages write it."""
        return f"`{self.name}` {self.version} of {self.repository}"

    @property
    def file(self) -> str:
        """Where the repository keeps it: the address as folders, so that equal names of two publishers never meet.

        >>> Remote("https://charts.example.org:8443/stable", ChartName("web"), "1.0.0", Origin("")).file
        'environments/vendor/charts.example.org_8443/stable/web-1.0.0.tgz'
        """
        _, _, place = self.repository.partition("://")
        steps = (_UNSAFE.sub("_", step) for step in place.split("/") if step.strip("."))
        return str(PurePosixPath(VENDOR, *steps, f"{self.name}-{self.version}.tgz"))


@dataclass(frozen=True, slots=True)
class Pinned:
    """What the lock says of a remote chart: the digest of its archive, ``sha256:...``."""

    remote: Remote
    digest: Digest
