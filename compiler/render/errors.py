"""Helm's words about a failure, as a diagnostic: the template's place first, and the same from every Helm.

Helm 3 writes the chain of templates that led to a failure in one line, Helm 4 in a block for each; both are read here
and told in one way. What a chart says itself (``fail``, ``required``) is passed on word for word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from compiler.documents import parse_stream
from compiler.errors import InputError
from compiler.model.diagnostic import Diagnostic, Related
from compiler.model.node import Origin
from compiler.model.render import RenderRequest
from compiler.render import charts

_NOISE: Final = re.compile(r"\s*Use --debug flag to render out invalid YAML\s*\Z")
_SAID: Final = re.compile(
    r"execution error at \((?P<template>[^:]+):(?P<line>\d+)(?::(?P<column>\d+))?\): (?P<what>.*)", re.DOTALL
)
_TIP: Final = re.compile(r"\s*\n\s*try: (?P<tip>.*)\Z", re.DOTALL)
_PARSE: Final = re.compile(r"parse error at \((?P<template>[^:]+):(?P<line>\d+)(?::\d+)?\): (?P<what>.*)", re.DOTALL)
_FRAME: Final = re.compile(
    r"(?:template: )?(?P<template>[^\s:]+):(?P<line>\d+):(?P<column>\d+)(?::\s|\n\s*)"
    r'executing "[^"]*" at <(?P<running>.*?)>:\s+',
    re.DOTALL,
)
_CALLING: Final = re.compile(r"\A(?:error calling \w+:\s+)+")
_VERSION: Final = re.compile(
    r"requires kubeVersion: (?P<wanted>.*) which is incompatible with Kubernetes (?P<found>\S+)"
)
_MISSING: Final = re.compile(r"missing in charts/ directory: (?P<names>.*)")
_SCHEMA: Final = re.compile(r"values don't meet the specifications of the schema\(s\)[^\n]*\n(?P<lines>.*)", re.DOTALL)
_SCHEMA_RULE: Final = "OS003"
_SCHEMA_4: Final = re.compile(r"at '(?P<path>[^']*)': (?P<what>.*)")
_NOT_INSTALLABLE: Final = re.compile(r"(?P<type>\S*) charts are not installable")
_NAME: Final = re.compile(r"invalid release name, must match regex")
_LOADING: Final = re.compile(r"cannot load (?P<file>[^:]+):|Chart\.yaml file is missing|validation: |error unpacking ")
_NIL: Final = re.compile(r"nil pointer evaluating .*\.(?P<field>\w+)")
_VALUE: Final = re.compile(r"\$?\.Values((?:\.\w+)+)")


@dataclass(frozen=True, slots=True)
class _Frame:
    """A template, and what it was executing."""

    template: str
    line: int
    column: int
    running: str


def translate(said: str, request: RenderRequest) -> InputError:
    """What Helm ``said`` when it could not render ``request``."""
    text = _NOISE.sub("", said).strip().removeprefix("Error: ")
    for pattern, reader in _READERS:
        found = pattern.search(text)
        if found is not None:
            return InputError(reader(found, request))
    return InputError(_executing(text, request))


def unknown_hook(kinds: str, request: RenderRequest) -> InputError:
    """Helm would drop an object with a hook that it does not know, and say nothing."""
    place = next(
        (
            charts.origin(request, f"{request.chart}/{name}", number)
            for name, text in charts.of(request).templates()
            for number, line in enumerate(text.splitlines(), 1)
            if kinds in line and "helm.sh/hook" in line
        ),
        Origin(request.chart_path),
    )
    message = f'the hook "{kinds}" must be one that Helm knows, but is not: Helm would drop the object without a word'
    return InputError([Diagnostic(message, place, "`helm.sh/hook: pre-install`, or another of Helm's hooks")])


def not_installable(kind: str, request: RenderRequest) -> InputError:
    """The chart is a library."""
    message = f"the chart `{request.chart}` must be an application to be an instance, but its type is `{kind}`"
    return InputError([Diagnostic(message, _chart_file(request), "a chart that uses it")])


def wrong_version(wanted: str, found: str, request: RenderRequest) -> InputError:
    """The chart does not want this Kubernetes."""
    message = f'the chart `{request.chart}` needs Kubernetes "{wanted}", but the site has "{found}"'
    hint = "another `kubernetes.version` in the environment, or another version of the chart"
    return InputError([Diagnostic(message, _chart_file(request), hint)])


def missing_charts(names: str, request: RenderRequest) -> InputError:
    """The chart lacks one that it depends on."""
    message = f"the chart `{request.chart}` must have what it depends on in its `charts/`, but has no {names}"
    return InputError([Diagnostic(message, _chart_file(request), f"`helm dependency build {request.chart_path}`")])


def not_loadable(said: str, request: RenderRequest) -> InputError:
    """The chart itself is broken: the place in its own files where that can be found, or else Helm's words."""
    for name, content in charts.of(request).files.items():
        if name.rpartition("/")[2] in {"Chart.yaml", "values.yaml"}:
            list(parse_stream(content.decode(errors="replace"), f"{request.chart_path}/{name}"))
    return InputError([Diagnostic(f"the chart `{request.chart}` cannot be loaded: {said}", _chart_file(request))])


def _chart_file(request: RenderRequest) -> Origin:
    return charts.origin(request, f"{request.chart}/Chart.yaml")


def _said(found: re.Match[str], request: RenderRequest) -> list[Diagnostic]:
    """``fail`` and ``required``: the chart's own words; what follows a line ``try:`` is its suggestion."""
    tip = _TIP.search(found["what"])
    message = found["what"][: tip.start()] if tip else found["what"]
    hint = tip["tip"] if tip else _in_values(request)
    place = charts.origin(request, found["template"], int(found["line"]), int(found["column"] or 1))
    return [Diagnostic(message.strip(), place, hint)]


def _in_values(request: RenderRequest) -> str:
    return f"the values of the instance `{request.instance}`"


def _parsing(found: re.Match[str], request: RenderRequest) -> list[Diagnostic]:
    place = charts.origin(request, found["template"], int(found["line"]))
    return [Diagnostic(f"the file is not a template: {found['what']}", place, "the syntax of Go templates")]


def _executing(text: str, request: RenderRequest) -> list[Diagnostic]:
    frames, at = [], 0
    for found in _FRAME.finditer(text):
        frames.append(_Frame(found["template"], int(found["line"]), int(found["column"]), found["running"]))
        at = found.end()
    what = re.sub(r"\s*\n\s*", " ", _CALLING.sub("", text[at:]).removeprefix("template: "))
    if not frames:
        return [Diagnostic(f"the chart `{request.chart}` does not render: {what}", _chart_file(request))]
    return [_explained(frames, what, request)]


def _explained(frames: list[_Frame], what: str, request: RenderRequest) -> Diagnostic:
    in_files = [frame for frame in frames if "/" in frame.template]
    inner = in_files[-1] if in_files else frames[-1]
    related = tuple(
        Related(f"called by `{frame.running}`", _place(frame, request)) for frame in reversed(in_files[:-1])
    )
    message = f"the template fails at `{frames[-1].running}`: {what}"
    return Diagnostic(message, _place(inner, request), _hint(frames[-1].running, what, request), related)


def _place(frame: _Frame, request: RenderRequest) -> Origin:
    return charts.origin(request, frame.template, frame.line, frame.column)


def _hint(running: str, what: str, request: RenderRequest) -> str:
    """For a template or a value that is not there: which."""
    if "no template " in what or "not defined" in what:
        return "a template of that name, or the library chart that has it"
    nil, value = _NIL.search(what), _VALUE.search(running)
    if nil is None or value is None:
        return _in_values(request)
    above = value[1].partition(f".{nil['field']}")[0].lstrip(".")
    return f"a value for `{above}` in {_in_values(request)}" if above else _in_values(request)


def _schema(found: re.Match[str], request: RenderRequest) -> list[Diagnostic]:
    """Each line ``- path: what`` below each line ``chart:``; Helm's own words where the schema itself is at fault."""
    chart, out = str(request.chart), []
    place = charts.origin(request, f"{request.chart}/values.schema.json")
    for line in found["lines"].splitlines():
        if line.endswith(":") and not line.startswith("-"):
            chart = line.removesuffix(":")
        elif line.startswith("- "):
            message = f"the values of `{request.instance}` break the schema of the chart `{chart}`: {_plain(line[2:])}"
            out.append(Diagnostic(message, place, _in_values(request), code=_SCHEMA_RULE))
    broken = f"Helm cannot use the schema of the chart `{chart}`: {' '.join(found['lines'].split())}"
    return out or [Diagnostic(broken, place, "what `helm lint` accepts", code=_SCHEMA_RULE)]


def _plain(line: str) -> str:
    """``replicas: got string, want integer``, from Helm 3 and 4 with the same path."""
    four = _SCHEMA_4.fullmatch(line)
    path, what = (four["path"].strip("/").replace("/", "."), four["what"]) if four else line.split(": ", 1)
    return f"`{path or '(root)'}`: {_same_words(what)}"


def _same_words(what: str) -> str:
    invalid = re.fullmatch(r"Invalid type\. Expected: (\S+), given: (\S+)", what)
    unknown = re.fullmatch(r"Additional property (\S+) is not allowed", what)
    if invalid:
        return f"got {'number' if invalid[2] == 'integer' else invalid[2]}, want {invalid[1]}"
    return f"additional properties '{unknown[1]}' not allowed" if unknown else what


def _version(found: re.Match[str], request: RenderRequest) -> list[Diagnostic]:
    return list(wrong_version(found["wanted"], found["found"], request).diagnostics)


def _missing(found: re.Match[str], request: RenderRequest) -> list[Diagnostic]:
    return list(missing_charts(found["names"], request).diagnostics)


def _bad_name(request: RenderRequest) -> Diagnostic:
    message = f"the instance name `{request.instance}` must be a DNS name of at most 53 characters, but is not"
    return Diagnostic(message, Origin(request.chart_path), "lower-case letters, digits and `-`")


def _type(found: re.Match[str], request: RenderRequest) -> list[Diagnostic]:
    return list(not_installable(found["type"], request).diagnostics)


def _loading(found: re.Match[str], request: RenderRequest) -> list[Diagnostic]:
    return list(not_loadable(found.string, request).diagnostics)


_READERS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str], RenderRequest], list[Diagnostic]]], ...]] = (
    (_SAID, _said),
    (_PARSE, _parsing),
    (_FRAME, lambda found, request: _executing(found.string, request)),
    (_SCHEMA, _schema),
    (_VERSION, _version),
    (_MISSING, _missing),
    (_NOT_INSTALLABLE, _type),
    (_NAME, lambda _, request: [_bad_name(request)]),
    (_LOADING, _loading),
)
