"""Charts of a real OCI registry: pushed by the real helm, fetched and pinned, and refused when a tag says something else."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.conftest import World
from tests.servers.kubelet import ROOT
from tests.third_party.conftest import CHARTS, Portfolio


@dataclass(frozen=True)
class Registry:
    """The registry, and a helm that talks to it."""

    address: str
    helm: Path
    home: Path

    def push(self, archive: Path, folder: str) -> None:
        """Publish a packed chart below a folder, under its own name and version."""
        command = [str(self.helm), "push", str(archive), f"oci://{self.address}/{folder}", "--plain-http"]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "HOME": str(self.home)})


@pytest.fixture
def published(tmp_path: Path, helm_programs: Mapping[str, Path]) -> Iterator[Registry]:
    """Debian's docker-registry (CNCF distribution) on an address of its own."""
    program = shutil.which("docker-registry", path=f"{ROOT / 'usr/bin'}{os.pathsep}{os.environ['PATH']}")
    assert program is not None, "`make servers` lays docker-registry into the root"
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        address = f"127.0.0.1:{found.getsockname()[1]}"
    config = tmp_path / "registry.yml"
    storage = f"storage: {{filesystem: {{rootdirectory: {tmp_path / 'blobs'}}}}}"
    config.write_text(
        f"version: 0.1\n{storage}\nhttp: {{addr: '{address}'}}\nlog: {{level: error}}\n", encoding="utf-8"
    )
    with subprocess.Popen(
        [program, "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        _await(address, server)
        yield Registry(address, helm_programs["helm4"], tmp_path)
        server.terminate()


def _await(address: str, server: subprocess.Popen[bytes]) -> None:
    """Until it answers; it ends by itself where it cannot start."""
    while server.poll() is None:
        try:
            with urlopen(f"http://{address}/v2/"):
                return
        except URLError:
            time.sleep(0.05)
    raise AssertionError(f"docker-registry ended with {server.returncode}")


def packed(directory: Path, *, more: str = "") -> Path:
    """The archive of the chart ``store``, with another file if there is ``more`` to say."""
    chart = directory / "store"
    shutil.copytree(CHARTS / "store", chart, dirs_exist_ok=True)
    shutil.copytree(CHARTS / "toolkit", chart / "charts" / "toolkit", dirs_exist_ok=True)
    if more:
        (chart / "README.md").write_text(more, encoding="utf-8")
    archive = directory / "store-1.0.0.tgz"
    with tarfile.open(archive, "w:gz") as out:
        out.add(chart, "store")
    return archive


def vendor(portfolio: Portfolio, registry: Registry, *words: str) -> tuple[int, str]:
    """Exit code and everything that is said."""
    environment = {"HELM_BIN": str(registry.helm), "HOME": str(registry.home)}
    done = portfolio.run("vendor", "site", "--plain-http", *words, environment=environment)
    return done.returncode, done.stdout + done.stderr


def test_what_was_pushed_is_fetched_and_pinned_and_the_compile_is_offline(
    world: World, published: Registry, tmp_path: Path
) -> None:
    """And a second fetch changes nothing."""
    published.push(packed(tmp_path), "charts")
    portfolio = Portfolio(world).site(f"  db: {{chart: 'oci://{published.address}/charts/store:1.0.0'}}\n")
    code, said = vendor(portfolio, published)
    assert (code, said.split()[:1]) == (0, ["added"]), said
    done = portfolio.run("site", "--dry-run", environment={"HELM_BIN": "/nowhere/helm"})
    assert done.returncode == 0, done.stderr
    assert vendor(portfolio, published)[0] == 0


def test_a_tag_that_says_something_else_is_refused_until_it_is_asked_for(
    world: World, published: Registry, tmp_path: Path
) -> None:
    """A tag can be pushed anew; what was pinned is what counts."""
    published.push(packed(tmp_path), "charts")
    portfolio = Portfolio(world).site(f"  db: {{chart: 'oci://{published.address}/charts/store:1.0.0'}}\n")
    assert vendor(portfolio, published)[0] == 0
    published.push(packed(tmp_path, more="another store\n"), "charts")
    [file] = (world.root / "environments" / "vendor").rglob("*.tgz")
    file.unlink()
    code, said = vendor(portfolio, published)
    assert code == 1
    assert "but the lock names sha256:" in said
    assert vendor(portfolio, published, "--update")[0] == 0


def test_a_chart_that_was_never_pushed_says_where_it_was_looked_for(world: World, published: Registry) -> None:
    portfolio = Portfolio(world).site(f"  db: {{chart: 'oci://{published.address}/charts/stone:1.0.0'}}\n")
    code, said = vendor(portfolio, published)
    assert code == 1
    assert f"{published.address}/charts" in said
    assert "could not be fetched" in said
