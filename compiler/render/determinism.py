"""Proof that a chart renders the same each time, or an error that says what does not, where, and how to pin it.

What decides a render besides its values has to be called by name. A chart in which nothing names such a function needs
no proof. Any other is rendered once more, with a failure in the place of each call that asks the clock or for a map in
no order: what comes out the same then was decided neither by these, which were not reached, nor by chance. Only where
one of them is reached is the chart rendered at another time and in another order, more than once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from compiler.errors import InputError
from compiler.model.diagnostic import Diagnostic, Severity
from compiler.model.node import Origin
from compiler.model.render import RenderedFile, RenderRequest
from compiler.render import charts
from compiler.render.charts import ChartFiles
from compiler.render.lean import lean
from compiler.render.renderer import Renderer
from compiler.render.scan import Call, Cause, Scan, disturbed, is_mute, scan, strict

_DISTURBED: Final = frozenset({Cause.CLOCK, Cause.ORDER})
_TIMES: Final = 2
"""How often the disturbed chart is rendered: Go's maps keep their order by chance more often than not."""

_OPENS: Final = "{{"
_SHOWN: Final = 2
_LIBRARIES: Final = "charts/"
_SAME: Final = "OS001"
_CODE: Final = "OS002"


def prove(request: RenderRequest, renderer: Renderer, first: tuple[RenderedFile, ...]) -> tuple[Diagnostic, ...]:
    """Prove that ``request`` always renders to ``first``.

    Returns a warning for each call that this instance's values happen to pin. Raises ``InputError`` where anything
    differs, naming the calls that may be the reason.
    """
    files = charts.of(request)
    found = scan(files.templates())
    if is_mute(files.templates(), _texts(request, files)):
        return ()
    for again in _again(request, renderer, files, found):
        _compare(request, found, first, again)
    return tuple(_pinned(request, call) for call in found.calls if call.cause is not Cause.ORDER)


def _texts(request: RenderRequest, files: ChartFiles) -> Iterator[str]:
    """What ``tpl`` may be handed: the values, and the chart's files in which there is an action."""
    yield request.values if _OPENS in request.values else ""
    for content in files.files.values():
        if _OPENS.encode() in content:
            yield content.decode(errors="replace")


def _again(
    request: RenderRequest, renderer: Renderer, files: ChartFiles, found: Scan
) -> Iterator[tuple[RenderedFile, ...]]:
    """The chart rendered again, as often as it takes; without what is called by nobody, where it renders so."""
    small = lean(files, [request.values])
    if _DISTURBED.isdisjoint(call.cause for call in found.calls):
        yield _rendered(request, renderer, small) or renderer.render(request)
        return
    strictly = _rendered(request, renderer, _changed(small, strict))
    if strictly is not None:
        yield strictly
        return
    for _ in range(_TIMES):
        again = _rendered(request, renderer, _changed(small, disturbed))
        yield again or renderer.render(request, _changed(files, disturbed))


def _rendered(request: RenderRequest, renderer: Renderer, files: ChartFiles) -> tuple[RenderedFile, ...] | None:
    """What comes out; None where nothing does."""
    try:
        return renderer.render(request, files)
    except InputError:
        return None


def _changed(files: ChartFiles, change: Callable[[str], str]) -> ChartFiles:
    """The same chart with other templates."""
    texts = ((name, change(text)) for name, text in files.templates() if name in files.files)
    return ChartFiles({**files.files, **{name: text.encode() for name, text in texts}})


def _compare(
    request: RenderRequest, found: Scan, first: tuple[RenderedFile, ...], again: tuple[RenderedFile, ...]
) -> None:
    if first != again:
        differ = sorted({file.template for file in set(first) ^ set(again)})
        raise InputError(_explained(request, found, differ))


def _explained(request: RenderRequest, found: Scan, differ: list[str]) -> Iterator[Diagnostic]:
    shown = _listed(differ)
    must = f"the chart `{request.chart}` must render the same each time, but {shown} did not"
    suspects = _suspects(found, differ)
    if not suspects:
        hint = "look for what depends on chance, on the time, or on the order of a map"
        yield Diagnostic(must, charts.origin(request, differ[0]), hint, code=_SAME)
    for call in suspects:
        message = f"{must}: `{call.function}` depends on {call.cause}"
        yield Diagnostic(message, _origin(request, call), _hint(request, call), code=_SAME)


def _listed(differ: list[str]) -> str:
    shown = [f"`{template}`" for template in differ[:_SHOWN]]
    more = len(differ) - len(shown)
    return " and ".join([*shown, *([f"{more} more"] if more else [])])


def _suspects(found: Scan, differ: list[str]) -> tuple[Call, ...]:
    """The calls that the differing templates reach, or else all of them.

    A library's call that no value pins is left out where there are others: every chart that uses it would differ. A
    template may also be included by a name that is made up while it runs, which no reading of the files can follow.
    """
    reachable = found.reachable(template.partition("/")[2] for template in differ)
    variable = tuple(call for call in found.calls if call.cause is not Cause.CLUSTER)
    near = tuple(call for call in variable if call.owner in reachable)
    for calls in (near, variable):
        plain = tuple(call for call in calls if call.pins or not call.template.startswith(_LIBRARIES))
        if plain:
            return plain
    return near or variable


def _hint(request: RenderRequest, call: Call) -> str:
    if call.cause is Cause.ORDER:
        return "`keys ... | sortAlpha`, or `range` over the map itself, which goes in the order of its keys"
    pins = " or ".join(f"`{pin}`" for pin in call.pins)
    return f"a value for {pins} in the values of the instance `{request.instance}`" if pins else "a value instead"


def _pinned(request: RenderRequest, call: Call) -> Diagnostic:
    if call.cause is Cause.CLUSTER:
        message = f"`{call.function}` asks {call.cause}, and a compile has none: it always finds nothing"
    else:
        message = f"`{call.function}` depends on {call.cause}; only the values given here keep it out of the output"
    return Diagnostic(message, _origin(request, call), "a value instead", code=_CODE, severity=Severity.WARNING)


def _origin(request: RenderRequest, call: Call) -> Origin:
    return charts.origin(request, f"{request.chart}/{call.template}", call.line, call.column)
