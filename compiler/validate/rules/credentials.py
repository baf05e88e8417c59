"""Rules about what must never be written down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from compiler.model.instance import Instance
from compiler.model.manifest import Manifest
from compiler.model.node import ListNode, MapNode, Node, ScalarNode, dotted
from compiler.relations.credentials import contents, mentions
from compiler.relations.untyped import items, mapping
from compiler.validate.literals import gives_away, is_written_down, lines_give_away
from compiler.validate.pods import Container, pod
from compiler.validate.rule import BUNDLE_RULES, INPUT_RULES, Finding, Subject, rule

_HINT: Final = (
    "declare a Secret in component.yaml and read it from the environment, or in a third-party chart refer to one with "
    "`$(secret:<name>/<key>)`; the value is not shown here"
)


_Found: TypeAlias = tuple[str, tuple[str | int, ...]]
"""What to say, and the path to where it stands."""


@rule(INPUT_RULES, "OS036", "no credential in values or in what is rendered from them")
def no_credential_in_values(instance: Instance) -> Iterator[Finding]:
    """Check that no value, and no rendered object but a materialised Secret, holds a credential.

    Looks at keys, variables, annotations and options of command lines that name one (`password`, `secret_key`, ...), at
    what is random under a name that may (`..._secret`, `..._token`, `..._key`), at URLs with a password in them, and at
    private keys and the tokens of well-known services. A reference (`$(DB_PASSWORD)`, a path) is none. The message
    never shows what was found.

    Why it matters: the output lies in Git, and in every cache, log and pull request that it passes through.

    Example: `conf: {keystone: {database: {connection: "mysql://keystone:...@db/keystone"}}}`

    Use instead: a Secret declared under `secrets:` in `component.yaml`, read from an environment variable. A
    development site may accept what a third-party chart has by default (`secrets: {chartDefaults: [chart]}`); what the
    site's own files write is refused all the same.
    """
    for path, node in _scalars(instance.values, ()):
        if not isinstance(node.value, str) or not node.value:
            continue
        if instance.default_credentials and node.origin.file.startswith(f"{instance.chart.path}/"):
            continue
        key = next((step for step in reversed(path) if isinstance(step, str)), "")
        if is_written_down(key, node.value):
            where = f"`{dotted(path)}` of `{instance.name}`"
            yield Finding(f"{where} holds a credential in plain text", node.origin, _HINT)


def _scalars(node: Node, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], ScalarNode]]:
    """Every scalar below ``node``, in maps and in lists."""
    if isinstance(node, ScalarNode):
        yield path, node
    below = node.entries.items() if isinstance(node, MapNode) else ()
    for step, each in enumerate(node.items) if isinstance(node, ListNode) else below:
        yield from _scalars(each, (*path, step))


@rule(BUNDLE_RULES, "OS036", "no credential in values or in what is rendered from them")
def no_credential_rendered(subject: Subject) -> Iterator[Finding]:
    """Check the same of every rendered object; the page is that of the rule on values."""
    for manifest in subject.bundle.manifests if not subject.owner.default_credentials else ():
        if manifest.template.startswith("oscompile:"):
            continue
        found: list[_Found]
        if manifest.id.kind == "Secret":
            found = [(f"{manifest.id} is a Secret with its content", ())] if not _is_harmless(manifest) else []
        else:
            found = list(_written_down(subject, manifest))
        for message, path in found:
            yield Finding(message, subject.origin(manifest), _HINT, subject.field(manifest, *path))


def _written_down(subject: Subject, manifest: Manifest) -> Iterator[_Found]:
    """Credentials at places that have a name; where there is none, whether the whole holds one."""
    placed = [*_annotated(manifest), *_in_pods(subject, manifest)]
    yield from placed
    if not placed and (gives_away(f"{manifest.metadata}\n{manifest.body}") or lines_give_away(manifest.body)):
        yield f"{manifest.id} holds a credential in plain text", ()


def _annotated(manifest: Manifest) -> Iterator[_Found]:
    for key, value in mapping(manifest.metadata_data(), "annotations").items():
        if isinstance(value, str) and is_written_down(key, value):
            place = ("metadata", "annotations", key)
            yield f"the annotation `{key}` of {manifest.id} holds a credential in plain text", place


def _in_pods(subject: Subject, manifest: Manifest) -> Iterator[_Found]:
    made = pod(manifest.id.group, manifest.id.kind, subject.data(manifest))
    for container in made.containers if made is not None else ():
        whose = f"of the container `{container.name}` of {manifest.id} holds a credential in plain text"
        for number, variable in enumerate(items(container.spec, "env")):
            name, value = str(variable.get("name")), variable.get("value")
            if isinstance(value, str) and is_written_down(name, value):
                yield f"the variable `{name}` {whose}", (*container.path, "env", number, "value")
        for key, line in _command_lines(container):
            if gives_away(line):
                yield f"the `{key}` {whose}", (*container.path, key)


def _command_lines(container: Container) -> Iterator[tuple[str, str]]:
    """What is run, as one line: an option and its value may be two words of it."""
    for key in ("command", "args"):
        words = container.spec.get(key)
        if isinstance(words, list):
            yield key, " ".join(str(word) for word in words)


def _is_harmless(secret: Manifest) -> bool:
    """Whether a Secret is empty, or refers to the credentials in it and writes none."""
    found = [content.decode(errors="replace") for content in contents(secret.data()).values()]
    refers = any(mentions(text) for text in found)
    return not any(found) or (refers and not any(lines_give_away(text) or gives_away(text) for text in found))
