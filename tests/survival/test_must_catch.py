"""What the table and the rules must catch: ``must_catch.yaml``, each fault beside a site without it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from compiler import survival, validate
from compiler.model.instance import SITE
from compiler.model.manifest import Bundle
from compiler.model.topology import HOSTNAME, ZONE
from tests.validate.worlds import bundle, checked, instance, site

CASES: Final = yaml.safe_load(Path(__file__).with_name("must_catch.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_table_and_the_rules_catch_it(case: Mapping[str, Any], tmp_path: Path) -> None:
    table, says = found({**case, "repository": tmp_path})
    assert says == case.get("says", [])
    assert table == case.get("table", "")


def found(case: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The row of the members, blanks made one; and what the rules of survival say."""
    given = rendered(case)
    one, bundles = instance("app", given), (Bundle(SITE, ()), bundle(instance("app", given), given))
    survey = survival.survey(site(case), (one,), bundles, pairs=case.get("pairs", False))
    rows = [" ".join(line.split()) for line in survival.text(survey).splitlines()]
    said = (each for each in checked(case, (one,), bundles) if each.code in validate.SURVIVAL)
    row = next((line for line in rows if line.startswith("app/server ")), "")
    return row, [f"{each.code}: {each.message}" for each in said if each.severity.value == "error"]


def rendered(case: Mapping[str, Any]) -> dict[str, Any]:
    """The instance of a case: the members, their budget, and what else is on the hosts."""
    members = case["members"]
    objects = [workload("StatefulSet", "server", members)]
    if "budget" in members:
        spec = {"selector": {"matchLabels": labels("server")}, **members["budget"]}
        head = {"name": "app-server", "labels": labels("server")}
        objects.append({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": head, "spec": spec})
    if "others" in case:
        objects.append(workload("Deployment", "worker", case["others"]))
    return {"components": {"server": "quorum", "worker": "singleton"}, "renders": objects}


def workload(kind: str, component: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """A workload of equal pods, as far as the scheduler cares."""
    pod: dict[str, Any] = {"containers": [{"name": "c", "resources": {"requests": requests(given)}}]}
    term = {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": labels(component)}}
    if "apart" in given:
        weighed = term if given["apart"] == "required" else {"weight": 100, "podAffinityTerm": term}
        pod["affinity"] = {"podAntiAffinity": {f"{given['apart']}DuringSchedulingIgnoredDuringExecution": [weighed]}}
    if given.get("zones"):
        spread = {**term, "topologyKey": ZONE, "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
        pod["topologySpreadConstraints"] = [spread]
    spec: dict[str, Any] = {
        "replicas": given["replicas"],
        "selector": {"matchLabels": labels(component)},
        "template": {"metadata": {"labels": labels(component)}, "spec": pod},
    }
    if "class" in given:
        claim = {"storageClassName": given["class"], "resources": {"requests": {"storage": "1Gi"}}}
        spec["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": claim}]
    head = {"name": f"app-{component}", "labels": labels(component)}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": head, "spec": spec}


def requests(given: Mapping[str, Any]) -> dict[str, str]:
    """What each pod asks for."""
    return {"cpu": "100m", "memory": given.get("memory", "64Mi")}


def labels(component: str) -> dict[str, str]:
    """The labels of the pods of a component."""
    names = {"name": "app", "instance": "app", "component": component}
    return {f"app.kubernetes.io/{key}": value for key, value in names.items()}
