"""Charts of elsewhere are fetched once, by the real helm from real servers, and are the same bytes ever after."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.third_party.conftest import Portfolio
from tests.third_party.servers import chart_repository

LOCK: Final = "environments/vendor/charts.lock.yaml"


@dataclass(frozen=True)
class Published:
    """A site that uses one chart of elsewhere, and the server that has it."""

    portfolio: Portfolio
    address: str
    shelf: Path
    environment: Mapping[str, str]

    def vendor(self, *words: str) -> tuple[int, str]:
        """Exit code and everything that is said."""
        done = self.portfolio.run("vendor", "site", *words, environment=self.environment)
        return done.returncode, done.stdout + done.stderr

    def compile(self) -> tuple[int, str]:
        """The same for a compile that fails, which has no helm to ask anybody with; of one that does not, the code."""
        done = self.portfolio.run("site", "--dry-run", environment={"HELM_BIN": "/nowhere/helm"})
        return done.returncode, done.stderr if done.returncode else ""

    @property
    def file(self) -> Path:
        """The archive in the repository."""
        [found] = (self.portfolio.world.root / "environments" / "vendor").rglob("*.tgz")
        return found


@pytest.fixture
def published(portfolio: Portfolio, tmp_path: Path, helm_programs: Mapping[str, Path]) -> Iterator[Published]:
    """``store`` 1.0.0 in a chart repository."""
    shelf = tmp_path / "published"
    shelf.mkdir()
    (shelf / "store-1.0.0.tgz").write_bytes(portfolio.pack("store"))
    with chart_repository(shelf, helm_programs["helm4"]) as address:
        portfolio.site(f"  db: {{chart: {{repository: '{address}', name: store, version: 1.0.0}}}}\n")
        yield Published(portfolio, address, shelf, {"HELM_BIN": str(helm_programs["helm4"]), "HOME": str(tmp_path)})


def test_a_chart_of_a_repository_is_fetched_and_pinned_and_the_compile_is_offline(published: Published) -> None:
    code, said = published.vendor()
    assert (code, said.split()[:1]) == (0, ["added"])
    assert published.file.read_bytes() == (published.shelf / "store-1.0.0.tgz").read_bytes()
    shutil.rmtree(published.shelf)
    assert published.compile() == (0, "")


def test_a_second_fetch_keeps_everything_as_it_is(published: Published) -> None:
    published.vendor()
    before = published.file.stat()
    code, said = published.vendor()
    assert (code, said.split()[:1]) == (0, ["kept"])
    after = published.file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_chart_that_was_never_fetched_says_what_to_type(published: Published) -> None:
    code, said = published.compile()
    assert code == 1
    assert said.splitlines()[0].endswith(f"is not in the lock `{LOCK}`")
    assert said.splitlines()[2] == "  try: `oscompile vendor site`, and commit what it brings"


def test_bytes_that_changed_since_they_were_pinned_are_refused(published: Published) -> None:
    published.vendor()
    published.file.write_bytes(published.portfolio.pack("broker"))
    code, said = published.compile()
    assert code == 1
    assert "must be the archive that the lock names (sha256:" in said
    assert f"  --> {LOCK}:" in said


def test_a_file_that_is_missing_comes_back_as_it_was(published: Published) -> None:
    published.vendor()
    published.file.unlink()
    assert "is in the lock, but its file" in published.compile()[1]
    assert published.vendor()[0] == 0
    assert published.compile() == (0, "")


def test_a_version_that_was_published_anew_is_refused_until_it_is_asked_for(
    published: Published, helm_programs: Mapping[str, Path]
) -> None:
    published.vendor()
    before = published.file.read_bytes()
    (published.shelf / "store-1.0.0.tgz").write_bytes(another(published.portfolio.pack("store")))
    with chart_repository(published.shelf, helm_programs["helm4"]):
        published.file.unlink()
        code, said = published.vendor()
        assert code == 1
        assert "but the lock names sha256:" in said
        code, said = published.vendor("--update")
    assert (code, said.split()[:1]) == (0, ["changed"])
    assert published.file.read_bytes() != before
    assert published.compile() == (0, "")


def another(archive: bytes) -> bytes:
    """The same chart with one file more."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(archive)) as old, tarfile.open(fileobj=out, mode="w:gz") as new:
        for entry in old:
            new.addfile(entry, old.extractfile(entry) if entry.isreg() else None)
        new.addfile(tarfile.TarInfo("store/README.md"))
    return out.getvalue()


def test_a_publisher_that_serves_another_chart_under_the_name_is_refused(published: Published) -> None:
    (published.shelf / "store-1.0.0.tgz").write_bytes(published.portfolio.pack("broker"))
    code, said = published.vendor()
    assert code == 1
    assert not (published.portfolio.world.root / "environments" / "vendor").exists()
    assert "could not be fetched" in said or "holds `broker` 1.0.0" in said


def test_a_chart_that_nobody_publishes_says_where_it_was_looked_for(published: Published) -> None:
    published.portfolio.site(f"  db: {{chart: {{repository: '{published.address}', name: stone, version: 1.0.0}}}}\n")
    code, said = published.vendor()
    assert code == 1
    assert f"error: the chart `stone` 1.0.0 of {published.address} could not be fetched: " in said
    assert "  --> environments/site/environment.yaml:9:15" in said


def test_a_range_of_versions_is_no_version(portfolio: Portfolio) -> None:
    portfolio.site('  db: {chart: {repository: "https://charts.example.org", name: store, version: ^1.0.0}}\n')
    said = portfolio.run("site").stderr
    assert said == (
        "error: the chart `store` must have exactly one version, but `^1.0.0` is none\n"
        "  --> environments/site/environment.yaml:9:15\n"
        "  try: a version like 1.2.3: what a range means changes with what is published\n"
    )


def test_a_site_without_charts_of_elsewhere_has_nothing_to_fetch(portfolio: Portfolio) -> None:
    done = portfolio.shelve("store").site("  db: {chart: third-party/store}\n").run("vendor", "site")
    assert done.returncode == 0
    assert done.stdout == "every chart of the site lies in the repository already: there is nothing to fetch\n"
