"""One instance: rendered, proved, read, judged. Pure, so that any worker anywhere can do it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from compiler.errors import InputError
from compiler.model.diagnostic import Diagnostic, Severity
from compiler.model.manifest import Bundle
from compiler.model.render import RenderRequest
from compiler.render import determinism
from compiler.render.entry import encode
from compiler.render.read import read
from compiler.render.renderer import Renderer

Accept: TypeAlias = Callable[[Bundle], tuple[Diagnostic, ...]]
"""What is wrong with one rendered instance, judged alone. Must be picklable, and pure."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one instance: a bundle as bytes, or what its author must be told."""

    entry: bytes = b""
    faults: tuple[Diagnostic, ...] = ()
    accepted: bool = False


def render(request: RenderRequest, renderer: Renderer) -> Bundle:
    """Render one instance, prove that it comes out the same each time, and read it.

    Pure, and made of nouns that can be pickled. Raises ``InputError`` with the places in the chart's own files.
    """
    files = renderer.render(request)
    pinned = determinism.prove(request, renderer, files)
    bundle = read(request, files)
    said = tuple(sorted({*bundle.diagnostics, *pinned}, key=Diagnostic.sort_key))
    return replace(bundle, diagnostics=said)


def work(request: RenderRequest, *, renderer: Renderer, accept: Accept | None) -> Outcome:
    """Render and judge one instance; failures are values, so that one instance's does not hide another's."""
    try:
        bundle = render(request, renderer)
    except InputError as error:
        return Outcome(faults=error.diagnostics)
    said = accept(bundle) if accept is not None else ()
    judged = replace(bundle, diagnostics=(*bundle.diagnostics, *said))
    return Outcome(encode(judged), accepted=not any(map(is_error, said)))


def is_error(diagnostic: Diagnostic) -> bool:
    """Whether it stops the compile."""
    return diagnostic.severity is Severity.ERROR
