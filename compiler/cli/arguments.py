"""What can be said on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final, NoReturn

from compiler.errors import UsageError

COMMANDS: Final = (
    "compile",
    "list",
    "graph",
    "explain",
    "validate",
    "survive",
    "vendor",
    "secrets",
    "schema",
    "rule",
)
_EPILOG: Final = """\
commands:
  ENV                         compile a site (env/site-a, site-a, or a path: all the same)
  list                        the environments of this repository
  graph ENV                   the order in which the site comes up, and why
  explain ENV INSTANCE [KEY]  which file set a value, what it overrode, and which rendered fields it reaches
  explain ENV OBJECT [FIELD]  which values decide a rendered field (deployment/keystone-api spec.replicas)
  validate ENV                what the rules say of the site, without writing it
  vendor ENV                  fetch the charts that are published elsewhere, and pin them
  secrets ENV                 the Secrets the site needs, and where each is fetched from
  survive ENV                 what the site survives: each workload without any host, any zone, any two hosts
  schema [NAME]               the JSON schema of a format (environment, component, index, ...)
  rule [CODE]                 what a rule checks, why, and what to do instead
"""


_VALUED: Final = frozenset({"-C", "--directory", "-o", "--output", "--set", "--renderer", "--jobs"})
"""Options that may stand before the command, and take the word behind them."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"error: {message}\n  try: {self.prog} --help")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command and its options. Anything that is not a command is an environment to compile.

    Raises ``UsageError`` for what makes no sense; ``--help`` and ``--version`` exit as argparse does.
    """
    words = list(argv)
    place = _first(words)
    command = words.pop(place) if place is not None and words[place] in COMMANDS else "compile"
    return _BUILDERS[command]().parse_args(words, argparse.Namespace(command=command))


def _first(words: Sequence[str]) -> int | None:
    """Where the first word stands that is neither an option nor the value of one."""
    for number, word in enumerate(words):
        if not word.startswith("-") and (number == 0 or words[number - 1] not in _VALUED):
            return number
    return None


def _parser(command: str, description: str) -> _Parser:
    name = "oscompile" if command == "compile" else f"oscompile {command}"
    parser = _Parser(
        prog=name,
        description=description,
        epilog=_EPILOG if command == "compile" else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("-C", "--directory", type=Path, default=Path(), help="work as if started in DIRECTORY")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="for people or for machines")
    return parser


def _compiling(command: str, description: str) -> _Parser:
    parser = _parser(command, description)
    parser.add_argument("environment", metavar="ENV", help="the site: env/NAME, NAME, or a path")
    parser.add_argument(
        "--set",
        dest="settings",
        metavar="INSTANCE.PATH=VALUE",
        action="append",
        default=[],
        help="the highest layer: one value of one instance (repeatable)",
    )
    parser.add_argument(
        "--renderer",
        choices=("embedded", "helm"),
        default="embedded",
        help="Helm's engine in process, or the helm program (HELM_BIN)",
    )
    parser.add_argument("--jobs", type=int, metavar="N", help="processes that render (default: one for each core)")
    parser.add_argument("--no-cache", action="store_true", help="render everything anew")
    return parser


def _compile() -> _Parser:
    parser = _compiling("compile", "Compile a layered site into ordered manifests for Argo CD and Flux.")
    ending = parser.add_mutually_exclusive_group()
    ending.add_argument("--commit", action="store_true", help="record the output in one Git commit")
    ending.add_argument("--check", action="store_true", help="write nothing; fail unless Git equals the compile")
    ending.add_argument("--dry-run", action="store_true", help="write nothing; say what would change")
    _dated(parser)
    parser.add_argument("--version", action="version", version=_version())
    return parser


def _graph() -> _Parser:
    parser = _compiling("graph", "Show the order in which the site comes up, and why.")
    parser.add_argument("--format", choices=("text", "mermaid", "dot", "svg"), default="text", help="how to draw it")
    parser.add_argument(
        "--level",
        choices=("instance", "component", "object"),
        default="component",
        help="what a node of it stands for (default: component)",
    )
    one = parser.add_mutually_exclusive_group()
    one.add_argument(
        "--why", metavar="OBJECT", help="why one object is in its wave: every edge from wave 0, with its place"
    )
    one.add_argument("--blocks", metavar="OBJECT", help="what each engine leaves undone if it never becomes healthy")
    return parser


def _explain() -> _Parser:
    parser = _compiling(
        "explain",
        "Show where a value comes from and which rendered fields it reaches, or which values decide a rendered field.",
    )
    parser.add_argument(
        "subject",
        metavar="INSTANCE|OBJECT",
        help="an instance of the site, or an object as kubectl writes it (deployment/keystone-api, "
        "openstack/deployment/keystone-api) or as the path of its file",
    )
    parser.add_argument(
        "path",
        metavar="KEY|FIELD",
        nargs="?",
        default="",
        help="a value of the instance (replicas.api), or a field of the object (spec.replicas, containers[api].image)",
    )
    parser.add_argument("-n", "--namespace", default="", help="the namespace of the object, where several have one")
    return parser


def _validate() -> _Parser:
    parser = _compiling("validate", "Hold a site against every rule, and write nothing.")
    parser.add_argument("--format", choices=("text", "json", "sarif", "junit"), help="what to print (default: text)")
    parser.add_argument("--fail-on", choices=("warning", "error"), default="error", help="what makes it exit with 1")
    parser.add_argument("--all", action="store_true", help="print every finding, however many a rule has")
    _dated(parser)
    return parser


def _dated(parser: _Parser) -> None:
    parser.add_argument(
        "--today", type=_day, metavar="DATE", help="the day that waivers are held against (default: that of the clock)"
    )


def _day(text: str) -> str:
    return date.fromisoformat(text).isoformat()


def _list() -> _Parser:
    return _parser("list", "List the environments of this repository.")


def _secrets() -> _Parser:
    return _compiling("secrets", "List the Secrets that the site needs, and where each is fetched from.")


def _vendor() -> _Parser:
    parser = _parser("vendor", "Fetch the charts that the site uses and others publish, and pin what was fetched.")
    parser.add_argument("environment", metavar="ENV", help="the site: env/NAME, NAME, or a path")
    parser.add_argument("--update", action="store_true", help="take what is published now, also where it changed")
    parser.add_argument("--plain-http", action="store_true", help="speak to registries without TLS")
    return parser


def _survive() -> _Parser:
    parser = _compiling("survive", "Prove what the site survives: the loss of any host, of any zone, of any two hosts.")
    parser.add_argument("--pairs", action="store_true", help="take any two hosts away, too")
    return parser


def _schema() -> _Parser:
    parser = _parser("schema", "Print the JSON schema of a format; without a name, list them.")
    parser.add_argument("name", nargs="?", default="", metavar="NAME")
    return parser


def _rule() -> _Parser:
    parser = _parser("rule", "Explain a rule; without a code, list them.")
    parser.add_argument("code", nargs="?", default="", metavar="CODE")
    return parser


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - slow, and only for --version

    try:
        return f"oscompile {version('oscompile')}"
    except PackageNotFoundError:  # run as a Helm plugin, from the checkout itself
        return "oscompile (from a checkout)"


_BUILDERS: Final = {
    "compile": _compile,
    "list": _list,
    "graph": _graph,
    "explain": _explain,
    "validate": _validate,
    "secrets": _secrets,
    "vendor": _vendor,
    "survive": _survive,
    "schema": _schema,
    "rule": _rule,
}
