"""What a rule is, and the list of all of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

from compiler.documents.schema import FORGETFUL, Memory
from compiler.engines import Emitted
from compiler.model.chart import Role
from compiler.model.data import Data
from compiler.model.diagnostic import Diagnostic, Related, Severity
from compiler.model.instance import Instance
from compiler.model.manifest import Bundle, Field, Manifest, ObjectId
from compiler.model.names import InstanceName, NamespaceName
from compiler.model.node import Origin, ScalarNode
from compiler.model.plan import Plan
from compiler.model.site import Site
from compiler.survival import Survey
from compiler.validate.pods import Pod, pod
from compiler.validate.schemas import NO_DEFINITIONS, Definitions, rendered

_DEFINITION: Final = "CustomResourceDefinition"


@dataclass(frozen=True, slots=True)
class Owner:
    """What the rules need to know of an instance to judge what it rendered. Small, and picklable.

    ``contracted`` is whether the chart ships a contract of its own, and so has promised to keep the rules of contracts;
    one that a site wrote for somebody else's chart promises nothing on that chart's behalf. ``agents`` are its
    components of that role, ``reloading`` those that load a renewed certificate by themselves; ``registries`` are those
    that the site allows, none where it allows all; ``default_credentials`` is whether the site accepts those that the
    chart has by default; ``release`` is that of OpenStack which it runs, ``configuration`` the files of oslo.config
    that its contract declares, with the service of each.
    """

    name: InstanceName
    namespace: NamespaceName
    chart_path: str
    contracted: bool
    kubernetes: str = ""
    agents: frozenset[str] = frozenset()
    reloading: frozenset[str] = frozenset()
    registries: tuple[str, ...] = ()
    default_credentials: bool = False
    release: str = ""
    configuration: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, instance: Instance, site: Site) -> Owner:
        """The owner that ``instance`` is."""
        contract = instance.chart.contract
        components = contract.components if contract is not None else ()
        return cls(
            name=instance.name,
            namespace=instance.namespace,
            chart_path=instance.chart.path,
            contracted=contract is not None and contract.shipped,
            kubernetes=site.kubernetes.version,
            agents=frozenset(each.name for each in components if each.role is Role.AGENT),
            reloading=frozenset(each.name for each in components if each.reload),
            registries=site.registries,
            default_credentials=instance.default_credentials,
            release=_release(instance),
            configuration=tuple((file.name, file.service) for file in contract.configuration) if contract else (),
        )


def _release(instance: Instance) -> str:
    """The release that an instance runs, as ``common.release`` of our charts finds it."""
    for path in (("image", "release"), ("global", "release")):
        node = instance.values.get(*path)
        if isinstance(node, ScalarNode) and node.value:
            return str(node.value)
    return instance.chart.app_version


@dataclass(frozen=True, slots=True)
class Subject:
    """One instance and what it rendered.

    ``vendored`` are the definitions of custom kinds that the repository brings along for every site.
    """

    owner: Owner
    bundle: Bundle
    vendored: Definitions = NO_DEFINITIONS
    _read: dict[ObjectId | None, Any] = field(default_factory=dict, compare=False, repr=False)

    def origin(self, manifest: Manifest) -> Origin:
        """The template that rendered ``manifest``, as a file of the repository."""
        _, _, below = manifest.template.partition("/")
        return Origin(f"{self.owner.chart_path}/{below}" if below else manifest.template)

    def data(self, manifest: Manifest) -> dict[str, Data]:
        """The whole object as data, read once however many rules ask; nobody may change it."""
        if manifest.id not in self._read:
            self._read[manifest.id] = manifest.data()
        return cast("dict[str, Data]", self._read[manifest.id])

    @property
    def definitions(self) -> Definitions:
        """The custom kinds that are defined in what it rendered, or by the repository."""
        if None not in self._read:
            own = rendered(self.data(each) for each in self.bundle.manifests if each.id.kind == _DEFINITION)
            self._read[None] = Definitions({**self.vendored.served, **own.served})
        return cast("Definitions", self._read[None])

    def defines(self, manifest: Manifest) -> bool:
        """Whether the kind of ``manifest`` is among its ``definitions``."""
        return f"{manifest.api_version}/{manifest.id.kind}" in self.definitions.served

    def pods(self) -> Iterator[tuple[Manifest, Pod]]:
        """Every object that makes pods, with the template of those."""
        for manifest in self.bundle.manifests:
            made = pod(manifest.id.group, manifest.id.kind, self.data(manifest)) if manifest.workload else None
            if made is not None:
                yield manifest, made

    def field(self, manifest: Manifest, *path: str | int) -> Field:
        """The field of ``manifest`` at ``path``, for a finding on it."""
        return Field(self.owner.name, manifest.id, path)


NOTHING: Final = Emitted("")
"""What the engines read of a site that nothing delivers."""


@dataclass(frozen=True, slots=True)
class View:
    """A whole rendered site.

    ``emitted`` is what the engines will read of it, delivery objects and all; ``memory`` is asked before what is slow
    to find out, with a key that holds all that it depends on.
    """

    site: Site
    instances: tuple[Instance, ...]
    subjects: tuple[Subject, ...]
    site_bundle: Bundle
    plan: Plan
    survey: Survey
    emitted: Emitted = NOTHING
    memory: Memory = FORGETFUL

    def owner(self, name: str) -> Subject | None:
        """The subject that is the instance ``name``."""
        return next((subject for subject in self.subjects if subject.owner.name == name), None)

    @property
    def definitions(self) -> Definitions:
        """The custom kinds that any of its charts defines."""
        return Definitions({key: text for each in self.subjects for key, text in each.definitions.served.items()})


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check reports; the rule adds its code and severity.

    ``origin`` is the best place that the check knows; where it gives the ``field`` of the rendered object, the value
    that decides that field is found later, and becomes the place. A waiver finds it by that field's object, and by the
    ``container`` where it is about one. ``severity`` is the rule's unless the check knows better; ``related`` are other
    places that belong to it.
    """

    message: str
    origin: Origin | None
    hint: str = ""
    field: Field | None = None
    container: str = ""
    severity: Severity | None = None
    related: tuple[Related, ...] = ()


class Judged(StrEnum):
    """When it is found out whether a rule is kept."""

    COMPILE = "in each compile"
    RENDER = "while a chart is rendered and read, in each compile"
    TESTS = "by the tests of the charts; a compile cannot see it"


On = TypeVar("On", Instance, Subject, View)
Check = Callable[[On], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Rule(Generic[On]):
    """A rule: its code, what it is called, how it is checked, and its page.

    ``promise`` is true of what only charts with a contract have promised: of any other chart, breaking it is a warning.
    What is false of it a cluster would refuse, or a person regret, whoever wrote the chart.
    """

    code: str
    title: str
    severity: Severity
    check: Check[On]
    promise: bool = False
    judged: Judged = Judged.COMPILE

    @property
    def page(self) -> str:
        """What it checks, why it matters, an example, and what to do instead; how severe it is, when it is judged."""
        severity = f"{self.severity}; a warning for charts without a contract of their own" if self.promise else ""
        head = f"{self.code}: {self.title} ({severity or self.severity})"
        return f"{head}\n\n{inspect.getdoc(self.check)}\n\nJudged: {self.judged}.\n"

    def run(self, on: On) -> Iterator[Diagnostic]:
        """Every place where ``on`` breaks the rule."""
        for finding in self.check(on):
            yield Diagnostic(
                finding.message,
                finding.origin,
                finding.hint,
                finding.related,
                code=self.code,
                severity=finding.severity or self.severity,
                field=finding.field,
                container=finding.container,
            )


AnyRule: TypeAlias = "Rule[Instance] | Rule[Subject] | Rule[View]"

RULES: Final[dict[str, AnyRule]] = {}
"""Every rule by its code. Filled by the modules of ``rules/``."""

SCHEMA_RULES: Final[list[Rule[Instance]]] = []
"""Rules on values that Helm checks too: run to find the places when it has refused."""

ELSEWHERE: Final[list[Rule[Instance]]] = []
"""Rules that another room cannot help but enforce; they have their pages here."""

INPUT_RULES: Final[list[Rule[Instance]]] = []
BUNDLE_RULES: Final[list[Rule[Subject]]] = []
SITE_RULES: Final[list[Rule[View]]] = []


def rule(  # noqa: PLR0913 - the head of a rule's page, each named where it is not obvious
    into: list[Rule[On]],
    code: str,
    title: str,
    severity: Severity = Severity.ERROR,
    *,
    promise: bool = False,
    judged: Judged = Judged.COMPILE,
) -> Callable[[Check[On]], Check[On]]:
    """Register the decorated check as the rule ``code``, on whatever the list ``into`` is about.

    A rule that looks in two places has two checks under one code and title; its page is the first one's. Two rules of
    one code are a bug.
    """

    def register(check: Check[On]) -> Check[On]:
        made = Rule(code, title, severity, check, promise, judged)
        into.append(made)
        assert RULES.setdefault(code, made).title == title, f"two rules are called {code}"  # noqa: S101 - our own bug
        return check

    return register
