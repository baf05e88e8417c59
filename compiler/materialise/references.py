"""A rendered Secret that refers to credentials becomes what the site's backend can fill in.

``external-secrets`` gets an ExternalSecret whose template is the rendered text (external-secrets.io, "Advanced
Templating", engine v2); ``development`` a Secret with derived values.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from compiler.documents import emit
from compiler.errors import Collector
from compiler.materialise.secrets import Need, derived
from compiler.model.chart import SecretKey, SecretSpec
from compiler.model.data import Data, canonical
from compiler.model.instance import Instance
from compiler.model.manifest import Bundle, Manifest, Reference
from compiler.model.names import InstanceName
from compiler.model.node import Origin, ScalarNode, leaves
from compiler.model.site import Site
from compiler.relations.credentials import Credential, Mention, contents, mentioned, mentions

_PASSWORD: Final = SecretKey("password")
_MARK: Final = "$(secret:"
_QUOTED: Final = "%24%28secret%3A"
_STORE: Final = "external-secrets.io"


@dataclass(frozen=True, slots=True)
class References:
    """Where the credentials of ``site`` are kept, and how what refers to them is filled in."""

    site: Site
    instances: Mapping[InstanceName, Instance]

    def place(self, credential: Credential, owner: InstanceName) -> str:
        """Where the store keeps ``credential``, to which ``owner`` refers. ``KeyError``: no such instance."""
        instance = self.instances[InstanceName(credential.instance or owner)]
        return f"{self.site.name}/{instance.namespace}/{instance.name}/{credential.name}"

    def filled(self, bundle: Bundle, mistakes: Collector) -> Bundle:
        """``bundle`` with every Secret that refers to credentials replaced; what cannot be is noted."""
        changed = [self._filled(manifest, bundle.instance, mistakes) for manifest in bundle.manifests]
        return replace(bundle, manifests=tuple(sorted(changed, key=lambda manifest: manifest.id)))

    def _filled(self, manifest: Manifest, owner: InstanceName, mistakes: Collector) -> Manifest:
        is_secret = (manifest.id.kind, manifest.id.group) == ("Secret", "")
        if not is_secret:
            return self._in_the_open(manifest, owner, mistakes)
        data = manifest.data()
        found = sorted({one.credential for one in mentioned(data)})
        unknown = [one for one in found if one.instance and InstanceName(one.instance) not in self.instances]
        for one in unknown:
            message = f"{manifest.id} refers to a credential of the instance `{one.instance}`, but the site has none"
            mistakes.add(message, self.instances[owner].origin, "`$(secret:<instance>/<name>/<key>)`")
        if not found or unknown:
            return manifest
        make = self._derived if self.site.secrets.backend == "development" else self._fetched
        return make(manifest, data, owner, tuple(found))

    def _in_the_open(self, manifest: Manifest, owner: InstanceName, mistakes: Collector) -> Manifest:
        """What is no Secret may hold no credential; one that is derived for development is none."""
        text = manifest.content
        found = mentions(text) if _MARK in text or _QUOTED in text else ()
        if not found:
            return manifest
        if self.site.secrets.backend == "development":
            filled = _replaced(text.encode(), partial(self._value, owner), str).decode()
            return replace(manifest, content=filled, body=emit(json.loads(filled)))
        message = f"{manifest.id} would hold the credential `{_shown(found[0])}` in plain text"
        hint = "a value of the chart that puts it into a Secret, or another way to hand it over"
        mistakes.add(message, self.instances[owner].origin, hint)
        return manifest

    def _value(self, owner: InstanceName, one: Mention) -> str:
        """What stands for a credential in a development site; letters and digits, so that it needs no quotes."""
        return derived(f"{self.place(one.credential, owner)}/{one.credential.key}", _PASSWORD)

    def _derived(
        self, manifest: Manifest, data: Mapping[str, Data], owner: InstanceName, _: tuple[Credential, ...]
    ) -> Manifest:
        texts = {key: _replaced(content, partial(self._value, owner), str) for key, content in contents(data).items()}
        packed: dict[str, Data] = {key: base64.b64encode(text).decode() for key, text in texts.items()}
        rest = {key: below for key, below in data.items() if key not in _HEAD | {"stringData", "data"}}
        return _rewritten(manifest, {**rest, "data": packed})

    def _fetched(
        self, manifest: Manifest, data: Mapping[str, Data], owner: InstanceName, found: tuple[Credential, ...]
    ) -> Manifest:
        alias = {credential: f"credential{number}" for number, credential in enumerate(found)}

        def value(one: Mention) -> str:
            return f"{{{{ .{alias[one.credential]}{' | urlquery' if one.quoted else ''} }}}}"

        template: dict[str, Data] = {
            key: _replaced(content, value, _escaped).decode() for key, content in contents(data).items()
        }
        body: dict[str, Data] = {
            "spec": {
                "refreshPolicy": "Periodic",
                "refreshInterval": "1h0m0s",
                "secretStoreRef": {"kind": self.site.secrets.store_kind, "name": self.site.secrets.store},
                "target": {
                    "name": manifest.id.name,
                    "creationPolicy": "Owner",
                    "deletionPolicy": "Retain",
                    "template": {"engineVersion": "v2", "type": data.get("type", "Opaque"), "data": template},
                },
                "data": [
                    {"secretKey": name, "remoteRef": {"key": self.place(one, owner), "property": one.key}}
                    for one, name in alias.items()
                ],
            }
        }
        fetched = replace(manifest, id=replace(manifest.id, kind="ExternalSecret", group=_STORE))
        made = (Reference("Secret", manifest.id.namespace, manifest.id.name),)
        return replace(_rewritten(fetched, body), api_version=f"{_STORE}/v1", provides=made)


_HEAD: Final = frozenset({"apiVersion", "kind", "metadata"})


def referenced(site: Site, instances: tuple[Instance, ...]) -> tuple[Need, ...]:
    """Every Secret that values refer to, as ``oscompile secrets`` lists them; known without rendering anything."""
    known = References(site, {instance.name: instance for instance in instances})
    keys: dict[tuple[InstanceName, str], dict[str, SecretKey]] = {}
    for instance in instances:
        for one in _in_values(instance):
            owner = InstanceName(one.instance or instance.name)
            if owner in known.instances:
                keys.setdefault((owner, one.name), {})[one.key] = _PASSWORD
    return tuple(
        Need(
            owner,
            known.instances[owner].namespace,
            name,
            known.place(Credential("", name, ""), owner),
            SecretSpec(name, spec, Origin(site.file)),
        )
        for (owner, name), spec in sorted(keys.items(), key=lambda item: item[0])
    )


def _in_values(instance: Instance) -> Iterator[Credential]:
    for _, node in leaves(instance.values):
        if isinstance(node, ScalarNode) and isinstance(node.value, str) and _MARK in node.value:
            yield from (one.credential for one in mentions(node.value))


def _replaced(content: bytes, value: Callable[[Mention], str], plain: Callable[[str], str]) -> bytes:
    """``content`` with every reference as ``value`` says, and everything between them as ``plain`` does."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return plain(content.decode("latin-1")).encode("latin-1")
    parts, at = [], 0
    for one in mentions(text):
        parts += [plain(text[at : one.start]), value(one)]
        at = one.end
    return "".join([*parts, plain(text[at:])]).encode()


def _escaped(text: str) -> str:
    """Text that the template engine must leave as it is."""
    return text.replace("{{", '{{ "{{" }}')


def _shown(one: Mention) -> str:
    credential = one.credential
    return "/".join(filter(None, (credential.instance, credential.name, credential.key)))


def _rewritten(manifest: Manifest, body: dict[str, Data]) -> Manifest:
    return replace(manifest, body=emit(body), content=canonical(body))
