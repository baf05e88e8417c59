"""What the rules came to: what stands, and what somebody has answered for."""

from __future__ import annotations

from dataclasses import dataclass

from compiler.model.diagnostic import Diagnostic, Severity
from compiler.model.names import EnvironmentName
from compiler.model.node import Origin


@dataclass(frozen=True, slots=True)
class Waiver:
    """Somebody's word that a rule may be broken by one object, why, and until when.

    ``object`` is written as messages write it (``openstack/DaemonSet ovs``); a name that ends in ``-*`` stands for the
    digest that a Job's name ends in. In its place, ``value`` is one that nothing is rendered from, as ``--set`` writes
    it (``keystone.replicaCount``). ``expires`` is a date, year first: such dates compare as text does.
    """

    rule: str
    object: str
    reason: str
    expires: str
    origin: Origin
    container: str = ""
    value: str = ""

    @property
    def about(self) -> str:
        """The object, or the value, that it is for."""
        return self.object or self.value


@dataclass(frozen=True, slots=True)
class Exemption:
    """A chart's own word that a rule cannot be kept by one of its components, and why: part of its contract."""

    rule: str
    component: str
    reason: str
    origin: Origin
    container: str = ""


@dataclass(frozen=True, slots=True)
class Excused:
    """A finding that stops nothing, and who answers for it."""

    finding: Diagnostic
    by: Waiver | Exemption


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the rules say of one site: ``findings`` stand, ``excused`` are answered for, both in order."""

    site: EnvironmentName
    findings: tuple[Diagnostic, ...] = ()
    excused: tuple[Excused, ...] = ()

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """What stops a compile."""
        return tuple(found for found in self.findings if found.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is said and stops nothing."""
        return tuple(found for found in self.findings if found.severity is Severity.WARNING)
