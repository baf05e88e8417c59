"""Input that nobody meant to write gets an answer with a place, and never a traceback."""

from __future__ import annotations

from typing import Final

import pytest

from tests.conftest import World
from tests.validate.conftest import ENVIRONMENT

NO_SCHEMAS: Final = {
    "an unknown type": (
        '{"type": "thing"}',
        "`type`: \"thing\" is not valid under any of the schemas listed in the 'anyOf' keyword",
    ),
    "properties that are a list": ('{"properties": []}', '`properties`: [] is not of type "object"'),
    "a list": ("[]", "it is no map"),
    "half of one": ('{"type": ', "it is no JSON (line 1, column 10)"),
    "an empty file": ("", "it is no JSON (line 1, column 1)"),
    "of no known draft": (
        '{"$schema": "https://example.org/mine"}',
        "`$schema` is no draft that is known: https://example.org/mine",
    ),
}


@pytest.mark.parametrize(("schema", "why"), NO_SCHEMAS.values(), ids=NO_SCHEMAS)
def test_a_schema_that_is_none_is_told_with_its_file_once(broken: World, schema: str, why: str) -> None:
    """Two instances of the chart, one mistake."""
    broken.write(
        {
            "environments/site/environment.yaml": f"{ENVIRONMENT}  two: {{chart: app}}\n",
            "charts/app/values.schema.json": schema,
        }
    )
    done = broken.run("validate", "site")
    assert done.returncode == 1
    message = f"error [OS003]: the schema of the chart `app` must be a JSON schema, but is not: {why}\n"
    assert done.stdout.count(f"{message}  --> charts/app/values.schema.json:1:1\n") == 1
    assert "Traceback" not in done.stderr


def test_a_schema_of_another_machine_is_not_fetched(broken: World) -> None:
    broken.write({"charts/app/values.schema.json": '{"$ref": "https://schemas.example.org/x.json"}'})
    said = broken.run("validate", "site").stdout
    assert "refers to https://schemas.example.org/x.json, and a compile asks no network" in said


def test_an_object_without_a_kind_is_told_at_its_template(broken: World) -> None:
    broken.write({"charts/app/templates/x.yaml": "apiVersion: v1\nmetadata: {name: app-x}\n"})
    done = broken.run("validate", "site")
    assert done.returncode == 1
    assert (
        "a rendered object must have the key `kind`, but has none\n  --> charts/app/templates/x.yaml:1:1" in done.stdout
    )


def test_a_list_of_a_hundred_thousand_values_is_read_and_judged(broken: World) -> None:
    """One of them is a credential, and is found."""
    values = ENVIRONMENT.replace("{chart: app}", "\n    chart: app\n    values:\n      list:")
    items = "".join(f"        - item-{number}\n" for number in range(100_000))
    broken.write({"environments/site/environment.yaml": f"{values}{items}        - amqp://a:hunter2@b/\n"})
    said = broken.run("validate", "site").stdout
    place = "--> environments/site/environment.yaml:100011:11"
    assert f"`list[100000]` of `app` holds a credential in plain text\n  {place}" in said


def test_of_a_hundred_thousand_mistakes_of_one_document_the_first_are_told(broken: World) -> None:
    line = "  - {rule: OS044, object: openstack/Job app-%d, expires: 2027-03-31}\n"
    broken.write(
        {"environments/site/environment.yaml": ENVIRONMENT + "waivers:\n" + "".join(line % n for n in range(100_000))}
    )
    said = broken.run("validate", "site", "--all").stdout
    assert "the environment has more mistakes of this kind: the first 1000 are told" in said
    assert (
        "`waivers[999]` must have the key `reason`, but does not\n  --> environments/site/environment.yaml:1008:5"
        in said
    )
