"""Helm's engine as a program: ``helm template``, run with nothing of the user's own."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from compiler import process
from compiler.documents import emit
from compiler.errors import InputError, ProgramFailed
from compiler.model.diagnostic import Diagnostic
from compiler.model.node import Origin
from compiler.model.render import RenderedFile, RenderRequest
from compiler.process import Command
from compiler.render import errors
from compiler.render.charts import ChartFiles
from compiler.render.renderer import documents, kube_version

_SOURCE: Final = re.compile(r"^---\n# Source: (.+)\n", re.MULTILINE)
_UNKNOWN_HOOK: Final = re.compile(
    r"""skipping unknown hook(?:s"[ ]hookTypes=|:[ ])(?P<quote>"?)(?P<kinds>.+)(?P=quote)$""", re.MULTILINE
)
_NOT_YAML: Final = "YAML parse error on "
_LOG: Final = re.compile(r"^(?:level=\w+ msg=|\S+\.go:\d+: ).*\n?", re.MULTILINE)
_FAILED: Final = 1


@dataclass(frozen=True, slots=True)
class ProgramRenderer:
    """The program ``program``, whose own word for its version is ``version``. Made by ``program``."""

    program: str
    version: str

    @property
    def identity(self) -> str:
        """The program's version; not where it lies."""
        return f"helm program {self.version}"

    def render(self, request: RenderRequest, files: ChartFiles | None = None) -> tuple[RenderedFile, ...]:
        """See ``Renderer``."""
        if files is not None:
            return self._elsewhere(request, files)
        output = self._run(request)
        if output.code and _NOT_YAML in output.stderr:
            # With --debug Helm prints what it could not read, so that it is explained by our own reader.
            return documents(_sources(self._run(request, "--debug").stdout.decode(errors="replace")))
        if output.code:
            raise errors.translate(_LOG.sub("", output.stderr), request)
        dropped = _UNKNOWN_HOOK.search(output.stderr)
        if dropped is not None:
            raise errors.unknown_hook(dropped["kinds"], request)
        return documents(_sources(output.stdout.decode(errors="replace")))

    def _elsewhere(self, request: RenderRequest, files: ChartFiles) -> tuple[RenderedFile, ...]:
        with tempfile.TemporaryDirectory(prefix="oscompile-chart-") as directory:
            archive = Path(directory, "chart.tgz")
            archive.write_bytes(files.archive())
            return self.render(replace(request, repository=archive.parent, chart_path=archive.name))

    def _run(self, request: RenderRequest, *flags: str) -> process.Output:
        try:
            with tempfile.TemporaryDirectory(prefix="oscompile-helm-") as home:
                return process.run(_command(self.program, request, home, flags), accept=(0, _FAILED))
        except ProgramFailed as error:
            raise _failed(error, request) from error


def program(path: str) -> ProgramRenderer:
    """The renderer that runs the helm program ``path``.

    Raises ``ProgramMissing`` where there is none, and ``ProgramFailed`` where it is not Helm.
    """
    purpose = "ask the helm program for its version"
    with tempfile.TemporaryDirectory(prefix="oscompile-helm-") as home:
        argv = (path, "version", "--template", "{{ .Version }}")
        output = process.run(Command(argv, purpose, environment=_isolated(home)))
    return ProgramRenderer(path, output.stdout.decode(errors="replace").strip())


def _command(program: str, request: RenderRequest, home: str, flags: tuple[str, ...]) -> Command:
    """``helm template``, with the values on standard input, where no list of processes shows them."""
    apis = (f"--api-versions={version}" for version in request.kubernetes.api_versions)
    argv = (
        *(program, "template", "--include-crds", f"--namespace={request.namespace}", "--values=-"),
        *(f"--kube-version={kube_version(request.kubernetes.version)}", *apis, *flags),
        *("--", request.instance, str(request.directory.resolve())),
    )
    purpose = f"render the chart `{request.chart}` as `{request.instance}`"
    values = emit(json.loads(request.values)).encode()
    return Command(argv, purpose, values, environment=_isolated(home))


def _isolated(home: str) -> dict[str, str]:
    """No plugins, repositories, credentials or clusters of the user's, and no options of a Helm that runs us."""
    empty = {f"HELM_{name}": home for name in ("CACHE_HOME", "CONFIG_HOME", "DATA_HOME", "PLUGINS", "REPOSITORY_CACHE")}
    files = {f"HELM_{name}": str(Path(home, "none")) for name in ("REGISTRY_CONFIG", "REPOSITORY_CONFIG")}
    unset = dict.fromkeys(("HELM_DEBUG", "HELM_KUBECONTEXT", "HELM_KUBEAPISERVER", "HELM_KUBETOKEN"), "")
    return {**empty, **files, **unset, "HOME": home, "KUBECONFIG": str(Path(home, "none")), "HELM_NO_PLUGINS": "1"}


def _sources(text: str) -> Iterator[tuple[str, str]]:
    """Each document of Helm's output, with the template that its ``# Source:`` names."""
    found = list(_SOURCE.finditer(text))
    ends = [*(below.start() for below in found[1:]), len(text)]
    for source, end in zip(found, ends, strict=True):
        yield source[1], text[source.end() : end]


def _failed(error: ProgramFailed, request: RenderRequest) -> InputError:
    """A program that hangs or dies is a matter of one instance, and must not hide what others have to say."""
    message = f"the chart `{request.chart}` could not be rendered: {error.said}"
    return InputError([Diagnostic(message, Origin(request.chart_path), f"`{error.program} template` by hand")])
