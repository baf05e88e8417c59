"""Who answers for what the rules found: waivers of the site, exemptions of the charts' contracts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from compiler.documents.schema import nearest
from compiler.model.diagnostic import Diagnostic
from compiler.model.instance import Instance
from compiler.model.manifest import Bundle, Manifest, ObjectId
from compiler.model.names import InstanceName
from compiler.model.report import Excused, Exemption, Report, Waiver
from compiler.model.site import Site
from compiler.validate.rule import RULES

_DIGEST: Final = re.compile(r"-[0-9a-f]{10}$")
_PASSING: Final = frozenset({"OS017", "OS057"})
"""The rules that compare with the last output: what they refused once is the last output after that."""

_SUGGESTED: Final = 20
"""To how many waivers for objects that do not exist the nearest object is searched: each search looks at all."""

_Charted: TypeAlias = Mapping[tuple[InstanceName, str], list[Exemption]]


def settle(
    site: Site, instances: tuple[Instance, ...], bundles: tuple[Bundle, ...], findings: Iterable[Diagnostic]
) -> Report:
    """The report on ``findings``: each stands, or is excused by the first waiver or exemption that is about it.

    A waiver is about a finding of its rule on its object (and container, where it names one). Adds an error, with the
    waiver's place, for each that names no rule, names no object of the site, or excuses nothing: whatever it was
    written for is gone, and it would hide the next mistake.
    """
    objects = {str(manifest.id): manifest for bundle in bundles for manifest in bundle.manifests}
    waivers, charted = _by_subject(site.waivers), _exemptions(instances)
    standing: list[Diagnostic] = []
    excused: list[Excused] = []
    for finding in sorted(set(findings), key=Diagnostic.sort_key):
        by = _waiver(finding, waivers) or _exemption(finding, objects, charted)
        if by is None:
            standing.append(finding)
        else:
            excused.append(Excused(finding, by))
    used = {each.by for each in excused}
    standing += _mistaken([waiver for waiver in site.waivers if waiver not in used], objects)
    standing += _unknown(exemption for listed in charted.values() for exemption in listed)
    return Report(site.name, tuple(sorted(set(standing), key=Diagnostic.sort_key)), tuple(excused))


def standing(site: Site, instances: tuple[Instance, ...], findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Those of ``findings`` that nobody answers for, where not all of the site is rendered.

    Which component an object is of is not known then: an exemption of the rule speaks for the whole instance.
    """
    waivers, charted = _by_subject(site.waivers), _exemptions(instances)
    return tuple(
        each
        for each in findings
        if _waiver(each, waivers) is None and (each.field is None or (each.field.instance, each.code) not in charted)
    )


def expired(report: Report, today: str) -> tuple[Diagnostic, ...]:
    """An error for each waiver of ``report`` whose day was before ``today`` (a date, year first)."""
    waivers = sorted({each.by for each in report.excused if isinstance(each.by, Waiver)}, key=lambda each: each.origin)
    return tuple(
        Diagnostic(
            f"the waiver of {waiver.rule} for `{waiver.about}` expired on {waiver.expires}: {waiver.reason}",
            waiver.origin,
            f"what `oscompile rule {waiver.rule}` says; or a new date, and the reason why it took longer",
        )
        for waiver in waivers
        if waiver.expires < today
    )


def _by_subject(waivers: Iterable[Waiver]) -> Mapping[tuple[str, str], list[Waiver]]:
    found: dict[tuple[str, str], list[Waiver]] = defaultdict(list)
    for waiver in waivers:
        found[waiver.rule, waiver.about].append(waiver)
    return found


def _exemptions(instances: tuple[Instance, ...]) -> _Charted:
    found: dict[tuple[InstanceName, str], list[Exemption]] = defaultdict(list)
    for instance in instances:
        for exemption in instance.chart.contract.exemptions if instance.chart.contract else ():
            found[instance.name, exemption.rule].append(exemption)
    return found


def _names(identity: ObjectId) -> tuple[str, str]:
    """How a waiver may write the object: as it is, and without the digest of what it runs."""
    whole = str(identity)
    return whole, _DIGEST.sub("-*", whole)


def _waiver(finding: Diagnostic, waivers: Mapping[tuple[str, str], list[Waiver]]) -> Waiver | None:
    names = _names(finding.field.object) if finding.field is not None else (finding.value,)
    named = (waiver for name in names if name for waiver in waivers.get((finding.code, name), ()))
    return next((waiver for waiver in named if waiver.container in {"", finding.container}), None)


def _exemption(finding: Diagnostic, objects: Mapping[str, Manifest], charted: _Charted) -> Exemption | None:
    if finding.field is None:
        return None
    manifest = objects.get(str(finding.field.object))
    component = manifest.component if manifest is not None else None
    listed = charted.get((finding.field.instance, finding.code), ())
    of_component = (exemption for exemption in listed if exemption.component == component)
    return next((exemption for exemption in of_component if exemption.container in {"", finding.container}), None)


def _mistaken(unused: list[Waiver], objects: Mapping[str, Manifest]) -> Iterator[Diagnostic]:
    written = {name for manifest in objects.values() for name in _names(manifest.id)}
    suggested = 0
    for waiver in unused:
        if waiver.rule not in RULES:
            yield from _unknown([waiver])
        elif waiver.object and waiver.object not in written:
            suggested += 1
            hint = nearest_object(waiver.object, objects) if suggested <= _SUGGESTED else ""
            message = f"a waiver of {waiver.rule} is for `{waiver.object}`, but the site has no such object"
            yield Diagnostic(message, waiver.origin, hint or "remove it")
        elif waiver.rule not in _PASSING:
            container = f", container `{waiver.container}`" if waiver.container else ""
            message = f"the waiver of {waiver.rule} for `{waiver.about}`{container} excuses nothing: the rule is kept"
            yield Diagnostic(message, waiver.origin, "remove it")


def _unknown(excuses: Iterable[Waiver | Exemption]) -> Iterator[Diagnostic]:
    for excuse in excuses:
        if excuse.rule not in RULES:
            what = "a waiver" if isinstance(excuse, Waiver) else "an exemption"
            message = f"{what} names the rule `{excuse.rule}`, but there is no rule of that code"
            yield Diagnostic(message, excuse.origin, f"{nearest_code(excuse.rule)}; `oscompile rule` lists them")


def nearest_code(wanted: str) -> str:
    """The rule that ``wanted`` was probably meant to be, as a hint."""
    digits = "".join(filter(str.isdigit, wanted))
    exact = f"OS{digits.zfill(3)}"
    return f"`{exact}`" if exact in RULES else nearest(wanted.upper(), list(RULES))


def nearest_object(wanted: str, objects: Iterable[str]) -> str:
    """The object that ``wanted`` was probably meant to be, as a hint; how one is written, where none is near."""
    hint = nearest(wanted, list(objects))
    return "`<namespace>/<Kind> <name>`, as messages write it" if hint.startswith("one of ") else hint
