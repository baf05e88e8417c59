"""One instance: rendered, proved, read, judged. Pure, so that any worker anywhere can do it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from compiler.errors import InputError
from compiler.model.diagnostic import Diagnostic, Severity
from compiler.model.manifest import Bundle
from compiler.model.render import RenderRequest
from compiler.render import determinism
from compiler.render.entry import encode
from compiler.render.read import read
from compiler.render.renderer import Renderer


class Accept(Protocol):
    """A judge of what one instance rendered, alone. Must be picklable, and pure."""

    def __call__(self, rendered: Bundle) -> tuple[Diagnostic, ...]:
        """What is wrong with it."""

    def may_keep(self, said: tuple[Diagnostic, ...]) -> bool:
        """Whether a render of which that was said may be stored on a disk."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one instance: a bundle as bytes, or what its author must be told."""

    entry: bytes = b""
    faults: tuple[Diagnostic, ...] = ()
    storable: bool = False


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
    return Outcome(encode(judged), storable=accept is None or accept.may_keep(said))


def is_error(diagnostic: Diagnostic) -> bool:
    """Whether it stops the compile."""
    return diagnostic.severity is Severity.ERROR
