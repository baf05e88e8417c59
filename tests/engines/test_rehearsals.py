"""What an engine does, sentence by sentence: one case, one file, with the files that it is given and what happens."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from compiler.engines import Rehearsal
from compiler.engines.argocd import ArgoCD
from compiler.engines.files import revision
from compiler.model.manifest import ObjectId, Reference

if TYPE_CHECKING:
    from pytest_golden.plugin import GoldenTestFixture

    from compiler.engines import Stuck

HERE = Path(__file__).parent
_OBJECT = re.compile(r"(?:(?P<namespace>[^/ ]+)/)?(?P<kind>\w+)(?:\.(?P<group>[\w.-]+))? (?P<name>\S+)")


def identity(text: str) -> ObjectId:
    """``openstack/Deployment.apps keystone-api``."""
    match = _OBJECT.fullmatch(text)
    assert match, text
    return ObjectId(match["namespace"] or "", match["kind"], match["group"] or "", match["name"])


def given(texts: Sequence[str]) -> list[Reference]:
    """What exists from the beginning."""
    found = [identity(text) for text in texts]
    return [Reference(one.kind, one.namespace, one.name) for one in found]


def shown(stuck: Stuck) -> Iterator[str]:
    """What is stuck, a line each."""
    for one, reasons in stuck.unhealthy.items():
        yield f"{one} is not healthy{': ' if reasons else ''}{'; '.join(reasons)}"
    for one, name in stuck.absent.items():
        yield f"{one} is not applied by {name}"
    for circle in stuck.circles:
        yield f"circle: {' -> '.join(map(str, circle))}"


def asked(engine: ArgoCD, step: Mapping[str, Any]) -> None:
    """What a user tells Argo CD."""
    for name, only in step.get("asks", {}).items():
        engine.ask(name, [identity(one) for one in only])
    if "confirms" in step:
        engine.confirm(step["confirms"])


def large(files: Mapping[str, str | None]) -> dict[str, str | None]:
    """The files of a case, with what is too large to be read by people."""
    return {path: text and text.replace("@LARGE@", "x" * 262_144) for path, text in files.items()}


def play(case: Mapping[str, Any]) -> str:
    """The whole case, as text."""
    files = {path: text for path, text in large(case["files"]).items() if text is not None}
    first = revision("commit 1", files)
    roots = [one for path in case["apply"] for one in first.files[path]]
    begin = partial(Rehearsal.argocd, assesses=bool(case.get("assesses")))
    rehearsal = (begin if case["engine"] == "argocd" else Rehearsal.flux)(first, roots, given(case.get("given") or []))
    for one in case.get("broken") or []:
        rehearsal.cluster.fail(identity(one))
    rehearsal.cluster.bound.update(identity(one) for one in case.get("bound") or [])
    lines = [str(entry) for entry in rehearsal.run()]
    lines += shown(rehearsal.stuck())
    for number, step in enumerate(case.get("then") or [], 2):
        lines.append(f"--- {', '.join(step)}")
        if "commit" in step:
            files = {path: text for path, text in {**files, **large(step["commit"])}.items() if text is not None}
        if "fails" in step:
            rehearsal.cluster.fail(identity(step["fails"]))
        if "heals" in step:
            rehearsal.cluster.broken.discard(identity(step["heals"]))
        if "expires" in step:
            lines += [f"the cluster deletes {one}" for one in rehearsal.cluster.expire()]
        if "drifts" in step:
            rehearsal.cluster.delete(identity(step["drifts"]))
        if isinstance(rehearsal.engine, ArgoCD):
            asked(rehearsal.engine, step)
        if "power" in step:
            lines += [f"{one} starts in turn {turn}" for one, turn in sorted(rehearsal.lose_power().items())]
        changed = revision(f"commit {number}", files) if "commit" in step else None
        lines += [str(entry) for entry in rehearsal.run(changed)]
        lines += shown(rehearsal.stuck())
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.golden_test("argocd/*.yaml", "flux/*.yaml", "incidents/*.yaml")
def test_what_an_engine_does(golden: GoldenTestFixture) -> None:
    """Each case says one sentence about an engine; the log shows that the model does so."""
    golden.get("says"), golden.get("fact")
    assert (
        play(
            {
                key: golden.get(key)
                for key in ("engine", "files", "apply", "given", "broken", "bound", "assesses", "then")
            }
        )
        == golden.out["happens"]
    )


def test_every_fact_has_a_case_and_every_case_a_fact() -> None:
    """Facts about plays have cases as data; the others name the test, or the case of a rule, that holds them."""
    facts = yaml.safe_load((HERE / "facts.yaml").read_text(encoding="utf-8"))
    cases = {yaml.safe_load(path.read_text(encoding="utf-8"))["fact"] for path in HERE.glob("*/*.yaml") if held(path)}
    told = {name: fact for engine in facts.values() for name, fact in engine.items()}
    assert cases == {name for name, fact in told.items() if isinstance(fact, str)}
    for fact in (fact for fact in told.values() if not isinstance(fact, str)):
        path, _, name = fact["test"].partition("::")
        assert name in (HERE.parent.parent / path).read_text(encoding="utf-8")


def held(path: Path) -> bool:
    """Whether a file is a case of this module."""
    return path.parent.name in {"argocd", "flux", "incidents"}
