"""What cert-manager would provide: an authority, and the Secrets that its Certificates ask for."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from tests.servers.kubelet.sandbox import ROOT


class Authority:
    """A certificate authority of its own, in a directory."""

    def __init__(self, home: Path, name: str = "authority of the tests") -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self._key(home / "ca.key")
        self._openssl(
            *(
                "req",
                "-x509",
                "-new",
                "-key",
                "ca.key",
                "-sha256",
                "-days",
                "30",
                "-subj",
                f"/CN={name}",
                "-out",
                "ca.crt",
            ),
            *("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )

    def issue(self, common_name: str, names: list[str], addresses: list[str] | None = None) -> dict[str, str]:
        """A Secret of type ``kubernetes.io/tls`` with ``ca.crt``: a new key, good for servers and clients."""
        self._key(self.home / "tls.key")
        alternatives = [f"DNS:{name}" for name in names] + [f"IP:{address}" for address in addresses or []]
        (self.home / "tls.ext").write_text(
            "extendedKeyUsage=serverAuth,clientAuth\nkeyUsage=critical,digitalSignature,keyEncipherment\n"
            "basicConstraints=critical,CA:FALSE\n"
            + (f"subjectAltName={','.join(alternatives)}\n" if alternatives else "")
        )
        self._openssl("req", "-new", "-key", "tls.key", "-subj", f"/CN={common_name}", "-out", "tls.csr")
        self._openssl(
            *("x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-sha256"),
            *("-days", "30", "-extfile", "tls.ext", "-out", "tls.crt"),
        )
        return {name: (self.home / name).read_text() for name in ("tls.crt", "tls.key", "ca.crt")}

    def fulfil(self, certificate: dict[str, Any]) -> dict[str, str]:
        """The Secret that a cert-manager Certificate asks for."""
        spec = certificate["spec"]
        names = spec.get("dnsNames", [])
        common_name = spec.get("commonName") or (names[0] if names else certificate["metadata"]["name"])
        return self.issue(common_name, names, spec.get("ipAddresses"))

    def _key(self, path: Path) -> None:
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path.name)

    def _openssl(self, *argv: str) -> None:
        bind = 'mount --bind "$1" "$2/mnt"; shift; root=$1; shift; exec chroot "$root" sh -c \'cd /mnt; exec openssl "$@"\' openssl "$@"'
        command = ["unshare", "--mount", "sh", "-ec", bind, "sh", str(self.home.resolve()), str(ROOT), *argv]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"openssl {' '.join(argv)}: {done.stderr}"
