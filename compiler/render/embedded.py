"""Helm's engine inside this process: its Go library, through the C interface of ``helm-python-sdk``.

The library is some 80 MB and starts a Go runtime, so it is loaded when the first chart is rendered and not before: a
compile that finds everything in its cache never loads it, and a process that has loaded it must not fork.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from compiler.documents import parse_stream
from compiler.errors import ProgramMissing
from compiler.model.data import Data, canonical
from compiler.model.render import RenderedFile, RenderRequest
from compiler.render import charts, errors
from compiler.render.charts import ChartFiles
from compiler.render.renderer import documents, kube_version

if TYPE_CHECKING:
    from types import ModuleType

_PURPOSE: Final = "render charts with the embedded engine"
_PACKAGE: Final = "helm-python-sdk"
_BOUND_TO: Final = re.compile(r'^EXPECTED_(HELM_C|HELM_SDK)_VERSION: Final = "(.+)"$', re.MULTILINE)
_HOOK: Final = "helm.sh/hook"
_KNOWN_HOOKS: Final = frozenset(
    f"{moment}-{event}" for moment in ("pre", "post") for event in ("install", "delete", "upgrade", "rollback")
) | {"test", "test-success"}
_HOOKS: Final = re.compile(rf"{re.escape(_HOOK)}(?![\w-])(.*)")
"""What stands on a line behind the annotation; whether it is one is known only to who reads the YAML."""

_BETWEEN: Final = re.compile(r"[\s,:\"']+")
_ENVIRONMENT: Final = {"HELM_C_LIB": None, "GOGC": "off", "GOMEMLIMIT": "768MiB"}
"""What the library may see of these while it loads: it is the installed one, and its garbage collector rests until the
memory is worth the work: a render leaves little behind."""

_VERSION_CHECK: Final = ChartFiles(
    {
        "Chart.yaml": b"{apiVersion: v2, name: check, version: 1.0.0}",
        "templates/check": b"{{ semverCompare .Values.wanted .Values.found }}",
    }
)
_QUIET: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class EmbeddedRenderer:
    """The engine of ``helm-python-sdk``. Holds nothing: the library is a matter of the process."""

    @property
    def identity(self) -> str:
        """The versions of Helm and of its C interface, read without loading either."""
        return _identity()

    def render(self, request: RenderRequest, files: ChartFiles | None = None) -> tuple[RenderedFile, ...]:
        """See ``Renderer``."""
        found = render_archive(charts.archive_of(request) if files is None else files.archive(), request)
        for file in found:
            _refuse_unknown_hooks(file, request)
        return found


def render_archive(archive: bytes, request: RenderRequest) -> tuple[RenderedFile, ...]:
    """What the chart in ``archive`` renders in the place of that of ``request``. Raises ``InputError``."""
    helm = _library()
    with _silence():
        files, crds = _rendered(helm, archive, request)
    return documents((*files.items(), *((crd["filename"], crd["data"]) for crd in crds)))


@cache
def _identity() -> str:
    package = find_spec("helm_python")
    if package is None or package.origin is None:
        raise ProgramMissing(program=_PACKAGE, purpose=_PURPOSE)
    bound = dict(_BOUND_TO.findall(Path(package.origin).with_name("_native.py").read_text(encoding="utf-8")))
    return f"embedded helm {bound['HELM_SDK']} (helm-c {bound['HELM_C']})"


@cache
def _library() -> ModuleType:
    with _environment():
        try:
            import helm_python  # noqa: PLC0415 - loads the library: see the module's docstring
        except ImportError as error:
            raise ProgramMissing(program=_PACKAGE, purpose=_PURPOSE) from error
    module: ModuleType = helm_python
    return module


@contextmanager
def _environment() -> Iterator[None]:
    before = {name: os.environ.pop(name, None) for name in _ENVIRONMENT}
    os.environ.update({name: value for name, value in _ENVIRONMENT.items() if value is not None})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextmanager
def _silence() -> Iterator[None]:
    """Helm logs to file descriptor 2 whatever it is told; its errors are return values, and are not lost by this."""
    with _QUIET:
        kept = os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)


def _rendered(helm: ModuleType, archive: bytes, request: RenderRequest) -> tuple[dict[str, str], list[dict[str, str]]]:
    """What ``helm template`` would render, hooks included, and its CustomResourceDefinitions.

    The chart is loaded anew for each render: processing its dependencies changes it in place.
    """
    try:
        helm.validate_release_name(request.instance)
        with helm.Chart.load_archive(archive) as chart:
            _check_installable(helm, chart, request)
            text = _call(helm, chart, request.values, _options(request))
            return json.loads(text), chart.crds
    except helm.HelmError as error:
        raise errors.translate(str(error), request) from error


def _call(helm: ModuleType, chart: Any, values: str, options: str) -> str:  # noqa: ANN401 - the SDK has no stubs here
    # The SDK's own method has no parameters for the capabilities; the C function under it has.
    return str(helm._native.call_string("helm_render", chart._raw(), values, options))  # noqa: SLF001


def _options(request: RenderRequest) -> str:
    options: dict[str, Data] = {
        "name": request.instance,
        "namespace": request.namespace,
        "kube_version": kube_version(request.kubernetes.version),
        "api_versions": list(request.kubernetes.api_versions),
    }
    return canonical(options)


def _check_installable(helm: ModuleType, chart: Any, request: RenderRequest) -> None:  # noqa: ANN401 - as above
    """What ``helm template`` refuses before it renders, and the C function does not."""
    metadata = chart.metadata
    if metadata.get("type", "") not in {"", "application"}:
        raise errors.not_installable(metadata["type"], request)
    present = {below.get("name") for below in chart.dependencies}
    missing = [needed["name"] for needed in metadata.get("dependencies", ()) if needed["name"] not in present]
    if missing:
        raise errors.missing_charts(", ".join(missing), request)
    wanted, found = metadata.get("kubeVersion", ""), kube_version(request.kubernetes.version)
    if wanted and not _in_range(helm, wanted, found):
        raise errors.wrong_version(wanted, found, request)


def _in_range(helm: ModuleType, wanted: str, found: str) -> bool:
    """Whether Helm's own semantic versions say that ``found`` is in the range ``wanted``."""
    with helm.Chart.load_archive(_VERSION_CHECK.archive()) as chart:
        try:
            answer = json.loads(_call(helm, chart, canonical({"wanted": wanted, "found": found}), "{}"))
        except helm.HelmError:
            return False
    return bool(answer["check/templates/check"] == "true")


def _refuse_unknown_hooks(file: RenderedFile, request: RenderRequest) -> None:
    if all(map(_is_plain, _HOOKS.findall(file.text))):
        return
    for _, document in parse_stream(file.text, file.template):
        kinds = _annotation(document)
        if any(kind.strip().lower() not in _KNOWN_HOOKS for kind in kinds.split(",") if kinds):
            raise errors.unknown_hook(kinds, request)


def _is_plain(said: str) -> bool:
    """Whether what stands behind the annotation is hooks that Helm knows and nothing else: most are."""
    kinds = [kind for kind in _BETWEEN.split(said.lower()) if kind]
    return bool(kinds) and _KNOWN_HOOKS.issuperset(kinds)


def _annotation(document: Data) -> str:
    metadata = document.get("metadata") if isinstance(document, dict) else None
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    found = annotations.get(_HOOK, "") if isinstance(annotations, dict) else ""
    return found if isinstance(found, str) else ""
