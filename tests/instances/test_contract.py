"""A contract says what it means, and every slip in it is named at its place."""

from __future__ import annotations

import pytest

from compiler.documents import parse_node
from compiler.errors import InputError
from compiler.instances.contract import structure
from compiler.model.chart import Contract, Role

HEAD = "apiVersion: oscompile/v1alpha1\nkind: Component\n"


def contract(text: str) -> Contract:
    """The contract written in ``text``, below the usual head."""
    node = parse_node(HEAD + text, "charts/x/component.yaml")
    assert node is not None
    return structure(node)


def test_a_provision_is_named_for_its_interface_unless_it_says_otherwise() -> None:
    read = contract(
        "provides:\n  mysql: {component: server, port: 3306}\n  replica: {interface: mysql, component: server, port: 3307}\n"
        "components: {server: {role: quorum, replicas: {value: replicas}}}\n"
    )
    assert [provision.interface for provision in read.provides] == ["mysql", "mysql"]
    assert read.components[0].replicas == ("replicas",)


def test_agents_cron_jobs_and_jobs_after_the_rollout_gate_nothing() -> None:
    read = contract(
        "components:\n  api: {role: api}\n  agent: {role: agent}\n  rotate: {role: cron}\n"
        "  sync: {role: job, phase: expand}\n  tidy: {role: job, phase: contract}\n"
    )
    assert {component.name: component.gates for component in read.components} == {
        "api": True,
        "agent": False,
        "rotate": False,
        "sync": True,
        "tidy": False,
    }
    assert read.components[0].role is Role.API


CASES = {
    "an unknown key": (
        "components: {api: {role: api, replica: 3}}\n",
        "error: `components.api` has no key `replica`\n  --> charts/x/component.yaml:3:31\n  try: `replicas`",
    ),
    "an unknown role": (
        "components: {api: {role: aip}}\n",
        'error: `components.api.role` must be one of `"api"`, `"worker"`, `"singleton"`, `"quorum"`, `"agent"`, `"job"`, '
        '`"cron"`, but is the string "aip"\n  --> charts/x/component.yaml:3:26\n  try: `api`',
    ),
    "a singleton without a reason": (
        "components: {api: {role: singleton}}\n",
        "error: `components.api` must have the key `reason`, but does not\n"
        "  --> charts/x/component.yaml:3:19\n  try: `reason: ...`",
    ),
    "a name that no component bears": (
        "provides: {mysql: {component: sever, port: 3306}}\ncomponents: {server: {role: api}}\n",
        "error: the contract names the component `sever`, but has none\n"
        "  --> charts/x/component.yaml:3:19\n  try: `server`",
    ),
    "a secret that is not declared": (
        "requires: {database: {interface: mysql, gate: ready, secret: db}}\ncomponents: {api: {role: api}}\n",
        "error: the contract names the secret `db`, but has none\n  --> charts/x/component.yaml:3:22\n  try: remove it",
    ),
    "several mistakes, all of them told": (
        "components: {api: {role: api, after: [bd-sync]}, db-sync: {role: job, after: [apii]}}\n",
        "error: the contract names the component `bd-sync`, but has none\n"
        "  --> charts/x/component.yaml:3:19\n  try: `db-sync`\n\n"
        "error: the contract names the component `apii`, but has none\n"
        "  --> charts/x/component.yaml:3:59\n  try: `api`",
    ),
}


@pytest.mark.parametrize(("text", "message"), CASES.values(), ids=CASES)
def test_a_mistake_in_a_contract_is_told_with_place_and_suggestion(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        contract(text)
    assert str(caught.value) == message
