"""Which fields a value reaches."""

from __future__ import annotations

from typing import Final

import pytest

from compiler.model.names import InstanceName
from compiler.model.trace import Given
from compiler.trace.reach import reach
from tests.trace.conftest import MakeExperiment, shipped

DEMO: Final = InstanceName("demo")
HEAD: Final = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it, namespace: ns}\ndata:\n  "
WORKLOAD: Final = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: conf, namespace: ns}
data:
  app.ini: |
    [app]
    size = {{ .Values.size }}
    name = {{ .Values.name }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: sync-{{ .Values.size | toString | sha256sum | trunc 10 }}
  namespace: ns
spec:
  template:
    metadata: {annotations: {checksum/config: "{{ .Values.size | toString | sha256sum }}"}}
    spec: {containers: [{name: main, image: x}, {name: side, image: "{{ .Values.name }}"}]}
"""


def fields(made: MakeExperiment, template: str, values: str, *path: str | int) -> list[str]:
    """The fields that are reached, those of digests with an asterisk."""
    found = reach(made({"templates/it.yaml": template}, values), DEMO, path)
    return [f"{effect.field}{'*' * effect.digest}{list(effect.lines) or ''}" for effect in found.effects]


def test_a_line_of_a_text_and_digests_of_it_are_told_apart(experiment: MakeExperiment) -> None:
    found = fields(experiment, WORKLOAD, "{size: 3, name: a}", "size")
    assert [(name.split()[1], name.split(maxsplit=2)[2]) for name in found] == [
        ("conf", "data.app.ini[2]"),
        (found[1].split()[1], "metadata.name*"),
        (found[1].split()[1], "spec.template.metadata.annotations.checksum/config*"),
    ]


def test_a_renamed_object_is_the_same_object(experiment: MakeExperiment) -> None:
    found = fields(experiment, WORKLOAD, "{size: 3, name: a}", "name")
    assert [name.split(maxsplit=2)[2] for name in found] == [
        "data.app.ini[3]",
        "spec.template.spec.containers[1].image",
    ]


def test_objects_whose_names_are_a_value_are_matched(experiment: MakeExperiment) -> None:
    template = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Values.name }}-it', namespace: ns}\ndata: {a: b}\n"
    )
    assert fields(experiment, template, "{name: a}", "name") == ["ns/ConfigMap a-it metadata.name"]


def test_an_item_that_comes_first_does_not_make_the_others_change(experiment: MakeExperiment) -> None:
    template = (
        HEAD + "a: b\nitems:\n{{ if .Values.enabled }}- {name: x}\n{{ end }}- {name: y, v: 1}\n- {name: z, v: 2}\n"
    )
    assert fields(experiment, template, "{enabled: true}", "enabled") == ["ns/ConfigMap it items[0]"]


def test_all_alternatives_count(experiment: MakeExperiment) -> None:
    """The field shows only where the number is zero."""
    template = HEAD + "a: b{{ if not .Values.count }}\n  none: yes{{ end }}\n"
    assert fields(experiment, template, "{count: 3}", "count") == ["ns/ConfigMap it data.none"]


def test_a_map_reaches_what_its_values_reach(experiment: MakeExperiment) -> None:
    template = HEAD + "a: {{ .Values.m.x }}\n  b: {{ .Values.m.z }}\n  c: {{ .Values.count }}\n"
    assert fields(experiment, template, "{m: {x: 1, z: z}, count: 2}", "m") == [
        "ns/ConfigMap it data.a",
        "ns/ConfigMap it data.b",
    ]


def test_a_value_that_nothing_reads_reaches_nothing(experiment: MakeExperiment) -> None:
    assert fields(experiment, HEAD + "a: {{ .Values.count }}", "{count: 1, m: 2}", "m") == []


@pytest.mark.parametrize("name", ["keystone", "mariadb", "memcached", "rabbitmq"])
def test_changing_everything_that_reaches_nothing_changes_nothing(name: str) -> None:
    """The property that makes a trace worth something, on every chart that we ship."""
    tried = shipped(name)
    values = [cause for cause in tried.causes() if not isinstance(cause, Given)]
    idle = [path for path in values if tried.changes([path]) == ()]
    assert tried.changes(idle) == ()
    assert len(idle) < len(values) / 2
