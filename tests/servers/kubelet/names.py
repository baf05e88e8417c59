"""The cluster's name server: names of Services and of their pods, answered to whoever asks, without a cache."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.servers.kubelet.sandbox import ROOT

DOMAIN = "cluster.local"

_SERVE = """
set -e
mount --bind "$1" "$2/mnt"
mount --rbind /dev "$2/dev"
exec chroot "$2" dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --pid-file= --no-resolv --no-hosts \\
  --hostsdir=/mnt --local=/svc/ --local="/$4/" --bind-interfaces --listen-address="$3" --log-facility=-
"""


class NameServer:
    """A real name server (dnsmasq) in the network namespace of the hub."""

    def __init__(self, home: Path, space: str, address: str) -> None:
        self.address = address
        self._hosts = home / "names" / "hosts"
        self._hosts.parent.mkdir(parents=True)
        self._hosts.touch()
        enter = ["ip", "netns", "exec", space, "unshare", "--mount", "sh", "-c", _SERVE, "names"]
        with (home / "names.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*enter, str(self._hosts.parent), str(ROOT), address, DOMAIN], stdout=log, stderr=log
            )

    def publish(self, names: Mapping[str, list[str]]) -> None:
        """Answer with these addresses from now on."""
        text = "".join(f"{address} {name}\n" for name, found in sorted(names.items()) for address in found)
        if self._hosts.read_text() != text:
            self._hosts.write_text(text)

    def resolver(self, namespace: str) -> str:
        """The resolv.conf of a pod, as the kubelet writes it."""
        search = f"{namespace}.svc.{DOMAIN} svc.{DOMAIN} {DOMAIN}"
        return f"nameserver {self.address}\nsearch {search}\noptions ndots:5\n"

    def close(self) -> None:
        """Answer no more."""
        self._process.kill()
        self._process.wait()
