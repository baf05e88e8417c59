"""Each rule on a site that keeps it and on sites that break it: the cases are data, in ``cases/<code>.yaml``.

A case gives a site as ``worlds.py`` reads it, and the messages that the rule must say, in full; none for a site that
keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from compiler import validate
from compiler.model.instance import SITE
from compiler.model.manifest import Bundle
from compiler.validate.rule import ELSEWHERE
from tests.validate.worlds import bundle, checked, instance, site

CASES: Final = Path(__file__).parent / "cases"


def cases() -> list[Any]:
    """Every case of every file."""
    return [
        pytest.param(file.stem, case, id=f"{file.stem}-{name}")
        for file in sorted(CASES.glob("*.yaml"))
        for name, case in yaml.safe_load(file.read_text(encoding="utf-8")).items()
    ]


@pytest.mark.parametrize(("code", "case"), cases())
def test_a_rule_says_exactly_what_the_case_expects(code: str, case: Mapping[str, Any], tmp_path: Path) -> None:
    assert said(code, case, tmp_path) == [message.strip() for message in case.get("says", [])]


def said(code: str, given: Mapping[str, Any], repository: Path) -> list[str]:
    """What the rule says of the case, whose last output lies in ``repository``."""
    case = {**given, "repository": repository}
    for name, text in case.get("previous", {}).items():
        path = repository / "rendered" / "s" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    instances = tuple(instance(name, given) for name, given in case["instances"].items())
    bundles = tuple(bundle(instance(name, given), given) for name, given in case["instances"].items())
    found = [
        *validate.inputs(instances),
        *validate.values(instances),
        *(diagnostic for bundle in bundles for diagnostic in validate.Judge.of(site(case), instances)(bundle)),
        *checked(case, instances, (Bundle(SITE, ()), *bundles)),
    ]
    return [str(diagnostic) for diagnostic in found if diagnostic.code == code]


def test_every_rule_has_a_case_that_keeps_it_and_one_that_breaks_it() -> None:
    for code in sorted(validate.RULES.keys() - {rule.code for rule in ELSEWHERE}):
        written = yaml.safe_load((CASES / f"{code}.yaml").read_text(encoding="utf-8")).values()
        assert {bool(case.get("says")) for case in written} == {True, False}, code
