"""Lay the services of OpenStack that the charts run into the directory with the servers, where kolla's images have them.

Called by make after `root.py`: the packages of `tests/services.lock` become the virtual environment `/var/lib/kolla/venv` of
that directory, for the Python of its Debian release. The packages come through the pip of this machine, so that nothing
in the directory needs a network. Where there are no servers, it does nothing.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parents[1] / "services.lock"
HOME = "var/lib/kolla/venv"
WHEELS = "var/cache/services"

_SETUP = (
    'mount --make-rprivate / && mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
)


def main(root: Path) -> int:
    """Install the services below ``root``. Returns the exit code."""
    if not (root / "etc" / "debian_version").is_file():
        print(f"There are no servers in {root}, so no services are installed.", file=sys.stderr)
        return 0
    minor = int(_inside(root, "python3", "-c", "import sys; print(sys.version_info.minor)"))
    _download(root / WHEELS, minor)
    shutil.rmtree(root / HOME, ignore_errors=True)
    _inside(root, "python3", "-m", "venv", f"/{HOME}")
    wheels = sorted(f"/{path.relative_to(root)}" for path in (root / WHEELS).glob("*.whl"))
    _inside(root, f"/{HOME}/bin/pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile", *wheels)
    _inside(root, f"/{HOME}/bin/python", "-m", "compileall", "-q", f"/{HOME}/lib")
    shutil.rmtree(root / WHEELS)
    return 0


def _download(directory: Path, minor: int) -> None:
    """Fetch the locked packages, by hash, as they are built for Python 3 of that ``minor`` version."""
    machine = platform.machine()
    platforms = [f"manylinux_2_{version}_{machine}" for version in (34, 28, 17)] + [f"manylinux2014_{machine}"]
    kinds = [f"--platform={name}" for name in platforms]
    kinds += [f"--abi={name}" for name in (f"cp3{minor}", "abi3", "none")]
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    directory.mkdir(parents=True, exist_ok=True)
    wanted = directory / "requirements.txt"
    wanted.write_text(_marked(LOCK.read_text(encoding="utf-8"), minor), encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", *options, f"--python-version=3.{minor}", *kinds]
    subprocess.run([*command, "--implementation=cp", "-d", str(directory), "-r", str(wanted)], check=True)


def _marked(lock: str, minor: int) -> str:
    """The lock without the markers that the other Python fulfils: pip holds them against the one that it runs on."""
    return re.sub(
        r" ; python_full_version >= '3\.(\d+)'", lambda found: "" if int(found[1]) <= minor else found[0], lock
    )


def _inside(root: Path, *argv: str) -> str:
    """What a program of that directory prints."""
    command = ["unshare", "--mount", "sh", "-c", _SETUP, str(root), *argv]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
