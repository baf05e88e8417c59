"""What is wrong with the options that a file or an environment sets."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, groupby
from typing import Final

from compiler.catalogue import values
from compiler.catalogue.ini import Assignment, Unreadable, read
from compiler.catalogue.option import Mistake, Option, Options, folded
from compiler.model.diagnostic import Severity

_VARIABLE: Final = re.compile(r"OS_[A-Z0-9_.-]+?__[A-Z0-9_.-]+")
_SECRET: Final = re.compile(r"(?i)password|secret|token|key|connection|transport_url")
_FEW: Final = 3
"""So many places an option may be meant in, for a hint to name them."""

_TRUE: Final = frozenset({"true", "1", "on", "yes"})


def check_files(files: Mapping[str, str], options: Options) -> Iterator[Mistake]:
    """Every mistake in ``files``, texts by name, which the service that ``options`` are of reads together.

    A section or an option that the service does not have is an error, with the nearest that it has; so is a value that
    its option does not take. What is deprecated is a warning, with its replacement. A text that oslo.config cannot read
    is one error. Where ``options`` are those of sections that many services share, other sections are left alone, and
    so are texts of another format. Mistakes come in the order of files and lines.
    """
    assignments: list[Assignment] = []
    for file, text in files.items():
        found = read(file, text)
        if not isinstance(found, Unreadable):
            assignments += (one for one in found if one.section.startswith(options.prefix))
        elif not options.prefix:
            yield _unreadable(found)
    known = {**options.sections, **dict(_dynamic(assignments, options))}
    former = {section for section, _ in options.deprecated}
    for section, group in groupby(assignments, key=lambda found: (found.file, found.section)):
        held = list(group)
        if folded(section[1]) in known or folded(section[1]) in former:
            for one in held:
                yield from _assignment(one, known, options)
        else:
            what = f"{options.subject} has no section `[{section[1]}]`"
            yield _mistake(what, _nearest_section(held[0], known), Severity.ERROR, held[0])
    yield from _together(assignments)


def check_environment(variables: Mapping[str, str | None], options: Options) -> Iterator[Mistake]:
    """Every mistake in the variables that oslo.config reads as options: ``OS_<SECTION>__<OPTION>``.

    A value is None where it comes from a Secret or another place that nobody sees here. Variables of other names are no
    business of oslo.config. It reads no deprecated names from the environment, so those are unknown.
    """
    names = _variables(options)
    for variable, value in variables.items():
        option = names.get(variable)
        if option is None and _VARIABLE.fullmatch(variable):
            what = f"{options.subject} has no option that the variable `{variable}` would set"
            hint = _close(variable, {name: name for name in names}) or "remove it"
            yield Mistake(what, hint, Severity.ERROR, option=variable)
        elif option is not None:
            if value is not None and not values.fits(option, value):
                yield Mistake(*_wrong_value(f"`{variable}`", option, value), Severity.ERROR, option=variable)
            if option.removed:
                yield Mistake(*_removed(f"`{variable}`", option), Severity.WARNING, option=variable)


def _variables(options: Options) -> Mapping[str, Option]:
    found: dict[str, Option] = {}
    for section, below in options.sections.items():
        found |= {f"OS_{section}__{option.name}".upper(): option for option in below.values()}
    return found


def _mistake(message: str, hint: str, severity: Severity, at: Assignment) -> Mistake:
    return Mistake(message, hint, severity, at.section, at.option, at.file, at.line)


def _unreadable(found: Unreadable) -> Mistake:
    what = f"line {found.line} must be one that oslo.config reads, but is not: {found.reason}"
    return Mistake(what, "`option = value` below a `[section]`", Severity.ERROR, file=found.file, line=found.line)


def _assignment(found: Assignment, known: Mapping[str, Mapping[str, Option]], options: Options) -> Iterator[Mistake]:
    shown = f"`[{found.section}] {found.option}`"
    option = known.get(folded(found.section), {}).get(found.option)
    if option is None:
        option = options.deprecated.get((folded(found.section), found.option))
        if option is None:
            what = f"{options.subject} has no option {shown}"
            yield _mistake(what, _nearest_option(found, known), Severity.ERROR, found)
            return
        yield _mistake(f"{shown} is deprecated in {options.subject}", str(option), Severity.WARNING, found)
    if not values.fits(option, found.value):
        yield _mistake(*_wrong_value(shown, option, found.value), Severity.ERROR, found)
    if option.removed:
        yield _mistake(*_removed(shown, option), Severity.WARNING, found)


def _wrong_value(shown: str, option: Option, value: str) -> tuple[str, str]:
    written = (
        "is something else (it may be secret, and is not shown)" if _SECRET.search(option.name) else f'is "{value}"'
    )
    choices = values.choices(option)
    what = f"{shown} must be {values.expected(option)}, but {written}"
    return what, _close(value, {choice: choice for choice in choices})


def _removed(shown: str, option: Option) -> tuple[str, str]:
    what = f"{shown} is deprecated since {option.removed}, and nothing takes its place"
    return what, "remove it before the release that does"


def _dynamic(assignments: Sequence[Assignment], options: Options) -> Iterator[tuple[str, Mapping[str, Option]]]:
    """The sections that values of this very file name, with the options that they have."""
    written = {(folded(found.section), found.option): found.value for found in assignments}
    for dynamic in options.dynamic:
        value = written.get((folded(dynamic.section), dynamic.option), "")
        items = [item.strip() for item in value.split(",") if item.strip()]
        names = [
            dynamic.prefix + (item.partition(dynamic.separator)[0] if dynamic.separator else item) for item in items
        ]
        for name in chain(names, dynamic.also):
            yield folded(name), options.sections.get(folded(dynamic.like), {})
    for (section, option), value in written.items():
        if option == "auth_section" and section in options.sections:
            yield folded(value), {**options.sections[section], **options.sections.get(folded(value), {})}


def _together(assignments: Sequence[Assignment]) -> Iterator[Mistake]:
    """Rules between options that no look at a single one finds."""
    rabbit = {found.option: found for found in assignments if folded(found.section) == "oslo_messaging_rabbit"}
    stream, prefetch = rabbit.get("rabbit_stream_fanout"), rabbit.get("rabbit_qos_prefetch_count")
    if stream is None or stream.value.lower() not in _TRUE:
        return
    if prefetch is None or prefetch.value.strip() in {"", "0"} or prefetch.value.strip().startswith("-"):
        what = (
            "`[oslo_messaging_rabbit] rabbit_qos_prefetch_count` must be above 0 where `rabbit_stream_fanout` is true, "
            "but is not: every process that receives would fail at its start"
        )
        at = prefetch or stream
        yield _mistake(what, "`rabbit_qos_prefetch_count: 10`", Severity.ERROR, at)


def _nearest_section(found: Assignment, known: Mapping[str, Mapping[str, Option]]) -> str:
    spelled = {section: section for section in known}
    return _close(found.section, spelled) or _elsewhere(found, known) or "remove it"


def _nearest_option(found: Assignment, known: Mapping[str, Mapping[str, Option]]) -> str:
    here = known.get(folded(found.section), {})
    return (
        _close(found.option, {name: option.name for name, option in here.items()})
        or _elsewhere(found, known)
        or "remove it"
    )


def _elsewhere(found: Assignment, known: Mapping[str, Mapping[str, Option]]) -> str:
    """The options of that very name in other sections, where they are few."""
    places = dict.fromkeys(str(options[found.option]) for options in known.values() if found.option in options)
    return " or ".join(places) if len(places) <= _FEW else ""


def _close(wanted: str, spelled: Mapping[str, str]) -> str:
    """What ``wanted`` was probably meant to be, or nothing. ``spelled`` maps names to what is shown of them."""
    close = difflib.get_close_matches(wanted, spelled, n=1, cutoff=0.75)
    return f"`{spelled[close[0]]}`" if close else ""
