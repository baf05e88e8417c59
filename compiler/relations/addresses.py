"""Addresses in texts: where a program is told whom to talk to, and whether it does so with TLS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

_TLS: Final = frozenset({"https", "amqps", "rediss", "valkeys", "ldaps", "wss", "ssl", "pssl", "tls"})
_PLAIN: Final = frozenset({"http", "amqp", "redis", "valkey", "ldap", "ws", "tcp", "ptcp"})
_BY_QUERY: Final = frozenset({"mysql", "mariadb", "postgresql", "postgres"})
"""Schemes of databases, which speak TLS where their query says so."""

_BROKERS: Final = frozenset({"rabbit", "kombu"})
"""Schemes of oslo.messaging, which asks an option, or the query, whether to speak TLS."""

_OFF: Final = frozenset({"0", "false", "disable", "disabled", "no", "off"})
_URL: Final = re.compile(r"\b([a-z][a-z0-9+.-]*)://([^\s\"'<>\\]*)")
_BRIEF: Final = re.compile(r"(?<![\w.-])(p?(?:tcp|ssl)):([\w.-]+:\d+)")
"""How Open vSwitch writes an address: ``ssl:host:6641``."""

_SECTION: Final = re.compile(r"^\[oslo_messaging_rabbit\]\s*$(?P<body>.*?)(?=^\[|\Z)", re.MULTILINE | re.DOTALL)
_OPTION: Final = re.compile(r"^\s*ssl\s*[=:]\s*(?:true|1|yes|on)\s*$", re.MULTILINE | re.IGNORECASE)
_VARIABLE: Final = "OS_OSLO_MESSAGING_RABBIT__SSL"


@dataclass(frozen=True, slots=True)
class Address:
    """What a provider is reached at: any of ``hosts``, each by its full name inside the cluster, on one ``port``."""

    hosts: tuple[str, ...]
    port: int

    @property
    def pattern(self) -> str:
        """What finds it, by its full name and by every shorter or longer one that a cluster resolves."""
        short = sorted({re.escape(host.partition(".")[0]) for host in self.hosts}, key=len, reverse=True)
        return rf"(?<![\w.-])(?:{'|'.join(short)})(?:\.[\w.-]+)?(?::{self.port})?(?![\w:-])"


@dataclass(frozen=True, slots=True)
class Mention:
    """An address in a text: how it is ``shown`` there (no password, no query), and whether it is ``encrypted``."""

    shown: str
    encrypted: bool


def mentions(text: str, address: Address, *, broker_tls: bool = False) -> Iterator[Mention]:
    """Every place in ``text`` that tells whether ``address`` is spoken to with TLS.

    ``broker_tls`` is whether an option beside the URLs of oslo.messaging says so. An address without a scheme, and one
    whose scheme does not tell, are none.

    >>> db = Address(("db-proxy.openstack.svc",), 3306)
    >>> list(mentions("mysql+pymysql://me:secret@db-proxy.openstack.svc:3306/me?charset=utf8", db))
    [Mention(shown='mysql+pymysql://db-proxy.openstack.svc:3306', encrypted=False)]
    >>> [one.encrypted for one in mentions("mysql://db-proxy.openstack/me?ssl_ca=/ca.crt db-proxy:3306", db)]
    [True]
    >>> [one.encrypted for one in mentions("ssl:nb.x.svc:6641,tcp:nb:6641", Address(("nb.x.svc",), 6641))]
    [True, False]
    """
    if not any(host.partition(".")[0] in text for host in address.hosts):
        return
    wanted = re.compile(address.pattern)
    for found in _URL.finditer(text):
        authority, _, rest = found[2].partition("/")
        authority, _, query = authority.partition("?")
        host = wanted.search(authority)
        encrypted = _encrypted(found[1], query or rest.partition("?")[2], broker_tls=broker_tls)
        if host is not None and encrypted is not None:
            yield Mention(f"{found[1]}://{host[0]}", encrypted)
    for found in _BRIEF.finditer(text):
        host = wanted.search(found[2])
        if host is not None:
            yield Mention(found[0], found[1] in _TLS)


def says_tls(key: str, text: str) -> bool:
    r"""Whether a file, or the variable ``key``, tells oslo.messaging to speak TLS to its broker.

    >>> says_tls("a.conf", "[oslo_messaging_rabbit]\nssl = true\n"), says_tls("a.conf", "[x]\nssl = true\n")
    (True, False)
    """
    if key == _VARIABLE:
        return text.strip().lower() not in _OFF
    section = _SECTION.search(text)
    return section is not None and _OPTION.search(section["body"]) is not None


def _encrypted(scheme: str, query: str, *, broker_tls: bool) -> bool | None:
    """Whether a URL with that scheme and query speaks TLS; None where they do not tell."""
    names = scheme.split("+")
    by_query = any(key.startswith(("ssl", "tls")) and value.lower() not in _OFF for key, value in parse_qsl(query))
    if names[0] in _BY_QUERY:
        return by_query
    if names[0] in _BROKERS:
        return broker_tls or by_query
    known = [name in _TLS for name in names if name in _TLS | _PLAIN]
    return known[-1] if known else None
