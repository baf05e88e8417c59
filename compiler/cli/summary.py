"""What a person reads when a compile is done, and what a machine reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from compiler.cli.terminal import Terminal
from compiler.model.data import Data
from compiler.pipeline import Compiled, Delivered, Ending

_SHOWN: Final = 6


@dataclass(frozen=True, slots=True)
class Summary:
    """One finished compile."""

    compiled: Compiled
    delivered: Delivered
    ending: Ending
    seconds: float

    def text(self, terminal: Terminal) -> str:
        """A few lines: what there is, in which order it comes, what changed, where it lies, what to do next."""
        site = self.compiled.site
        kind = " (development)" if site.development else ""
        head = f"{terminal.bold(site.name)}{kind} compiled in {self.seconds:.2f} s"
        rows = [f"  {terminal.dim(f'{name:<10}')} {value}" for name, value in self._rows() if value]
        return "\n".join([head, *rows])

    def _rows(self) -> Iterator[tuple[str, str]]:
        compiled = self.compiled
        objects = sum(len(bundle.manifests) for bundle in compiled.bundles)
        namespaces = {instance.namespace for instance in compiled.instances}
        yield "instances", f"{_count(len(compiled.instances), 'instance')} in {_count(len(namespaces), 'namespace')}"
        yield "objects", f"{_count(objects, 'object')} in {_count(compiled.plan.last + 1, 'wave')}"
        yield "excused", self._excused()
        yield "critical", " -> ".join(str(vertex) for vertex in compiled.plan.critical_path)
        yield "changes", self._changes()
        yield "output", compiled.site.delivery.output
        yield "commit", self.delivered.commit or ""
        yield "next", self._next()

    def _excused(self) -> str:
        """What somebody answers for, where anybody does."""
        count = len(self.compiled.report.excused)
        site = self.compiled.site.name
        return f"{_count(count, 'finding')}; oscompile validate {site} says who answers for what" if count else ""

    def _changes(self) -> str:
        changes = self.delivered.changes
        if not changes:
            return f"none; all {_count(changes.unchanged, 'file')} are as they were"
        parts = [
            f"{len(paths)} {what}"
            for what, paths in (("added", changes.added), ("changed", changes.changed), ("removed", changes.removed))
            if paths
        ]
        return f"{_count(len(changes), 'file')}: {', '.join(parts)}{self._owners()}"

    def _owners(self) -> str:
        """Which instances the changed files belong to, where that says more than the count."""
        changes = self.delivered.changes
        owners = Counter(_owner(path) for path in (*changes.added, *changes.changed, *changes.removed))
        owners.pop("", None)
        if not owners or len(owners) > _SHOWN:
            return ""
        return " (" + ", ".join(sorted(owners)) + ")"

    def _next(self) -> str:
        site, output = self.compiled.site.name, self.compiled.site.delivery.output
        if self.delivered.commit:
            return "push it, and open a pull request"
        match self.ending:
            case Ending.CHECK:
                return "nothing: Git equals the compile"
            case Ending.DRY_RUN if self.delivered.changes:
                return f"oscompile {site}"
            case Ending.WRITE if self.delivered.changes:
                return f"git diff {output}, then oscompile {site} --commit"
            case _:
                return ""

    def data(self) -> dict[str, Data]:
        """The same for machines."""
        changes = self.delivered.changes
        return {
            "site": self.compiled.site.name,
            "development": self.compiled.site.development,
            "instances": [instance.name for instance in self.compiled.instances],
            "objects": sum(len(bundle.manifests) for bundle in self.compiled.bundles),
            "waves": self.compiled.plan.last + 1,
            "criticalPath": [str(vertex) for vertex in self.compiled.plan.critical_path],
            "changes": {
                "added": list(changes.added),
                "changed": list(changes.changed),
                "removed": list(changes.removed),
                "unchanged": changes.unchanged,
            },
            "output": self.compiled.site.delivery.output,
            "commit": self.delivered.commit,
            "seconds": round(self.seconds, 3),
            "excused": len(self.compiled.report.excused),
            "warnings": [str(warning) for warning in self.compiled.report.warnings],
        }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _owner(path: str) -> str:
    parts = path.split("/")
    return parts[1] if len(parts) == 3 and parts[0] not in {"argocd", "flux"} else ""  # noqa: PLR2004 - <namespace>/<instance>/<file>
