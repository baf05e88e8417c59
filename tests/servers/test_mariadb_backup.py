"""A rendered mariadb instance of one member: backups, restores into an empty database, and growth to three members and back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.servers.galera import Galera, Writer
from tests.servers.kubelet import Cluster

UNVERIFIED = ("--ssl", "--skip-ssl-verify-server-cert")
ROWS = "SELECT GROUP_CONCAT(id, ':', word ORDER BY id) FROM app.kept"
Record = Callable[..., None]


@pytest.fixture(scope="module")
def galera() -> Iterator[Galera]:
    with Cluster() as cluster:
        galera = Galera(cluster, "single", 1, {"tls": {"enabled": True}})
        galera.start()
        galera.provision()
        yield galera


def restore(galera: Galera, request: str, backup: str = "latest") -> tuple[int, str]:
    """Ask for a restore as a site does: in the values; then the Job runs."""
    galera.configure(restore={"backup": backup, "request": request})
    done = galera.cluster.run_job(galera.cluster.jobs("single-restore-")[0])
    return done.code, done.log


def test_a_backup_is_restored_into_an_empty_database(galera: Galera, record: Record) -> None:
    """The volume is lost. The rows, a view and a procedure are as they were at the backup; accounts come from the Jobs."""
    cluster = galera.cluster
    galera.sql(0, "CREATE TABLE app.kept (id INT PRIMARY KEY, word VARCHAR(90) CHARACTER SET utf8mb4)")
    galera.sql(0, "INSERT INTO app.kept SELECT seq, CONCAT('Größe \\'🙂\\' ', seq) FROM app.seq_1_to_500")
    galera.sql(0, "CREATE VIEW app.seen AS SELECT COUNT(*) AS n FROM app.kept")
    galera.sql(0, "CREATE PROCEDURE app.ask() SELECT 42")
    before = galera.sql(0, ROWS)
    done = cluster.run_job("single-backup")
    assert done.code == 0, done.log
    assert "of app, read from single-server-0" in done.log
    member = galera.members[0]
    member.delete()
    member.empty("data")
    galera.start()
    galera.provision()
    assert galera.sql(0, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'app'") == [("0",)]
    began = time.monotonic()
    assert restore(galera, "a")[0] == 0
    record("a backup is restored into an empty database", members=1, took=round(time.monotonic() - began, 1))
    assert galera.sql(0, ROWS) == before
    assert galera.sql(0, "SELECT n FROM app.seen; CALL app.ask()") == [("500",), ("42",)]


def test_a_request_is_done_once(galera: Galera) -> None:
    """What was written since stays; another word is another request; a wrong name changes nothing."""
    galera.sql(0, "INSERT INTO app.kept VALUES (501, 'since'); CREATE TABLE app.more (id INT)")
    assert "was done before" in restore(galera, "a")[1]
    assert galera.sql(0, "SELECT COUNT(*) FROM app.kept") == [("501",)]
    code, said = restore(galera, "b", "000099-20260101T000000Z.sql.gz")
    assert (code, "There are: 000001-" in said) == (1, True)
    assert restore(galera, "b")[0] == 0
    assert galera.sql(0, "SELECT COUNT(*) FROM app.kept; SHOW TABLES FROM app") == [("500",), ("kept",), ("seen",)]


def test_a_damaged_backup_is_refused_and_old_ones_go(galera: Galera) -> None:
    galera.configure(backup={"keep": 2})
    for _ in range(2):
        assert galera.cluster.run_job("single-backup").code == 0
    dumps = sorted((galera.cluster.home / "claims/single-backup/dumps").iterdir())
    assert [path.name[:6] for path in dumps] == ["000002", "000003"]
    dumps[1].write_bytes(dumps[1].read_bytes()[:-200])
    code, said = restore(galera, "c")
    assert (code, "damaged" in said) == (1, True)
    assert galera.sql(0, "SELECT COUNT(*) FROM app.kept") == [("500",)]


def test_from_one_member_to_three_and_back(galera: Galera, record: Record) -> None:
    """As an apply of another number does it: new members take a copy, the old one is rolled; the last one goes on alone."""
    galera.configure(restore={"backup": ""}, drain={"seconds": 15})
    writer, began = Writer(galera, "scaled", *UNVERIFIED), time.monotonic()
    for replicas in (3, 1):
        galera.configure(replicas=replicas)
        galera.cluster.scale("single-server")
        galera.cluster.roll("single-server")
        galera.await_ready(*range(replicas))
        writer.goes_on()
    found = writer.figures()
    record("scaled from 1 to 3 to 1 member", **found, took=round(time.monotonic() - began, 1))
    assert found["lost"] == 0
