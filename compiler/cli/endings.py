"""What each command does with what the pipeline found out."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Mapping
from typing import Final

from compiler import pipeline
from compiler.cli import explanation, findings, summary
from compiler.cli.terminal import Terminal
from compiler.documents.schema import published
from compiler.errors import InputError, RulesBroken, UsageError
from compiler.model.data import Data
from compiler.model.diagnostic import Severity
from compiler.model.names import EnvironmentName
from compiler.model.report import Report
from compiler.pipeline import Compiled, Judged, Request


def compile_(arguments: argparse.Namespace, terminal: Terminal) -> None:
    """Compile, and bring the output, or Git, to what was compiled."""
    started = time.perf_counter()
    compiled = _compiled(arguments, terminal)
    terminal.settle()
    pipeline.due(compiled.report, _today(arguments))
    terminal.warn(tuple(findings.shortened(compiled.report.warnings)))
    delivered = pipeline.deliver(compiled, _ending(arguments), progress=terminal.progress)
    terminal.settle()
    report = summary.Summary(compiled, delivered, _ending(arguments), time.perf_counter() - started)
    if arguments.output == "json":
        terminal.say_json(report.data())
    else:
        terminal.say(report.text(terminal))


def validate(arguments: argparse.Namespace, terminal: Terminal) -> None:
    """Say what is wrong with a site, in the form that was asked for; fail on what was asked for."""
    form = arguments.format or arguments.output
    try:
        request = _request(arguments)
        judged = pipeline.judge_site(request, progress=terminal.progress)
        report = pipeline.placed(request, judged, judged.report.findings, progress=terminal.progress)
        report = pipeline.dated(report, _today(arguments))
    except InputError as error:
        report = Report(EnvironmentName(arguments.environment), error.diagnostics)
    terminal.settle()
    terminal.say(findings.FORMS[form](findings.Answer(report, pipeline.rules(), every=arguments.all), terminal))
    failing = report.findings if arguments.fail_on == "warning" else report.errors
    if failing:
        raise RulesBroken(count=len(failing))


def list_(arguments: argparse.Namespace, terminal: Terminal) -> None:
    """Name the environments of the repository."""
    found = pipeline.environments(arguments.directory)
    if arguments.output == "json":
        terminal.say_json([{"name": name, "abstract": abstract} for name, abstract in found])
        return
    for name, abstract in found:
        terminal.say(f"{name}{terminal.dim(' (abstract)') if abstract else ''}")


def graph(arguments: argparse.Namespace, terminal: Terminal) -> None:
    """Draw the order of a site, or tell the story of one object; of a site that the rules refuse, too."""
    judged = pipeline.judge_site(_request(arguments), progress=terminal.progress)
    terminal.settle()
    if arguments.blocks is not None:
        _blocks(arguments, terminal, judged)
    elif arguments.why is not None:
        story = pipeline.story(judged, arguments.why)
        terminal.say_json(story.data()) if arguments.output == "json" else terminal.say(story.text())
    elif arguments.output == "json":
        terminal.say_json(pipeline.describe(judged.plan, arguments.level))
    else:
        terminal.say(pipeline.draw(judged.plan, arguments.format, arguments.level).rstrip("\n"))


def _blocks(arguments: argparse.Namespace, terminal: Terminal, judged: Judged) -> None:
    """Say what an object that never becomes healthy leaves undone."""
    stuck, found = pipeline.blocked(judged, arguments.blocks)
    if arguments.output == "json":
        engines: dict[str, Data] = {name: [str(one) for one in objects] for name, objects in found.items()}
        terminal.say_json({"object": str(stuck), "blocks": engines})
        return
    for name, objects in found.items():
        count = f"{len(objects)} object{'' if len(objects) == 1 else 's'}" if objects else "nothing else"
        terminal.say(terminal.bold(f"{name}: if {stuck} never becomes healthy, {count} cannot be applied or start"))
        for one in objects:
            terminal.say(f"  {one}")


def explain(arguments: argparse.Namespace, terminal: Terminal) -> None:
    """Say where a value comes from and what it reaches, or what decides a rendered field."""
    request, subject, path = _request(arguments), arguments.subject, arguments.path
    if "/" in subject:
        decided = pipeline.explain_field(request, subject, path, arguments.namespace, terminal.progress)
        told: explanation.Told = explanation.of_field(decided)
    else:
        told = explanation.of_value(pipeline.explain_value(request, subject, path, terminal.progress))
    terminal.settle()
    if arguments.output == "json":
        terminal.say_json(told.data)
    else:
        terminal.say(told.text(terminal))


def secrets(arguments: argparse.Namespace, terminal: Terminal) -> None:
    """List what the site's store must hold."""
    found = pipeline.secrets(_request(arguments))
    rows: list[Data] = [
        {
            "path": need.path,
            "namespace": need.namespace,
            "secret": need.name,
            "keys": {key: spec.generate for key, spec in need.spec.keys.items()},
        }
        for need in found
    ]
    if arguments.output == "json":
        terminal.say_json(rows)
        return
    for need in found:
        keys = ", ".join(f"{key} ({spec.generate})" for key, spec in need.spec.keys.items())
        terminal.say(f"{terminal.bold(need.path)}\n  {need.namespace}/{need.name}: {keys}")


def vendor(arguments: argparse.Namespace, terminal: Terminal) -> None:
    """Fetch the charts of elsewhere, and say what became of each."""
    request = Request(arguments.environment, arguments.directory.absolute())
    helm = os.environ.get("HELM_BIN", "helm")
    found = pipeline.fetch(request, helm, update=arguments.update, plain_http=arguments.plain_http)
    if arguments.output == "json":
        rows: list[Data] = [
            {
                "repository": one.remote.repository,
                "name": one.remote.name,
                "version": one.remote.version,
                "digest": one.digest,
                "file": one.remote.file,
                "change": one.change,
            }
            for one in found
        ]
        terminal.say_json(rows)
        return
    for one in found:
        terminal.say(f"{one.change:<8} {terminal.bold(one.remote.file)}  {one.digest}")
    if not found:
        terminal.say("every chart of the site lies in the repository already: there is nothing to fetch")


def survive(arguments: argparse.Namespace, terminal: Terminal) -> None:
    """Print what the site survives; a site that does not is an input at fault."""
    judged = pipeline.judge_site(_request(arguments), progress=terminal.progress)
    found, lost = pipeline.survive(judged, pairs=arguments.pairs)
    terminal.settle()
    if arguments.output == "json":
        terminal.say_json(pipeline.describe_survey(found))
    else:
        terminal.say(pipeline.show(found))
    terminal.warn(lost)
    errors = sum(each.severity is Severity.ERROR for each in lost)
    if errors:
        raise RulesBroken(count=errors)


def schema(arguments: argparse.Namespace, terminal: Terminal) -> None:
    """Print a published schema, or the list of them."""
    known = pipeline.schemas()
    if not arguments.name:
        for name in known:
            terminal.say(name)
    elif f"{arguments.name}.v1" in known:
        terminal.say_json(published(f"{arguments.name}.v1"))
    elif arguments.name in known:
        terminal.say_json(published(arguments.name))
    else:
        raise UsageError(f"error: there is no schema `{arguments.name}`\n  try: one of {', '.join(known)}")


def rule(arguments: argparse.Namespace, terminal: Terminal) -> None:
    """Print a rule's page, or the list of rules."""
    known = pipeline.rules()
    if arguments.code and arguments.code not in known:
        hint = pipeline.nearest_rule(arguments.code)
        raise UsageError(f"error: there is no rule `{arguments.code}`\n  try: {hint}; `oscompile rule` lists them")
    shown = [known[arguments.code]] if arguments.code else list(known.values())
    if arguments.output == "json":
        rows: list[Data] = [findings.rule_data(each) for each in shown]
        terminal.say_json(rows)
    elif arguments.code:
        terminal.say(shown[0].page.rstrip("\n"))
    else:
        for each in shown:
            terminal.say(f"{terminal.bold(each.code)}  {each.severity:<7}  {each.title}")


ENDINGS: Final[Mapping[str, Callable[[argparse.Namespace, Terminal], None]]] = {
    "compile": compile_,
    "list": list_,
    "graph": graph,
    "explain": explain,
    "validate": validate,
    "secrets": secrets,
    "vendor": vendor,
    "survive": survive,
    "schema": schema,
    "rule": rule,
}


def _request(arguments: argparse.Namespace) -> Request:
    if arguments.command != "list" and arguments.jobs is not None and arguments.jobs < 1:
        raise UsageError(f"error: `--jobs` must be at least 1, but is {arguments.jobs}\n  try: --jobs 1")
    return Request(
        reference=arguments.environment,
        directory=arguments.directory.absolute(),
        settings=tuple(arguments.settings),
        helm=os.environ.get("HELM_BIN", "helm") if arguments.renderer == "helm" else None,
        cached=not arguments.no_cache,
        jobs=arguments.jobs,
    )


def _compiled(arguments: argparse.Namespace, terminal: Terminal) -> Compiled:
    return pipeline.compile_site(_request(arguments), progress=terminal.progress)


def _today(arguments: argparse.Namespace) -> str:
    return arguments.today or time.strftime("%Y-%m-%d")


def _ending(arguments: argparse.Namespace) -> pipeline.Ending:
    for ending in (pipeline.Ending.COMMIT, pipeline.Ending.CHECK, pipeline.Ending.DRY_RUN):
        if getattr(arguments, ending.value):
            return ending
    return pipeline.Ending.WRITE
