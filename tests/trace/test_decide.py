"""Which values decide a field: the cases of ``deciders.yaml``, and what is true of the charts that we ship."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from compiler.model.manifest import ObjectId
from compiler.model.node import dotted
from compiler.model.trace import Cause, Given
from compiler.trace.search import decide
from compiler.trace.written import written
from tests.trace.conftest import MakeExperiment, shipped

CASES: Final = yaml.safe_load(Path(__file__).with_name("deciders.yaml").read_text(encoding="utf-8"))
IT: Final = ObjectId("ns", "ConfigMap", "", "it")
HEAD: Final = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: it\n  namespace: {{ .Release.Namespace }}\ndata:\n  "


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_what_decides_a_field_is_found(case: Mapping[str, Any], experiment: MakeExperiment) -> None:
    values = {**case["values"], **{f"v{number}": number for number in range(case.get("many", 0))}}
    tried = experiment({**case.get("files", {}), "templates/it.yaml": HEAD + case["data"]}, yaml.safe_dump(values))
    target = (IT, tuple(case["field"].split(".")))
    found = decide(tried, [target])[target]
    assert [named(cause) for cause in found.causes] == case["decided"]
    assert [named(cause) for cause in found.untold] == case.get("untold", [])
    if "written" in case:
        place = written(tried, target)
        assert place is not None
        assert f"{place.file}:{place.line}" == case["written"]


def test_many_fields_share_their_renders(experiment: MakeExperiment) -> None:
    data = "\n  ".join(f"f{number}: {{{{ .Values.v{number} }}}}" for number in range(40))
    tried = experiment(
        {"templates/it.yaml": HEAD + data}, yaml.safe_dump({f"v{number}": number for number in range(40)})
    )
    targets = [(IT, ("data", f"f{number}")) for number in range(40)]
    found = decide(tried, targets)
    assert [found[target].causes for target in targets] == [((f"v{number}",),) for number in range(40)]


def test_a_bound_on_renders_is_kept_and_said(experiment: MakeExperiment) -> None:
    tried = experiment({"templates/it.yaml": HEAD + "a: {{ .Values.b }}"}, "{a: 1, b: 2, c: 3, d: 4}")
    tried.left = 2
    found = decide(tried, [(IT, ("data", "a"))])[IT, ("data", "a")]
    assert (found.complete, tried.left) == (False, 0)


def test_a_site_of_the_portfolio_names_the_values_that_count_its_pods() -> None:
    tried = shipped("keystone")
    target = (ObjectId("openstack", "Deployment", "apps", "keystone-api"), ("spec", "replicas"))
    assert [named(cause) for cause in decide(tried, [target])[target].causes] == ["replicas.api", "global.development"]


@pytest.mark.parametrize("name", ["keystone", "mariadb", "memcached", "rabbitmq"])
def test_a_narrowed_experiment_finds_what_the_whole_one_finds(name: str) -> None:
    whole, narrow = shipped(name), shipped(name)
    workload = next(found.id for found in whole.base if found.id.kind in {"Deployment", "StatefulSet"})
    target = (workload, ("spec", "replicas"))
    narrow.narrow(found.template for found in whole.base if found.id == workload)
    assert set(decide(whole, [target])[target].causes) == set(decide(narrow, [target])[target].causes)


def named(cause: Cause) -> str:
    """A cause as people write it."""
    return cause.value if isinstance(cause, Given) else dotted(cause)
