"""One container: a process in namespaces of its own over the servers' directory."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(os.environ.get("OSCOMPILE_SERVERS") or Path(__file__).parents[3] / ".venv" / "servers" / "root")
"""Where the servers are."""

_SETUP = r"""
set -eu
mount --make-rprivate /
mount --bind "$K_ROOT" "$K_NEW"
if [ "$K_READ_ONLY" = yes ]; then mount -o remount,bind,ro "$K_NEW"; fi
mount -t proc proc "$K_NEW/proc"
mount --rbind /dev "$K_NEW/dev"
mount --rbind /sys "$K_NEW/sys"
mount -t tmpfs -o size=64m shm "$K_NEW/dev/shm"
mount --bind "$K_HOSTS" "$K_NEW/etc/hosts"
mount --bind "$K_RESOLVER" "$K_NEW/etc/resolv.conf"
while read -r source target mode; do
  mount --bind "$source" "$K_NEW$target"
  if [ "$mode" = ro ]; then mount -o remount,bind,ro "$K_NEW$target"; fi
done < "$K_MOUNTS"
hostname "$K_POD"
cd "$K_NEW"
exec chroot "$K_NEW" setpriv --reuid "$K_USER" --regid "$K_GROUP" --groups "$K_GROUPS" \
  --bounding-set=-all --inh-caps=-all --no-new-privs \
  env -u K_ROOT -u K_NEW -u K_READ_ONLY -u K_HOSTS -u K_RESOLVER -u K_MOUNTS -u K_POD -u K_USER -u K_GROUP -u K_GROUPS -u OLDPWD -u PWD -u SHLVL -u _ \
  --chdir="$K_DIRECTORY" "$@"
"""


@dataclass(frozen=True)
class Mount:
    """A directory or file of this machine, and where the container sees it."""

    source: Path
    target: str
    read_only: bool


@dataclass(frozen=True)
class Identity:
    """Who a container's processes are."""

    user: int
    group: int
    groups: tuple[int, ...]

    def options(self) -> list[str]:
        """For setpriv."""
        groups = ",".join(str(group) for group in self.groups)
        return ["--reuid", str(self.user), "--regid", str(self.group), "--groups", groups]


@dataclass
class Sandbox:
    """A container as the runtime sees it: what to run, and the process once it runs."""

    pod: str
    space: str
    home: Path
    hosts: Path
    resolver: Path
    command: list[str]
    environment: Mapping[str, str]
    mounts: tuple[Mount, ...]
    identity: Identity
    read_only: bool = True
    directory: str = "/"
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _pid: int = 0

    def start(self, log: Path) -> None:
        """Start the first process; what it prints is added to ``log``."""
        new = self.home / "root"
        new.mkdir(parents=True, exist_ok=True)
        for mount in self.mounts:
            _mount_point(mount)
        lines = [f"{m.source} {m.target} {'ro' if m.read_only else 'rw'}" for m in sorted(self.mounts, key=_depth)]
        (self.home / "mounts").write_text("".join(f"{line}\n" for line in lines))
        settings = {
            "K_ROOT": str(ROOT),
            "K_NEW": str(new),
            "K_READ_ONLY": "yes" if self.read_only else "no",
            "K_HOSTS": str(self.hosts),
            "K_RESOLVER": str(self.resolver),
            "K_MOUNTS": str(self.home / "mounts"),
            "K_POD": self.pod,
            "K_USER": str(self.identity.user),
            "K_GROUP": str(self.identity.group),
            "K_GROUPS": ",".join(str(group) for group in self.identity.groups),
            "K_DIRECTORY": self.directory,
        }
        unshare = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"]
        self._pid = 0
        with log.open("ab") as out:
            os.fchown(out.fileno(), self.identity.user, self.identity.group)  # as the container runtime does
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", self.space, *unshare, "bash", "-c", _SETUP, "setup", *self.command],
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**self.environment, **settings},
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        """Whether the first process runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def code(self) -> int | None:
        """The exit code of the first process; None while it runs."""
        return self.process.poll() if self.process is not None else None

    @property
    def pid(self) -> int:
        """Process 1 of the container, as this machine numbers it; 0 if there is none."""
        while not self._pid and self.process is not None and self.process.poll() is None:
            outer = self.process.pid
            with contextlib.suppress(OSError):
                children = Path(f"/proc/{outer}/task/{outer}/children").read_text().split()
                self._pid = int(children[0]) if children else 0
            if not self._pid:
                time.sleep(0.01)
        return self._pid

    def processes(self) -> list[int]:
        """Every process of the container, as this machine numbers them."""
        space = Path(f"/proc/{self.pid}/ns/pid")
        with contextlib.suppress(OSError):
            mine = space.readlink()
            return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and _in(p, mine)]
        return []

    def signal(self, number: int) -> None:
        """To process 1."""
        if self.running and self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL: every process of the container dies with the first."""
        self.signal(signal.SIGKILL)
        self.wait(30)

    def freeze(self, *, frozen: bool = True) -> None:
        """Stop every process where it is, or let them go on."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP if frozen else signal.SIGCONT)

    def wait(self, seconds: float) -> bool:
        """Whether the first process ended in time."""
        if self.process is None:
            return True
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def run(self, *argv: str, seconds: float = 60, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A command in the container, as probes, hooks and ``kubectl exec`` run it. A timeout is exit code 124."""
        pid = self.pid
        enter = [
            "nsenter",
            "--target",
            str(pid),
            "--mount",
            "--pid",
            "--net",
            "--uts",
            "--ipc",
            f"--root=/proc/{pid}/root",
        ]
        who = ["setpriv", *self.identity.options(), "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
        command = [*enter, "env", f"--chdir={self.directory}", *who, "timeout", "--signal=KILL", f"{seconds}", *argv]
        done = subprocess.run(
            command,
            check=False,
            text=True,
            errors="replace",
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment,
        )
        code = 124 if done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL) else done.returncode
        return subprocess.CompletedProcess(argv, code, done.stdout)


def _mount_point(mount: Mount) -> None:
    place = ROOT / mount.target.lstrip("/")
    if mount.source.is_dir():
        place.mkdir(parents=True, exist_ok=True)
    elif not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()


def _depth(mount: Mount) -> str:
    return mount.target


def _in(process: Path, space: Path) -> bool:
    try:
        return (process / "ns" / "pid").readlink() == space
    except OSError:
        return False
