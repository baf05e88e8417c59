"""An instance of a chart on the tests' cluster: what the suites of all charts do with one."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.servers.kubelet import Cluster, Completed, Pod, render


def merged(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """Values laid over values."""
    both = dict(low)
    for key, value in high.items():
        both[key] = merged(both[key], value) if isinstance(value, dict) and isinstance(both.get(key), dict) else value
    return both


class Instance:
    """One instance of ``chart``."""

    chart: ClassVar[str]

    def __init__(self, cluster: Cluster, instance: str, values: dict[str, Any]) -> None:
        self.cluster, self.instance, self.values = cluster, instance, values
        self.configure()

    def configure(self, **values: Any) -> None:
        """Apply the instance with these values laid over those it has; pods have them from their next start."""
        self.values = merged(self.values, values)
        for name in self.cluster.jobs(f"{self.instance}-"):
            del self.cluster.objects["Job", self.cluster.namespace, name]
        self.cluster.apply(render(self.chart, self.instance, self.values))

    @property
    def encrypted(self) -> bool:
        """Whether it speaks TLS."""
        return bool(self.values.get("tls", {}).get("enabled"))

    def trust(self) -> ssl.SSLContext | None:
        """A client's certificates, as a consumer would have them from the same issuer; nothing without TLS."""
        if not self.encrypted:
            return None
        home = self.cluster.home / f"{self.instance}-client"
        if not home.exists():
            home.mkdir()
            for name, text in self.cluster.authority.issue("client", []).items():
                (home / name).write_text(text)
        context = ssl.create_default_context(cafile=home / "ca.crt")
        context.check_hostname = False  # these clients have no name server; the chain is checked
        context.load_cert_chain(home / "tls.crt", home / "tls.key")
        return context

    def job(self, prefix: str) -> Completed:
        """Run the Job of a component."""
        return self.cluster.run_job(self.cluster.jobs(f"{self.instance}-{prefix}-")[0])


class Quorum(Instance):
    """An instance whose members are one StatefulSet, called ``server``."""

    @property
    def workload(self) -> str:
        """Its StatefulSet."""
        return f"{self.instance}-server"

    @property
    def members(self) -> list[Pod]:
        """Its members, in order."""
        return self.cluster.of(self.workload)
