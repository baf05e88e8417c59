"""What ``explain`` says, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, takewhile
from typing import Final

from compiler.cli.terminal import Terminal
from compiler.model.data import Data
from compiler.model.manifest import Field
from compiler.model.node import Node, describe, dotted, literal
from compiler.model.trace import Cause, Effect, FieldTrace, Given, Reach, Supply, ValueTrace
from compiler.model.tree import object_path

_SHOWN: Final = 48
"""How much of a value a line shows."""

_LEAD: Final = 12
"""How much of what two long texts share is shown before they part."""

_FIELDS: Final = 12
"""How many fields of one object a person is shown; machines get all."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line for people: what stands out in it is bold, what may be passed over is dim."""

    bold: str = ""
    plain: str = ""
    dim: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, in both forms."""

    lines: tuple[Line, ...]
    data: Data

    def text(self, terminal: Terminal) -> str:
        """For people."""
        return "\n".join(terminal.bold(line.bold) + line.plain + terminal.dim(line.dim) for line in self.lines)


def of_value(trace: ValueTrace) -> Told:
    """Where values come from, and what they reach."""
    lines = [line for supply in trace.supplies for line in _supplied(supply)]
    reached = _reached(trace, trace.reach) if trace.reach is not None else ()
    trouble = [Line(plain=text) for found in trace.trouble for text in str(found).splitlines()]
    if trouble:
        lines.append(Line("what it reaches cannot be told, for the chart does not render:"))
    data: dict[str, Data] = {
        "instance": trace.instance,
        "path": dotted(trace.path),
        "values": [_supply_data(supply) for supply in trace.supplies],
    }
    if trace.reach is not None:
        data["reaches"] = [_effect_data(effect, trace.output) for effect in trace.reach.effects]
        data["reachesElsewhere"] = [_effect_data(effect, trace.output) for effect in trace.elsewhere]
        data["tried"] = [json.loads(tried) for tried in trace.reach.tried]
        data["cannotBeTold"] = [dotted(path) for path in trace.reach.untold]
    return Told((*lines, *reached, *trouble), data)


def of_field(trace: FieldTrace) -> Told:
    """What decides a field."""
    decision, where = trace.decision, f"{_steps(trace.field)} of " if trace.field.path else ""
    lines = [Line(where, _file(trace.field, trace.output), f" is {_short(trace.value)}")]
    if trace.writer:
        lines += [Line(plain="no chart renders it: the compiler writes it, for what the site and the contracts say")]
        lines += [_place(trace.template)]
    elif not trace.supplies:
        lines += [Line(plain="no value decides it: the template does"), _place(decision.template or trace.template)]
    else:
        lines += [Line(plain="decided by")]
        lines += [line for supply in trace.supplies for line in _supplied(supply, "  ")]
        lines += [Line(plain="rendered by"), _place(trace.template.file if trace.template else "")]
    lines += [Line(dim=text) for text in _unsure(decision.untold, complete=decision.complete)]
    return Told(tuple(lines), _field_data(trace))


def _field_data(trace: FieldTrace) -> dict[str, Data]:
    decision = trace.decision
    template = decision.template or trace.template
    return {
        "instance": trace.field.instance,
        "object": _file(trace.field, trace.output),
        "field": _steps(trace.field),
        "value": trace.value,
        "decidedBy": [_supply_data(supply) for supply in trace.supplies],
        "template": str(template) if template else None,
        "writer": trace.writer or None,
        "cannotBeTold": [_name(cause) for cause in decision.untold],
        "complete": decision.complete,
    }


def _supplied(supply: Supply, indent: str = "") -> Iterator[Line]:
    found = describe(literal(supply.value, supply.origin)) if not isinstance(supply.value, list | dict) else "empty"
    yield Line(f"{indent}{_name(supply.cause)}", f" is {found}", f", from {supply.by}" if supply.by else "")
    yield _place(supply.origin, indent)
    for lost in supply.lost:
        yield from _lost("overrides", lost, f", from the layer `{lost.origin.layer}`" * bool(lost.origin.layer), indent)
    if supply.default is not None:
        yield from _lost("the chart's default is", supply.default, "", indent)


def _lost(what: str, node: Node, by: str, indent: str) -> Iterator[Line]:
    yield Line(dim=f"{indent}  {what} {describe(node)}{by}")
    yield _place(node.origin, indent)


def _place(origin: object, indent: str = "") -> Line:
    return Line(dim=f"{indent}  --> {origin}")


def _reached(trace: ValueTrace, reach: Reach) -> Iterator[Line]:
    tried = " or ".join(f"`{_cut(other)}`" for other in reach.tried)
    seen = f" (rendered with {tried} instead)" if tried else ""
    if reach.effects:
        yield from _told(reach.effects, trace.output, "", seen)
    else:
        yield Line("reaches no field", dim=seen)
    if trace.elsewhere:
        yield from _told(trace.elsewhere, trace.output, " of instances that are bound to it")
    yield from (Line(dim=text) for text in _unsure(reach.untold, complete=True))


def _told(effects: Iterable[Effect], output: str, whose: str, seen: str = "") -> Iterator[Line]:
    """What changes by itself, then what is a digest of that."""
    ordered = sorted(effects, key=lambda effect: (_file(effect.field, output), _steps(effect.field)))
    told, digests = ([effect for effect in ordered if effect.digest is digest] for digest in (False, True))
    yield Line(f"reaches {_count(len(told), 'field')}{whose}", dim=seen)
    yield from _by_object(told, output)
    if digests:
        yield Line(plain="  and digests of what changed:")
        yield from _by_object(digests, output)


def _by_object(effects: Iterable[Effect], output: str) -> Iterator[Line]:
    for file, group in groupby(effects, lambda effect: _file(effect.field, output)):
        found = list(group)
        yield Line(plain=f"  {file}")
        yield from (
            Line(f"    {_steps(effect.field) or 'the object'}", dim=_change(effect)) for effect in found[:_FIELDS]
        )
        if len(found) > _FIELDS:
            yield Line(dim=f"    ... and {len(found) - _FIELDS} more")


def _change(effect: Effect) -> str:
    if effect.digest:
        return ""
    if effect.lines:
        return f"  line{'s' * (len(effect.lines) > 1)} {_ranges(effect.lines)}"
    before, after = _apart(effect.before, effect.after)
    return f"  {_short(before)} -> {_short(after)}"


def _apart(before: Data, after: Data) -> tuple[Data, Data]:
    """Two long texts from shortly before where they part."""
    if not (isinstance(before, str) and isinstance(after, str)) or len(before) <= _SHOWN:
        return before, after
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    start = max(0, shared - _LEAD)
    return (before, after) if start == 0 else (f"...{before[start:]}", f"...{after[start:]}")


def _ranges(lines: tuple[int, ...]) -> str:
    """Line numbers, runs of them shortened.

    >>> _ranges((1, 2, 3, 7))
    '1-3, 7'
    """
    runs = [list(run) for _, run in groupby(enumerate(lines), lambda pair: pair[1] - pair[0])]
    ends = [(run[0][1], run[-1][1]) for run in runs]
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ends)


def _unsure(untold: Iterable[Cause], *, complete: bool) -> Iterator[str]:
    names = ", ".join(f"`{_name(cause)}`" for cause in untold)
    if names:
        yield f"cannot be told of {names}: the chart does not render with anything else there"
    if not complete:
        yield "there may be more: the bound on renders was reached"


def _name(cause: Cause) -> str:
    return cause.value if isinstance(cause, Given) else dotted(cause)


def _steps(field: Field) -> str:
    """The path of a field: a key that has dots itself stands in brackets, which a shell leaves alone in quotes."""
    steps = (f"[{step}]" if isinstance(step, int) or "." in step else f".{step}" for step in field.path)
    return "".join(steps).removeprefix(".")


def _file(field: Field, output: str) -> str:
    return f"{output}/{object_path(field.instance, field.object)}"


def _short(value: Data) -> str:
    match value:
        case None:
            return "nothing"
        case dict():
            return "a map"
        case list():
            return f"a list of {len(value)}"
        case str():
            return _cut(value)
        case _:
            return json.dumps(value)


def _cut(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return line if line == text and len(line) <= _SHOWN else f"{line[: _SHOWN - 3]}..."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _supply_data(supply: Supply) -> dict[str, Data]:
    lost: list[Data] = [_node_data(node) for node in supply.lost]
    return {
        "path": _name(supply.cause),
        "value": supply.value,
        "place": str(supply.origin),
        "from": supply.by,
        "overrode": lost,
        "default": _node_data(supply.default) if supply.default is not None else None,
    }


def _node_data(node: Node) -> dict[str, Data]:
    return {"value": node.data(), "place": str(node.origin), "layer": node.origin.layer}


def _effect_data(effect: Effect, output: str) -> dict[str, Data]:
    return {
        "object": _file(effect.field, output),
        "field": _steps(effect.field),
        "lines": list(effect.lines),
        "before": effect.before,
        "after": effect.after,
        "digest": effect.digest,
    }
