"""``oscompile survive`` as a user runs it, on the charts that we ship."""

from __future__ import annotations

import json
from typing import Final

import pytest

from compiler import pipeline
from compiler.pipeline import Request
from tests.conftest import World

HEAD: Final = """\
apiVersion: oscompile/v1alpha1
kind: Environment
metadata: {name: site-s}
extends: [base]
secrets: {backend: external-secrets, store: vault}
"""


def site(world: World, text: str) -> World:
    return world.write({"environments/site-s/environment.yaml": HEAD + text})


SURVIVING: Final = {
    "three hosts": "{count: 3}",
    "four hosts": "{count: 4}",
    "five hosts, two racks": "{count: 3, zone: a}, {count: 2, zone: b}",
    "three racks, one of them small": "{count: 4, zone: a}, {count: 4, zone: b}, {count: 1, zone: c}",
    "seven racks": ", ".join(f"{{count: 1, zone: rack-{number}}}" for number in range(7)),
    "a host that admits nothing": "{count: 3, zone: a}, {count: 2, zone: b, taints: [{key: gpu, effect: NoSchedule}]}",
    "hosts with and without a zone": "{count: 3, zone: a}, {count: 2}",
}


@pytest.mark.parametrize("hosts", SURVIVING.values(), ids=SURVIVING)
def test_our_charts_survive_a_host_wherever_there_are_three(shipped_world: World, hosts: str) -> None:
    """No value is set for it: the charts see the topology. Every pod has a place, and none that breaks a quorum."""
    members = ", ".join(f"m{count}: {{chart: memcached, values: {{replicas: {count}}}}}" for count in (2, 4, 7))
    quorums = "mariadb: {values: {replicas: 7}}, rabbitmq: {values: {replicas: 5}}"
    world = site(shipped_world, f"topology: {{hosts: [{hosts}]}}\ninstances: {{{quorums}, {members}}}\n")
    judged = pipeline.judge_site(Request("site-s", world.root, jobs=1))
    found, _ = pipeline.survive(judged)
    assert [row.pods.name for row in found.rows if row.placed < row.pods.count] == []
    assert [row.pods.name for row in found.rows if row.host is None or not row.host.survives] == []


def test_a_site_on_one_host_does_not_survive_it(shipped_world: World) -> None:
    """Charts do not keep pods from starting where there is nothing to spread over; the proof says what it comes to."""
    done = site(shipped_world, "topology: {hosts: [{count: 1}]}\n").run("survive", "site-s")
    assert done.returncode == 1
    assert "mariadb/server    quorum  2/3    1/0  3!" in done.stdout
    assert "`mariadb/server` does not survive the loss of a host: 3 of its 3 pods may be there" in done.stderr


def test_pairs_are_taken_away_when_they_are_asked_for(shipped_world: World) -> None:
    """Two of three members are too many; the loss of a pair is a question and no mistake."""
    world = site(shipped_world, "topology: {hosts: [{count: 3}]}\n")
    done = world.run("survive", "site-s", "--pairs")
    assert done.returncode == 0
    assert "  2!  " in done.stdout


def test_the_answer_for_machines_says_what_is_lost_and_whether_it_had_to_be(shipped_world: World) -> None:
    """Two racks never hold a majority twice: that is a warning, and the data says why."""
    done = site(shipped_world, "topology: {hosts: [{count: 2, zone: a}, {count: 2, zone: b}]}\n").run(
        "survive", "site-s", "--output", "json"
    )
    assert done.returncode == 0
    rows = {f"{row['instance']}/{row['component']}": row for row in json.loads(done.stdout)["workloads"]}
    assert rows["keystone/api"]["loss"]["zone"]["survives"]
    loss = rows["mariadb/server"]["loss"]["zone"]
    assert (loss["what"], loss["survives"], loss["avoidable"]) == ("a", False, False)
    assert "warning [OS029]: `mariadb/server` does not survive the loss of the zone a" in done.stderr


def test_without_a_topology_it_says_that_nothing_is_proved(shipped_world: World) -> None:
    """It still says what each workload would need."""
    done = site(shipped_world, "").run("survive", "site-s")
    assert done.returncode == 0
    assert "site-s does not say what its hosts are (`topology`), so nothing is proved" in done.stdout
    assert "not proved" in done.stdout
    assert done.stderr.count("OS029") == 1


def test_a_development_site_has_nothing_to_lose(shipped_world: World) -> None:
    """It says so, and warns of nothing."""
    done = shipped_world.run("survive", "dev")
    assert (done.returncode, done.stderr) == (0, "")
    assert "survives nothing, by intention" in done.stdout


def test_the_table_fits_a_hundred_columns(shipped_world: World) -> None:
    """Also with the longest names that there are."""
    name = "a" * 53
    world = site(shipped_world, f"topology: {{hosts: [{{count: 3}}]}}\ninstances: {{{name}: {{chart: memcached}}}}\n")
    done = world.run("survive", "site-s", "--pairs")
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 100
