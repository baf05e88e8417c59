"""Rules about what must never be written down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from compiler.model.instance import Instance
from compiler.model.manifest import Manifest
from compiler.model.node import ScalarNode, leaves
from compiler.relations.credentials import contents, mentions
from compiler.validate.rule import BUNDLE_RULES, INPUT_RULES, Finding, Subject, rule

_WORDS: Final = (
    r"(?:password|passwd|passphrase|secret_?key|private_?key|api_?key|access_?key|auth_?key|auth_?token|admin_?token)"
)
_KEY: Final = re.compile(rf"(?i)(?:^|[._-]|(?<=[a-z])){_WORDS}$")
_URL: Final = re.compile(r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}://[^\s/:@'\"]*:(?P<secret>[^\s/@'\"]+)@")
_PEM: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_REFERENCE: Final = re.compile(r"\$[({]?[A-Za-z_]|^/|^<.*>$|%\(")
_LINE: Final = re.compile(
    rf"(?im)^[ \t-]*[\"']?[\w.]*{_WORDS}[\"']?[ \t]*[:=][ \t]*"
    r"(?P<quote>[\"']?)(?P<secret>[^\s\"'()\[\]{}]+)(?P=quote)[,;]?[ \t]*$"
)
"""A key that names a credential, and one literal after it to the end of the line; an expression of a script is none."""

_NO_SECRET: Final = re.compile(r"(?i)none|null|true|false|[a-z_]+(\.[a-z_]+)+|[a-z_]*password")
_HINT: Final = (
    "declare a Secret in component.yaml and read it from the environment, or in a third-party chart refer to one with "
    "`$(secret:<name>/<key>)`; the value is not shown here"
)


@rule(INPUT_RULES, "OS036", "no credential in values or in what is rendered from them")
def no_credential_in_values(instance: Instance) -> Iterator[Finding]:
    """Check that no value, and no rendered object but a materialised Secret, holds a credential.

    Looks at keys that name one (`password`, `secret_key`, ...), at URLs with a password in them and at private keys. A
    reference (`$(DB_PASSWORD)`, a path) is none. The message never shows what was found.

    Why it matters: the output lies in Git, and in every cache, log and pull request that it passes through.

    Example: `conf: {keystone: {database: {connection: "mysql://keystone:...@db/keystone"}}}`

    Use instead: a Secret declared under `secrets:` in `component.yaml`, read from an environment variable. A
    development site may accept what a third-party chart has by default (`secrets: {chartDefaults: [chart]}`); what the
    site's own files write is refused all the same.
    """
    for path, node in leaves(instance.values):
        if not isinstance(node, ScalarNode) or not isinstance(node.value, str) or not node.value:
            continue
        if instance.default_credentials and node.origin.file.startswith(f"{instance.chart.path}/"):
            continue
        named = _KEY.search(path[-1]) if path else None
        if (named and not _REFERENCE.search(node.value)) or _gives_away(node.value):
            where = f"`{'.'.join(path)}` of `{instance.name}`"
            yield Finding(f"{where} holds a credential in plain text", node.origin, _HINT)


@rule(BUNDLE_RULES, "OS036", "no credential in values or in what is rendered from them")
def no_credential_rendered(subject: Subject) -> Iterator[Finding]:
    """Check the same of every rendered object; the page is that of the rule on values."""
    for manifest in subject.bundle.manifests if not subject.owner.default_credentials else ():
        if manifest.template.startswith("oscompile:"):
            continue
        is_secret = manifest.id.kind == "Secret"
        if _is_filled_in(manifest) if is_secret else not _holds(f"{manifest.metadata}\n{manifest.body}", manifest.body):
            continue
        what = "is a Secret with its content" if is_secret else "holds a credential in plain text"
        yield Finding(f"{manifest.id} {what}", subject.origin(manifest), _HINT, subject.field(manifest))


def _is_filled_in(secret: Manifest) -> bool:
    """Whether a Secret is empty, or refers to the credentials in it and writes none."""
    texts = [content.decode(errors="replace") for content in contents(secret.data()).values()]
    refers = any(mentions(text) for text in texts)
    return not any(texts) or (refers and not any(_holds(text, text) for text in texts))


def _holds(text: str, lines: str) -> bool:
    return any(_is_literal(found["secret"]) for found in _LINE.finditer(lines)) or _gives_away(text)


def _is_literal(text: str) -> bool:
    return not _REFERENCE.search(text) and not _NO_SECRET.fullmatch(text)


def _gives_away(text: str) -> bool:
    urls = any(not _REFERENCE.search(found["secret"]) for found in _URL.finditer(text))
    return urls or _PEM.search(text) is not None
