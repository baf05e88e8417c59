"""Many instances: what the cache has is not rendered, the rest is rendered side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TypeAlias

from compiler.cache import Store, digest_of_sources
from compiler.errors import InputError
from compiler.model.data import Data, canonical, digest
from compiler.model.diagnostic import Diagnostic
from compiler.model.manifest import Bundle
from compiler.model.names import Digest
from compiler.model.render import RenderRequest
from compiler.render.entry import decode
from compiler.render.one import Accept, is_error, work
from compiler.render.read import read
from compiler.render.renderer import Renderer
from compiler.workers import Workers

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many of how many instances are done."""


def render_all(  # noqa: PLR0913 - each is named, and most callers give three
    requests: Sequence[RenderRequest],
    *,
    renderer: Renderer,
    cache: Store | None = None,
    workers: Workers | None = None,
    accept: Accept | None = None,
    salt: str = "",
    progress: Progress | None = None,
) -> tuple[Bundle, ...]:
    """The bundles of ``requests``, in their order.

    What ``cache`` has under the same chart, values, names, capabilities, engine, compiler and ``salt`` is taken from
    it; the rest is rendered by ``workers`` (without them, in this process). ``accept`` judges each bundle where it was
    rendered: what it says is added to the bundle's diagnostics, and decides whether the bundle may be stored. ``salt``
    must hold all else that ``accept`` depends on.

    Raises ``InputError`` when every instance has been tried, with the faults of all that failed.
    """
    keys = [key(request, renderer, salt) for request in requests]
    found = [_from_cache(cache, each) for each in keys]
    missing = [number for number, bundle in enumerate(found) if bundle is None]
    report = progress or _nobody
    report(len(requests) - len(missing), len(requests))
    job = partial(work, renderer=renderer, accept=accept)
    asked = [requests[number] for number in missing]
    results = map(job, asked) if workers is None else workers.each(job, asked)
    faults: list[Diagnostic] = []
    for done, (number, outcome) in enumerate(zip(missing, results, strict=True), len(requests) - len(missing) + 1):
        faults += outcome.faults
        found[number] = decode(outcome.entry)
        if cache is not None and outcome.storable:
            cache.put(keys[number], outcome.entry)
        report(done, len(requests))
    if faults:
        raise InputError((*faults, *_errors(found)))
    if cache is not None:
        cache.retire()
    return tuple(bundle for bundle in found if bundle is not None)


def look(
    requests: Sequence[RenderRequest], *, renderer: Renderer, cache: Store | None = None, salt: str = ""
) -> tuple[Bundle, ...]:
    """The bundles of ``requests`` as ``render_all`` gives them, but nothing is proved, judged or stored.

    Raises ``InputError`` where an instance does not render.
    """
    known = (_from_cache(cache, key(request, renderer, salt)) for request in requests)
    return tuple(
        bundle if bundle is not None else read(request, renderer.render(request))
        for request, bundle in zip(requests, known, strict=True)
    )


def key(request: RenderRequest, renderer: Renderer, salt: str) -> Digest:
    """The digest of all that decides what ``request`` comes to with ``renderer``; ``salt`` is all else."""
    apis: list[Data] = [*request.kubernetes.api_versions]
    decides: list[Data] = [
        *(request.chart, request.chart_path, request.chart_digest, request.instance, request.namespace, request.values),
        *(request.kubernetes.version, apis, request.contracted, renderer.identity, _compiler(), salt),
    ]
    return digest(canonical(decides))


@cache
def _compiler() -> Digest:
    return digest_of_sources(Path(__file__).parents[1])


def _from_cache(store: Store | None, key: Digest) -> Bundle | None:
    payload = store.get(key) if store is not None else None
    return None if payload is None else decode(payload)


def _errors(bundles: Sequence[Bundle | None]) -> Iterator[Diagnostic]:
    for bundle in bundles:
        yield from filter(is_error, bundle.diagnostics if bundle is not None else ())


def _nobody(_done: int, _all: int) -> None:
    """Nobody wants to know."""
