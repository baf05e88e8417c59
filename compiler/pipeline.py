"""The only corridor: one line per room, in order."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import cast

from compiler import (
    adopt,
    annotate,
    commit,
    engines,
    environment,
    graph,
    instances,
    layers,
    materialise,
    render,
    survival,
    trace,
    validate,
    vendor,
    write,
)
from compiler.cache import Store
from compiler.documents import schema
from compiler.errors import Collector, InputError
from compiler.model.data import Data, canonical
from compiler.model.diagnostic import Diagnostic
from compiler.model.instance import Instance
from compiler.model.manifest import Bundle, Field, ObjectId
from compiler.model.names import CommitId, Digest, EnvironmentName
from compiler.model.node import MapNode, at, literal, put
from compiler.model.plan import Edge, Plan
from compiler.model.render import RenderRequest
from compiler.model.report import Report
from compiler.model.site import Site
from compiler.model.trace import Effect, FieldTrace, ValueTrace
from compiler.model.tree import Changes, Document, Tree
from compiler.workers import Workers

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


class Ending(StrEnum):
    """What becomes of a compiled tree."""

    WRITE = "write"
    COMMIT = "commit"
    CHECK = "check"
    DRY_RUN = "dry_run"


@dataclass(frozen=True, slots=True)
class Request:
    """What to compile, and with what.

    ``reference`` names the site as a user does, seen from ``directory``; ``helm`` is the helm program to render with
    (None: the embedded engine); ``cached`` allows the repository's own cache of renders.
    """

    reference: str
    directory: Path
    settings: tuple[str, ...] = ()
    helm: str | None = None
    cached: bool = True
    jobs: int | None = None
    executor: Executor | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Judged:
    """A site in which every room but the last has done its work, and what the rules say of it."""

    site: Site
    instances: tuple[Instance, ...]
    bundles: tuple[Bundle, ...]
    plan: Plan
    documents: tuple[Document, ...]
    report: Report


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled site: everything that was found out on the way, and the tree that it comes to."""

    site: Site
    instances: tuple[Instance, ...]
    bundles: tuple[Bundle, ...]
    plan: Plan
    tree: Tree
    report: Report

    @property
    def output(self) -> Path:
        """The directory that the tree is for."""
        return self.site.repository / self.site.delivery.output


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a tree changed on its way out."""

    changes: Changes
    commit: CommitId | None = None


def _silent(_what: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


def compile_site(request: Request, progress: Progress = _silent) -> Compiled:
    """Compile the site that ``request`` names. Touches nothing but the cache.

    Promises the same result on every machine and on every day for the same repository. Raises ``InputError`` with every
    mistake that the first room to find any found, ``ProgramMissing`` and ``ProgramFailed`` where the helm program was
    asked for.
    """
    judged = judge_site(request, progress)
    if judged.report.errors:
        errors = placed(request, judged, judged.report.errors, progress).findings
        _stop((*errors, *judged.report.warnings))
    tree = write.lay_out(judged.site, judged.instances, judged.bundles, judged.plan, judged.documents)
    return Compiled(judged.site, judged.instances, judged.bundles, judged.plan, tree, judged.report)


def judge_site(request: Request, progress: Progress = _silent) -> Judged:
    """The site that ``request`` names, rendered, ordered and held against every rule.

    What the rules find is in the report and stops nothing; ``placed`` finds the values behind it. Raises as
    ``compile_site`` does where there is nothing to judge: a site that cannot be read, merged, bound, rendered or
    ordered, and a credential in its values.
    """
    with Workers(request.executor, request.jobs) as workers:
        return _judged(request, workers, progress)


def _judged(request: Request, workers: Workers, progress: Progress) -> Judged:
    store = _store(request)
    progress("reading", 0, 1)
    site = _site(request, store)
    found = instances.resolve(site, render.load_chart_digest, _memory(store))
    _stop(validate.inputs(found))
    rendered = adopt.adopt(found, _rendered(request, site, found, _Bay(store, workers), progress))
    progress("ordering", 0, 1)
    bundles = annotate.settle(site, found, materialise.materialise(site, found, rendered))
    plan = graph.plan(site, found, bundles)
    bundles = annotate.annotate(bundles, plan)
    documents = annotate.deliver(site, found, bundles, plan)
    emitted = engines.Emitted(site.delivery.output, bundles, documents)
    defined = validate.vendored(site.repository)
    judged = validate.check(site, found, bundles, plan, emitted, _memory(store), defined)
    said = (*_said(bundles, store), *judged, *trace.silent(site, found, rendered, _means(request, site, workers)))
    return Judged(site, found, bundles, plan, documents, validate.settle(site, found, bundles, said))


def placed(request: Request, judged: Judged, findings: tuple[Diagnostic, ...], progress: Progress = _silent) -> Report:
    """The report of ``judged`` with ``findings`` of it, each at the value that decides the field it is about.

    That takes renders; a compile that nothing stops has no need of it.
    """
    progress("tracing", 0, 1)
    with Workers(request.executor, request.jobs) as workers:
        found = trace.placed(judged.site, judged.instances, findings, _means(request, judged.site, workers))
    return replace(judged.report, findings=tuple(sorted(set(found), key=Diagnostic.sort_key)))


def dated(report: Report, today: str) -> Report:
    """``report`` as it is on a day (a date, year first): with an error for each waiver that was over before it."""
    found = (*report.findings, *validate.expired(report, today))
    return replace(report, findings=tuple(sorted(found, key=Diagnostic.sort_key)))


def due(report: Report, today: str) -> None:
    """Stop where a waiver of ``report`` was over before ``today``. Raises ``InputError``."""
    _stop(dated(report, today).findings)


def survive(judged: Judged, *, pairs: bool = False) -> tuple[survival.Survey, tuple[Diagnostic, ...]]:
    """What a site survives (any host, any zone and, with ``pairs``, any two hosts), and what the rules say of that."""
    about = tuple(each for each in judged.report.findings if each.code in validate.SURVIVAL)
    return survival.survey(judged.site, judged.instances, judged.bundles, pairs=pairs), about


def show(survey: survival.Survey) -> str:
    """What the site survives, as a table."""
    return survival.text(survey)


def describe_survey(survey: survival.Survey) -> dict[str, Data]:
    """What the site survives, for machines."""
    return survival.describe(survey)


def deliver(compiled: Compiled, ending: Ending = Ending.WRITE, progress: Progress = _silent) -> Delivered:
    """Bring the output directory, and with ``Ending.COMMIT`` Git, to what was compiled; or only compare.

    Raises ``OutputRefused``, ``OutputFailed``, ``CommitRefused``; ``OutOfDate`` where Git does not equal the compile.
    """
    progress("comparing", 0, 1)
    repository, output, tree = compiled.site.repository, compiled.output, compiled.tree
    if ending is Ending.CHECK:
        commit.check(repository, output, tree)
        return Delivered(Changes(unchanged=len(tree.files)))
    if ending is Ending.DRY_RUN:
        return Delivered(write.compare(tree, output))
    changes = write.deliver(tree, output)
    if ending is Ending.WRITE:
        return Delivered(changes)
    return Delivered(changes, commit.record(repository, output, tree))


def environments(directory: Path) -> tuple[tuple[EnvironmentName, bool], ...]:
    """Every environment of the repository that ``directory`` lies in, and whether it is abstract."""
    found = environment.names(environment.repository(directory))
    return tuple((listed.name, listed.abstract) for listed in found)


def resolved(request: Request) -> tuple[Site, tuple[Instance, ...]]:
    """The site and its instances, without rendering anything."""
    store = _store(request)
    site = _site(request, store)
    return site, instances.resolve(site, render.load_chart_digest, _memory(store))


def _named(found: tuple[Instance, ...], name: str) -> Instance:
    """One instance of the site. Raises ``InputError``, with the nearest name, where there is none of that name."""
    for candidate in found:
        if candidate.name == name:
            return candidate
    hint = schema.nearest(name, [str(candidate.name) for candidate in found])
    raise InputError([Diagnostic(f"the site has no instance `{name}`", hint=hint)])


def explain_value(request: Request, name: str, key: str, progress: Progress = _silent) -> ValueTrace:
    """Where the values at ``key`` of the instance ``name`` come from, and which rendered fields they reach.

    Without a key, where every value of the instance comes from; nothing is rendered then. Raises ``InputError``, with
    what is near, where there is no such instance or value.
    """
    progress("reading", 0, 1)
    store = _store(request)
    site = _site(request, store)
    found = instances.resolve(site, render.load_chart_digest, _memory(store))
    asked = _named(found, name)
    path = trace.resolve(asked.values.data(), key, f"`{name}`") if key else ()
    progress("tracing", 0, 1)
    traced = trace.value(site, asked, path, render.Trials(render_request(site, asked)))
    rest = tuple(_elsewhere(site, found, traced, store))
    return replace(traced, elsewhere=rest, output=site.delivery.output)


def _elsewhere(site: Site, found: tuple[Instance, ...], traced: ValueTrace, store: Store | None) -> Iterator[Effect]:
    """What else changes in instances whose own values come of the traced one: the members of a provider, above all."""
    if traced.reach is None or len(traced.reach.tried) == 0:
        return
    other = literal(json.loads(traced.reach.tried[0]), traced.supplies[0].origin)
    declarations = tuple(
        replace(declared, values=cast("MapNode", put(declared.values, traced.path, other)))
        if declared.name == traced.instance and at(declared.values, traced.path) is not None
        else declared
        for declared in site.declarations
    )
    with suppress(InputError):
        changed = instances.resolve(replace(site, declarations=declarations), render.load_chart_digest, _memory(store))
        for before, after in zip(found, changed, strict=True):
            if before.name != traced.instance and before.values.data() != after.values.data():
                yield from trace.elsewhere(before, after, render.Trials(render_request(site, before)))


def explain_field(
    request: Request, reference: str, path: str, namespace: str = "", progress: Progress = _silent
) -> FieldTrace:
    """Who decides the field ``path`` of the rendered object that ``reference`` names.

    Raises ``InputError``, with what is near, where there is no such object or field.
    """
    store = _store(request)
    progress("reading", 0, 1)
    site = _site(request, store)
    found = instances.resolve(site, render.load_chart_digest, _memory(store))
    bundles = materialise.materialise(site, found, _seen(request, site, found, store, progress))
    owner, manifest = trace.locate(bundles, reference, namespace, site.delivery.output)
    where = Field(owner, manifest.id, trace.resolve(manifest.data(), path, str(manifest.id)) if path else ())
    held = trace.held(manifest.data(), where.path)
    if manifest.template.startswith(materialise.WRITER):
        return FieldTrace(where, held, site.secrets.origin, writer=manifest.template, output=site.delivery.output)
    asked = _named(found, owner)
    progress("tracing", 0, 1)
    traced = trace.field(site, asked, where, held, render.Trials(render_request(site, asked)))
    return replace(traced, output=site.delivery.output)


def fetch(request: Request, helm: str, *, update: bool, plain_http: bool) -> tuple[vendor.Fetched, ...]:
    """Bring the charts of elsewhere that the site uses into its repository, with the program ``helm``."""
    repository = environment.repository(request.directory)
    remotes = layers.elsewhere(environment.find(repository, request.reference, request.directory))
    return vendor.fetch(repository, remotes, helm=helm, update=update, plain_http=plain_http)


def secrets(request: Request) -> tuple[materialise.Need, ...]:
    """Every Secret that the site needs."""
    found = resolved(request)
    return (*materialise.needs(*found), *materialise.referenced(*found))


def draw(plan: Plan, form: str, level: str) -> str:
    """The order of a site as ``text``, ``mermaid``, ``dot`` or ``svg``, of its instances, components or objects."""
    forms = {"text": graph.text, "mermaid": graph.mermaid, "dot": graph.dot, "svg": graph.svg}
    return forms[form](graph.picture(plan, graph.Level(level)))


def describe(plan: Plan, level: str) -> dict[str, Data]:
    """The order of a site for machines."""
    return graph.data(graph.picture(plan, graph.Level(level)))


def story(judged: Judged, words: str) -> graph.Story:
    """Why the object that ``words`` name is in its wave, and who keeps it there.

    Raises ``InputError``, with near names, where there is no such object.
    """
    told = graph.why(judged.plan, graph.find(judged.plan, words))
    revision = engines.compiled(judged.site.delivery.output, judged.bundles, judged.documents)
    held: defaultdict[Edge, list[tuple[str, str]]] = defaultdict(list)
    for proof in (*engines.prove(judged.plan, revision), *engines.after_power_loss(judged.plan, revision)):
        if proof.construct != engines.NOTHING:
            held[proof.edge].append((proof.engine, proof.construct))
    return replace(told, held={edge: tuple(found) for edge, found in held.items()})


def blocked(judged: Judged, words: str) -> tuple[ObjectId, Mapping[str, tuple[ObjectId, ...]]]:
    """The object that ``words`` name, and by engine what a first install leaves undone if it never becomes healthy.

    Raises ``InputError`` as ``story`` does, and for a site that no engine delivers.
    """
    stuck = graph.find(judged.plan, words)
    output = judged.site.delivery.output
    plays = engines.rehearsals(engines.compiled(output, judged.bundles, judged.documents), output)
    found = {name: play.blocked_by(stuck) for name, play in plays}
    if not found:
        hint = "`argocd: {}` or `flux: {}` under `delivery`"
        raise InputError([Diagnostic("no engine delivers the site, so nothing can be said of what waits", hint=hint)])
    return stuck, found


def schemas() -> tuple[str, ...]:
    """The names of the published schemas."""
    return schema.names()


def rules() -> Mapping[str, validate.AnyRule]:
    """Every rule by its code, in order."""
    return dict(sorted(validate.RULES.items()))


def nearest_rule(code: str) -> str:
    """The code that ``code`` was probably meant to be, as a hint."""
    return validate.nearest_code(code)


def _store(request: Request) -> Store | None:
    if not request.cached:
        return None
    return Store(environment.repository(request.directory) / ".oscompile" / "cache")


def _site(request: Request, store: Store | None) -> Site:
    repository = environment.repository(request.directory)
    settings = tuple(layers.setting(text) for text in request.settings)
    found = environment.find(repository, request.reference, request.directory)
    shelf = vendor.Shelf(repository, found.name)
    return layers.merge(found, settings, _memory(store), shelf.path)


def _memory(store: Store | None) -> schema.Memory:
    """Which documents earlier compiles found valid."""
    if store is None:
        return schema.FORGETFUL
    return schema.Memory(
        known_good=lambda key: store.get(key) is not None,
        remember=lambda key: store.put(key, b""),
    )


@dataclass(frozen=True, slots=True)
class _Bay:
    """Where charts are rendered: what earlier compiles kept, and who does the rest."""

    store: Store | None
    workers: Workers


def _rendered(
    request: Request, site: Site, found: tuple[Instance, ...], bay: _Bay, progress: Progress
) -> tuple[Bundle, ...]:
    """What the instances render; where values break a chart's schema, with the places of those values."""
    renderer = render.EmbeddedRenderer() if request.helm is None else render.program(request.helm)
    judge = validate.Judge.of(site, found, validate.vendored(site.repository))
    try:
        return render.render_all(
            [render_request(site, each) for each in found],
            renderer=renderer,
            cache=bay.store,
            workers=bay.workers,
            accept=judge,
            salt=judge.salt,
            progress=partial(progress, "rendering"),
        )
    except InputError as error:
        said = validate.standing(site, found, error.diagnostics)
        others = [diagnostic for diagnostic in said if diagnostic.code != validate.SCHEMA]
        placed = validate.values(found) if len(others) < len(said) else ()
        raise InputError((*others, *placed) if placed else said) from error


def _seen(
    request: Request, site: Site, found: tuple[Instance, ...], store: Store | None, progress: Progress
) -> tuple[Bundle, ...]:
    """What the instances render, for somebody who only looks at it; where one does not, why, as a compile says it."""
    renderer = render.EmbeddedRenderer() if request.helm is None else render.program(request.helm)
    salt = validate.Judge.of(site, found, validate.vendored(site.repository)).salt
    try:
        return render.look([render_request(site, each) for each in found], renderer=renderer, cache=store, salt=salt)
    except InputError:
        with Workers(request.executor, request.jobs) as workers:
            return _rendered(request, site, found, _Bay(store, workers), progress)


def _means(request: Request, site: Site, workers: Workers) -> trace.Means:
    """What it takes to find the values that decide the fields which findings are about."""

    def digest(asked: RenderRequest, question: str) -> Digest:
        return render.key(asked, render.EmbeddedRenderer(), question)

    store = Store(site.repository / ".oscompile" / "traces") if request.cached else None
    return trace.Means(partial(render_request, site), render.Trials, digest, store, workers)


def render_request(site: Site, found: Instance) -> RenderRequest:
    """What a renderer is handed for an instance."""
    return RenderRequest(
        repository=site.repository,
        chart=found.chart.name,
        chart_path=found.chart.path,
        chart_digest=found.chart.digest,
        instance=found.name,
        namespace=found.namespace,
        values=canonical(found.values.data()),
        kubernetes=site.kubernetes,
        contracted=found.chart.contract is not None and found.chart.contract.shipped,
    )


def _said(bundles: tuple[Bundle, ...], store: Store | None) -> Iterator[Diagnostic]:
    """What was noticed on the way."""
    for bundle in bundles:
        yield from bundle.diagnostics
    yield from store.diagnostics if store is not None else ()


def _stop(diagnostics: tuple[Diagnostic, ...]) -> None:
    """Stop here if any of them is an error."""
    mistakes = Collector()
    mistakes.extend(diagnostics)
    mistakes.stop()
