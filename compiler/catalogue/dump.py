"""Run by ``build`` in an environment of its own, never imported: print what packages say of their options.

Reads one service of the table on standard input as JSON, with the distributions of other services as ``foreign``.
Prints the ``distributions`` whose options it reads (by name: its version, its sections with their options), the
``plugins`` of keystoneauth by name, and ``sections`` that no distribution lists. One service a run, for services share
the global registry of oslo.config and name options alike. An option is ``{type, multi, name, old, removed}`` as far as
they differ from a plain text, a list of such where parts of a service define it differently; a type is its class, with
the arguments that differ from the class's own defaults. Help and defaults stay where they are: a check needs neither.
"""

import contextlib
import importlib
import importlib.util
import json
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from importlib import metadata
from typing import Any, Final, TypeAlias

from keystoneauth1 import loading
from oslo_config import cfg, types
from oslo_privsep import priv_context

Data: TypeAlias = dict[str, Any]

POINTS: Final = "oslo.config.opts"
PLAIN: Final[dict[Any, Any]] = {str: types.String, int: types.Integer, float: types.Float, bool: types.Boolean}
"""What a Python class means as a type."""

PORT: Final = [["min", 0], ["max", 65535]]
"""What restricts every port."""


def canonical(name: str) -> str:
    """A distribution's name as indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def described(kind: Any) -> list[Any] | None:
    """A type as data: the nearest class that oslo.config itself has, with what restricts it. None: nobody can know."""
    kind = PLAIN.get(kind, lambda: kind)() if isinstance(kind, type) else kind
    known = next((base for base in type(kind).__mro__ if getattr(types, base.__name__, None) is base), None)
    if known is None or known is types.ConfigType:
        return None
    name = known.__name__
    found = {**plain_restrictions(kind), **restrictions(kind, name)}
    if name == "Port":
        found = {key: value for key, value in found.items() if [key, value] not in PORT}
    return [name, found]


def plain_restrictions(kind: Any) -> Data:
    """The arguments that types keep as they got them, where they restrict anything."""
    found = {name: getattr(kind, name, None) for name in ("min", "max")}
    found |= {name: getattr(kind, name, None) or None for name in ("max_length", "min_length", "bounds", "quotes")}
    found |= {name: getattr(kind, name, None) or None for name in ("ignore_case", "schemes")}
    return {name: value for name, value in found.items() if value is not None}


def restrictions(kind: Any, name: str) -> Data:
    """The arguments that types keep in another shape."""
    found: Data = {}
    if getattr(kind, "choices", None):
        found["choices"] = list(kind.choices)
    if getattr(kind, "regex", None):
        found["regex"] = kind.regex.pattern
    if getattr(kind, "key_value_separator", ":") != ":":
        found["key_value_separator"] = kind.key_value_separator
    if name == "IPAddress" and kind.version_checker.__name__[-1] in "46":
        found["version"] = int(kind.version_checker.__name__[-1])
    inner = {argument: described(getattr(kind, argument, None)) for argument in ("item_type", "value_type")}
    return found | {argument: below for argument, below in inner.items() if below not in (None, ["String", {}])}


def entry(option: Any) -> Data:
    """An option as data, without what goes without saying: text, one value, no other name, not deprecated."""
    name, restricted = described(option.type) or ("", {})
    made: Data = {
        "type": "" if name == "String" and not restricted else [name, restricted] if restricted else name or "?",
        "multi": 1 if option.multi else 0,
        "name": option.name if option.name != option.dest else "",
        "old": [[old.group, old.name] for old in option.deprecated_opts],
        "removed": (option.deprecated_since or "some release") if option.deprecated_for_removal else "",
    }
    return {key: value for key, value in made.items() if value}


def group_name(group: Any) -> str:
    """A group's name; None is DEFAULT."""
    return str(getattr(group, "name", group) or "DEFAULT")


def sections(listed: Iterable[tuple[Any, Iterable[Any]]]) -> Data:
    """Sections with their options, sorted and without repetition."""
    found: dict[str, dict[str, list[Data]]] = {}
    for group, options in listed:
        below = found.setdefault(group_name(group), {})
        for option in options:
            made = entry(option)
            if made not in below.setdefault(option.dest, []):
                below[option.dest].append(made)
    return {
        name: {dest: made if made[1:] else made[0] for dest, made in below.items()} for name, below in found.items()
    }


def is_shipped(module: str) -> bool:
    """Whether there is such a module: some distributions name one that they do not ship."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def listed_by(distribution: metadata.Distribution) -> Iterator[tuple[Any, Iterable[Any]]]:
    """What every namespace of a distribution lists."""
    for point in sorted(distribution.entry_points.select(group=POINTS), key=lambda found: found.name):
        if is_shipped(point.module):
            yield from point.load()()


def closure(names: Iterable[str], foreign: set[str]) -> set[str]:
    """The distributions that ``names`` need, themselves included, without those of other services."""
    found: set[str] = set()
    waiting = [canonical(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in found or name in foreign:
            continue
        try:
            requirements = metadata.requires(name) or ()
        except metadata.PackageNotFoundError:
            continue
        found.add(name)
        waiting += [canonical(re.split(r"[^A-Za-z0-9._-]", one)[0]) for one in requirements if "extra ==" not in one]
    return found


def contexts(modules: Iterable[str]) -> list[tuple[str, str]]:
    """The section of each context of oslo.privsep, with the package that it is for, once ``modules`` are imported."""
    found: list[tuple[str, str]] = []
    original = priv_context.PrivContext.__init__

    def record(self: Any, prefix: str, cfg_section: str = "privsep", *others: Any, **named: Any) -> None:
        found.append((prefix.partition(".")[0], cfg_section))
        original(self, prefix, cfg_section, *others, **named)

    priv_context.PrivContext.__init__ = record
    for module in modules:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(module)
    priv_context.PrivContext.__init__ = original
    return found


def registered(pattern: Data) -> list[Any]:
    """The options that the function ``like`` of a pattern registers for a section that the value of an option names."""
    module, _, name = pattern["like"].partition(":")
    (section, option), conf = pattern["from"], cfg.ConfigOpts()
    conf.register_opt(cfg.ListOpt(option), group=section)
    conf.set_override(option, ["named"], group=section)
    getattr(importlib.import_module(module), name)(conf)
    found = vars(conf)["_groups"][f"{pattern.get('prefix', '')}named"]
    return [one["opt"] for one in vars(found)["_opts"].values()]


def service(given: Data) -> Data:
    """The sections of a service that no distribution lists: of privileged contexts, and patterns of dynamic ones."""
    modules = given.get("privileged", ())
    packages = {module.partition(".")[0] for module in modules}
    privileged = [section for package, section in contexts(modules) if package in packages]
    patterns = [one for one in given.get("dynamic", ()) if ":" in one["like"]]
    return sections(
        [(section, priv_context.OPTS) for section in privileged] + [(one["like"], registered(one)) for one in patterns]
    )


def dumped(name: str) -> Data | None:
    """One distribution; None where it lists no options."""
    distribution = metadata.distribution(name)
    if not distribution.entry_points.select(group=POINTS):
        return None
    return {"version": distribution.version, "sections": sections(listed_by(distribution))}


def main() -> None:
    """Print everything."""
    warnings.simplefilter("ignore")
    given = json.load(sys.stdin)
    own = service(given)
    found = {name: dumped(name) for name in sorted(closure(given["distributions"], set(given["foreign"])))}
    plugins = {
        name: sections([("DEFAULT", [option._to_oslo_opt() for option in loader.get_options()])])["DEFAULT"]
        for name, loader in sorted(loading.get_available_plugin_loaders().items())
    }
    listed = {name: entry for name, entry in found.items() if entry}
    json.dump({"distributions": listed, "plugins": plugins, "sections": own}, sys.stdout)


if __name__ == "__main__":
    main()
