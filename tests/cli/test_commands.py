"""What each command says of the sites that we ship."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import ROOT, World

PROGRAM: Final = str(ROOT / ".venv" / "bin" / "oscompile")


@pytest.mark.parametrize(
    "reference",
    [
        "site-a",
        "env/site-a",
        "environments/site-a",
        "environments/site-a/environment.yaml",
        "{root}/environments/site-a",
    ],
)
def test_every_way_to_name_a_site_compiles_the_same(shipped_world: World, reference: str) -> None:
    done = shipped_world.run(reference.format(root=shipped_world.root), "--dry-run", "--output", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["site"] == "site-a"


def test_a_compile_writes_the_tree_and_says_what_it_did(shipped_world: World) -> None:
    done = shipped_world.run("env/site-a")
    assert (done.returncode, done.stderr) == (0, "")
    said = dict(line.strip().split(maxsplit=1) for line in done.stdout.splitlines()[1:])
    assert done.stdout.startswith("site-a compiled in ")
    assert said["instances"] == "7 instances in 2 namespaces"
    assert said["output"] == "rendered/site-a"
    assert said["critical"].startswith("site/namespaces -> ")
    assert said["next"] == "git diff rendered/site-a, then oscompile site-a --commit"
    assert (shipped_world.root / "rendered/site-a/index.json").is_file()


def test_a_second_compile_changes_nothing_and_says_so(shipped_world: World) -> None:
    shipped_world.run("env/site-a")
    before = {path: path.stat().st_mtime_ns for path in (shipped_world.root / "rendered").rglob("*")}
    done = shipped_world.run("env/site-a")
    assert "changes    none; all" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in (shipped_world.root / "rendered").rglob("*")} == before


def test_a_dry_run_says_what_would_change_and_writes_nothing(shipped_world: World) -> None:
    done = shipped_world.run("env/site-a", "--dry-run")
    assert "added" in done.stdout
    assert not (shipped_world.root / "rendered").exists()


def test_one_value_changes_the_files_of_its_instance_and_the_index_alone(shipped_world: World) -> None:
    shipped_world.run("env/site-a")
    before = shipped_world.tree("rendered/site-a")
    done = shipped_world.run("env/site-a", "--set", "keystone.replicas.api=5", "--output", "json")
    changes = json.loads(done.stdout)["changes"]
    after = shipped_world.tree("rendered/site-a")
    assert changes["changed"] == sorted(path for path in after if before[path] != after[path])
    assert {path.split("/")[1] for path in changes["changed"] if "/" in path} == {"keystone"}
    assert (changes["added"], changes["removed"]) == ([], [])


def test_explain_names_the_layer_that_won_every_one_that_lost_and_what_is_reached(shipped_world: World) -> None:
    done = shipped_world.run("explain", "site-a", "mariadb", "replicas", "--set", "mariadb.replicas=3")
    lines = done.stdout.splitlines()
    assert lines[:2] == ["replicas is the number `3`, from the layer `--set`", "  --> --set:1:18"]
    assert lines[2] == "  overrides the number `5`, from the layer `overlays/high-availability`"
    assert lines[3].startswith("  --> overlays/high-availability/overlay.yaml:")
    assert lines[4] == "  the chart's default is the number `3`"
    assert lines[5].startswith("  --> charts/mariadb/values.yaml:")
    assert "  rendered/site-a/openstack/mariadb/statefulset.apps.mariadb-server.yaml" in lines
    assert "    spec.replicas  3 -> 5" in lines


def test_explain_follows_a_provider_to_the_instances_that_are_bound_to_it(shipped_world: World) -> None:
    found = json.loads(shipped_world.run("explain", "site-a", "memcached", "replicas", "-o", "json").stdout)
    assert "spec.replicas" in [effect["field"] for effect in found["reaches"]]
    assert {effect["object"] for effect in found["reachesElsewhere"] if not effect["digest"]} == {
        f"rendered/site-a/{namespace}/{name}/configmap.{name}-{component}.yaml"
        for namespace, name in (("openstack", "keystone"), ("telemetry", "keystone-telemetry"))
        for component in ("api", "bootstrap")
    }


OBJECTS: Final = [
    ("deployment/keystone-api", "-n", "openstack"),
    ("deploy/keystone-api",),
    ("deployments.apps/keystone-api",),
    ("openstack/deployment/keystone-api",),
    ("rendered/site-a/openstack/keystone/deployment.apps.keystone-api.yaml",),
    ("openstack/keystone/deployment.apps.keystone-api.yaml",),
]


@pytest.mark.parametrize("words", OBJECTS, ids=" ".join)
def test_explain_takes_an_object_as_people_write_it(shipped_world: World, words: tuple[str, ...]) -> None:
    done = shipped_world.run("explain", "site-a", words[0], "spec.replicas", *words[1:], "-o", "json")
    found = json.loads(done.stdout)
    assert found["object"] == "rendered/site-a/openstack/keystone/deployment.apps.keystone-api.yaml"
    assert [
        (supply["path"], supply["place"].rpartition(":")[0].rpartition(":")[0]) for supply in found["decidedBy"]
    ] == [
        ("replicas.api", "charts/keystone/values.yaml"),
        ("global.development", "environments/site-a/environment.yaml"),
    ]


@pytest.mark.parametrize(
    ("subject", "path", "says"),
    [
        (
            "job/keystone-bootstrap",
            "spec.backoffLimit",
            "jobs.backoffLimit is the number `10`, from the chart's default",
        ),
        ("deployment/keystone-api", "spec.template.spec.containers[api].ports[0].containerPort", "no value decides it"),
        (
            "deployment/keystone-api",
            "metadata.name",
            '.Release.Name is the string "keystone", from the instance\'s name',
        ),
        ("es/keystone-admin", "spec", "no chart renders it: the compiler writes it"),
        ("keystone", "bindings.database.host", "from the binding of `database` to `mariadb` (the site's default)"),
        ("keystone", "global.region", "from the site, for every chart"),
    ],
)
def test_explain_says_who_decides(shipped_world: World, subject: str, path: str, says: str) -> None:
    done = shipped_world.run("explain", "site-a", subject, path)
    assert (done.returncode, done.stderr) == (0, "")
    assert says in done.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("keystnoe",), "error: the site has no instance `keystnoe`\n  try: `keystone`\n"),
        (("keystone", "replica.api"), "error: `keystone` has no `replica.api`\n  try: `replicas.api`\n"),
        (("deploymnt/x",), "error: the site renders no object of the kind `deploymnt`\n  try: `deployment`\n"),
        (("deployment/keystone-apy",), "error: the site renders no Deployment `keystone-apy`\n  try: `keystone-api`\n"),
        (
            ("deployment/keystone-api", "spec.replica"),
            "error: openstack/Deployment keystone-api has no `spec.replica`\n  try: `spec.replicas`\n",
        ),
        (
            ("deployment/keystone-api", "-n", "openstak"),
            "error: there is no `deployment/keystone-api` in the namespace `openstak`\n"
            "  try: `openstack/deployment/keystone-api`\n",
        ),
        (
            ("rendered/site-a/openstack/keystone/service.keystone-ap.yaml",),
            "error: `rendered/site-a/openstack/keystone/service.keystone-ap.yaml` is no object that the site renders\n"
            "  try: `openstack/keystone/service.keystone-api.yaml`\n",
        ),
    ],
)
def test_explain_suggests_what_is_near(shipped_world: World, words: tuple[str, ...], says: str) -> None:
    done = shipped_world.run("explain", "site-a", *words)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", says)


def test_explain_says_where_a_value_comes_from_though_the_chart_does_not_render(shipped_world: World) -> None:
    done = shipped_world.run("explain", "site-a", "mariadb", "replicas", "--set", "mariadb.replicas=4")
    assert done.returncode == 0
    assert done.stdout.startswith("replicas is the number `4`, from the layer `--set`\n")
    assert "what it reaches cannot be told, for the chart does not render:\nerror: " in done.stdout


def test_list_names_the_environments(shipped_world: World) -> None:
    done = shipped_world.run("list")
    assert done.stdout.splitlines() == ["base (abstract)", "dev", "site-a"]


def test_secrets_lists_what_the_store_must_hold(shipped_world: World) -> None:
    rows = json.loads(shipped_world.run("secrets", "site-a", "--output", "json").stdout)
    paths = {row["path"] for row in rows}
    assert "site-a/openstack/mariadb-telemetry/root" in paths
    assert "site-a/telemetry/keystone-telemetry/database" in paths
    copies = [row for row in rows if row["path"] == "site-a/telemetry/keystone-telemetry/database"]
    assert sorted((row["namespace"], row["secret"]) for row in copies) == [
        ("openstack", "mariadb-telemetry-keystone-telemetry-database"),
        ("telemetry", "keystone-telemetry-database"),
    ]


@pytest.mark.parametrize("form", ["text", "mermaid", "dot", "svg"])
@pytest.mark.parametrize("level", ["instance", "component", "object"])
def test_the_order_can_be_drawn(shipped_world: World, form: str, level: str) -> None:
    done = shipped_world.run("graph", "site-a", "--format", form, "--level", level)
    assert done.returncode == 0, done.stderr
    assert "keystone" in done.stdout


def test_the_story_of_one_object_is_told(shipped_world: World) -> None:
    done = shipped_world.run("graph", "site-a", "--why", "keystone-api")
    assert done.stdout.startswith("openstack/Deployment keystone-api is in wave ")
    assert "because its contract puts it after `bootstrap`\n        --> charts/keystone/component.yaml:" in done.stdout


def test_what_a_stuck_object_blocks_is_listed_for_each_engine(shipped_world: World) -> None:
    found = json.loads(shipped_world.run("graph", "site-a", "--blocks", "memcached-server", "-ojson").stdout)
    assert found == {"object": "openstack/StatefulSet memcached-server", "blocks": {"Argo CD": [], "Flux": []}}
    said = shipped_world.run("graph", "site-a", "--blocks", "statefulset/mariadb-server").stdout
    assert "Flux: if openstack/StatefulSet mariadb-server never becomes healthy" in said
    assert "\n  openstack/Deployment keystone-api\n" in said
    assert "telemetry" not in said


def test_an_unknown_object_is_answered_with_near_names(shipped_world: World) -> None:
    done = shipped_world.run("graph", "site-a", "--blocks", "keystone-apy")
    assert done.returncode == 1
    assert "the site has no object `keystone-apy`" in done.stderr
    assert "`openstack/Deployment keystone-api`" in done.stderr


def test_every_schema_is_printed(world: World) -> None:
    names = world.run("schema").stdout.split()
    assert {"environment.v1", "overlay.v1", "component-overlay.v1", "component.v1", "index.v1"} <= set(names)
    for name in names:
        assert json.loads(world.run("schema", name).stdout)["$schema"].startswith("https://json-schema.org/")


def test_every_rule_has_a_page_with_its_four_parts(world: World) -> None:
    codes = [line.split()[0] for line in world.run("rule").stdout.splitlines()]
    assert len(codes) >= 14
    for code in codes:
        page = world.run("rule", code).stdout
        assert page.startswith(f"{code}: ")
        assert all(part in page for part in ("Check that", "Why it matters:", "Example:", "Use instead:"))


def test_a_mistake_can_be_read_by_machines(shipped_world: World) -> None:
    done = shipped_world.run("site-b", "--output", "json")
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["exitCode"]) == (1, 1)
    assert error["diagnostics"][0]["hint"] == "`site-a`"


def test_a_fault_of_ours_says_so_and_exits_70(tmp_path: Path) -> None:
    """The program is run with its own front door broken, as a bug would break it."""
    (tmp_path / "sitecustomize.py").write_text(
        "import compiler.cli.endings as e\ne.ENDINGS['list'] = lambda *_: 1 / 0\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "compiler", "list"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 70
    assert "ZeroDivisionError" in done.stderr
    assert "This is a bug in oscompile, not in your files." in done.stderr


def test_a_reader_that_goes_away_is_no_error(shipped_world: World) -> None:
    done = subprocess.run(  # noqa: S602 - a pipe of a shell is what is tested
        f"{PROGRAM} graph site-a --format dot | head -1",
        shell=True,
        cwd=shipped_world.root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""


@pytest.mark.parametrize("before", [["-C", "{root}"], ["--directory={root}"], ["-o", "text", "-C", "{root}"]])
def test_options_may_stand_before_the_command(before: list[str], shipped_world: World, tmp_path: Path) -> None:
    words = [word.format(root=shipped_world.root) for word in before]
    done = World(tmp_path).run(*words, "survive", "site-a")
    assert done.returncode == 0
    assert done.stdout.startswith("site-a: 5 hosts")
