"""Lay a Debian release with the real servers into a directory, for the tests in this folder.

`make servers` calls it. It needs Debian, root and the distribution's package mirror; where one of these is missing it says so,
leaves nothing behind and ends well, and the tests that need the servers are skipped with that reason.

The programs stand where kolla's images have them, and their users have kolla's uids, so that a container of a rendered
pod runs over this directory as it would over its image.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

RELEASE = "trixie"

TOOLS = {"mmdebstrap": "mmdebstrap", "ip": "iproute2", "unshare": "util-linux"}
"""Programs of this machine that the tests need, and Debian's packages that bring them."""

PACKAGES = (
    *("mariadb-server", "mariadb-backup", "galera-4", "socat", "rsync", "haproxy", "lsof"),
    *("rabbitmq-server",),
    *("etcd-server", "etcd-client"),
    *("memcached", "valkey-server", "valkey-sentinel", "valkey-tools"),
    *("openvswitch-switch", "openvswitch-common", "ovn-central", "ovn-common"),
    *("prometheus-mysqld-exporter", "prometheus-redis-exporter"),
    *("python3", "python3-venv", "nftables", "iproute2", "procps", "curl", "openssl", "ca-certificates"),
    *("dnsmasq-base", "libfaketime", "docker-registry"),
)

PROGRAMS = {
    "opt/mysqld_exporter/mysqld_exporter": "/usr/bin/prometheus-mysqld-exporter",
    "opt/valkey-exporter": "/usr/bin/prometheus-redis-exporter",
}
"""Where kolla's images have programs, and where Debian's packages put them."""

USERS = {
    "mysql": 42434,
    "rabbitmq": 42439,
    "memcached": 42457,
    "haproxy": 42454,
    "etcd": 42413,
    "openvswitch": 42476,
    "keystone": 42425,
    "prometheus": 42472,
    "valkey": 42494,
}
"""kolla's users and their uids (kolla/common/users.py); an image of kolla has a group of the same number."""


def main(root: Path) -> int:
    """Make ``root`` if it can be made here. Returns the exit code."""
    reason = _why_not()
    if reason:
        print(f"The tests on real servers will be skipped: {reason}.", file=sys.stderr)
        return 0
    half = root.with_name(root.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    half.parent.mkdir(parents=True, exist_ok=True)
    if not _bootstrap(half):
        print("The tests on real servers will be skipped: Debian's mirror did not give the packages.", file=sys.stderr)
        subprocess.run(["rm", "-rf", "--one-file-system", str(half)], check=True)
        return 0
    _users(half)
    _programs(half)
    subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=True)
    half.rename(root)
    return 0


def _why_not() -> str:
    """Why the servers cannot be laid down here; empty if they can."""
    if os.geteuid() != 0:
        return "they start servers under their own users and networks, which needs root"
    if not shutil.which("apt-get"):
        return "the servers come from Debian's packages, and this is not Debian"
    missing = [package for program, package in TOOLS.items() if not shutil.which(program)]
    if missing:
        print(f"Installing {', '.join(missing)} (for the tests on real servers)", file=sys.stderr)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *missing]):
            if subprocess.run(["apt-get", *command], env=environment, check=False, stdout=sys.stderr).returncode:
                return f"`apt-get {command[0]}` failed"
    namespaces = ["unshare", "--mount", "--net", "--pid", "--uts", "--fork", "true"]
    if subprocess.run(namespaces, check=False, capture_output=True).returncode:
        return "this machine lets nobody make network and mount namespaces"
    return ""


def _bootstrap(root: Path) -> bool:
    """Lay the packages down; whether it could be done."""
    command = [
        *("mmdebstrap", "--quiet", "--variant=apt", "--components=main"),
        *('--aptopt=Apt::Install-Recommends "false"', "--dpkgopt=path-exclude=/usr/share/doc/*"),
        *(f"--include={','.join(PACKAGES)}", RELEASE, str(root)),
    ]
    return subprocess.run(command, check=False, stdout=sys.stderr).returncode == 0


def _users(root: Path) -> None:
    """Give the users of kolla's images their numbers, and what the packages made for them."""
    old = {name: int(number) for name, _, number, *_ in _entries(root / "etc" / "passwd")}
    renumbered = {old[name]: number for name, number in USERS.items() if name in old}
    for place in ("etc", "run", "var/lib", "var/log"):
        for path in (root / place).rglob("*"):
            if path.lstat().st_uid in renumbered:
                os.chown(path, renumbered[path.lstat().st_uid], -1, follow_symlinks=False)
    for name, number in USERS.items():
        for file, line in (
            ("passwd", f"{name}:x:{number}:{number}::/var/lib/{name}:/bin/sh"),
            ("group", f"{name}:x:{number}:"),
        ):
            path = root / "etc" / file
            kept = [old for old in path.read_text().splitlines() if old.split(":")[0] != name]
            path.write_text("\n".join([*kept, line]) + "\n")


def _programs(root: Path) -> None:
    """Let programs be found where kolla's images have them."""
    for place, program in PROGRAMS.items():
        link = root / place
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(program)


def _entries(file: Path) -> list[list[str]]:
    return [line.split(":") for line in file.read_text().splitlines()]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
