"""References to credentials in values: ``$(secret:cache/key)`` stands for what only the site's store knows.

A chart is handed the reference where it wants a password, and renders it into whatever it makes of passwords. What it
renders into a Secret can be filled in by the site's backend; anywhere else it would have to be plain text.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from compiler.model.data import Data
from compiler.relations.untyped import Map, mapping

_STEP: Final = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_PLAIN: Final = (
    rf"\$\(secret:(?:(?P<instance>{_STEP})/)?(?P<name>{_STEP})/(?P<key>[A-Za-z0-9._-]+)\)"
    rf"|%24%28secret%3A(?:(?P<instance_>{_STEP})%2F)?(?P<name_>{_STEP})%2F(?P<key_>[A-Za-z0-9._-]+)%29"
)
_REFERENCE: Final = re.compile(_PLAIN)


@dataclass(frozen=True, slots=True, order=True)
class Credential:
    """One key of a Secret of the site's store. ``instance`` is empty for the instance that refers to it itself."""

    instance: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A reference in a text, from ``start`` to ``end``; ``quoted`` where the template quoted it for a URL."""

    credential: Credential
    start: int
    end: int
    quoted: bool


def mentions(text: str) -> tuple[Mention, ...]:
    """Every reference in ``text``, in order, those that Go's ``urlquery`` has quoted too.

    >>> [one.credential for one in mentions("nova:$(secret:mq/password)@mq %24%28secret%3Adb%2Froot%2Fkey%29")]
    [Credential(instance='', name='mq', key='password'), Credential(instance='db', name='root', key='key')]
    """
    return tuple(_mention(found) for found in _REFERENCE.finditer(text))


def as_seen_by_others(text: str, instance: str) -> str:
    """``text`` of ``instance``, with its references to its own credentials as another instance has to write them.

    >>> as_seen_by_others("$(secret:root/password)", "mariadb")
    '$(secret:mariadb/root/password)'
    """
    for one in reversed(mentions(text)):
        if not one.credential.instance and not one.quoted:
            text = (
                f"{text[: one.start]}$(secret:{instance}/{one.credential.name}/{one.credential.key}){text[one.end :]}"
            )
    return text


def _mention(found: re.Match[str]) -> Mention:
    quoted = found["name"] is None
    tail = "_" if quoted else ""
    credential = Credential(*(found[f"{part}{tail}"] or "" for part in ("instance", "name", "key")))
    return Mention(credential, found.start(), found.end(), quoted)


def contents(secret: Data | Map) -> Mapping[str, bytes]:
    """What is in each key of a Secret, in order of key; what is not base64 there is taken as it stands."""
    written = {key: str(value).encode() for key, value in mapping(secret, "stringData").items() if value is not None}
    packed = {key: _unpacked(str(value)) for key, value in mapping(secret, "data").items() if value is not None}
    return dict(sorted({**packed, **written}.items()))


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return text.encode()


def mentioned(secret: Data | Map) -> Iterator[Mention]:
    """Every reference in a Secret."""
    for content in contents(secret).values():
        yield from mentions(content.decode(errors="replace"))
