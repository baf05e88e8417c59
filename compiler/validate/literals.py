"""What looks like a credential that somebody wrote down: by the name it stands under, or by what it is itself."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final

_WORDS: Final = (
    r"(?:password|passwd|passphrase|secret_?key|private_?key|api_?key|access_?key|auth_?key|auth_?token|admin_?token)"
)
_KEY: Final = re.compile(rf"(?i)(?:^|[._/-]|(?<=[a-z])){_WORDS}$")
_REFERENCE: Final = re.compile(r"\$[({]?[A-Za-z_]|^/|^<.*>$|^\{|%\(")
_NO_SECRET: Final = re.compile(r"(?i)none|null|true|false|[a-z_]+(\.[a-z_]+)+|[a-z_]*password")
_URL: Final = re.compile(r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}://[^\s/:@'\"]*:(?P<secret>[^\s/@'\"]+)@")
_LINE: Final = re.compile(
    rf"(?im)^[ \t-]*[\"']?[\w.]*{_WORDS}[\"']?[ \t]*[:=][ \t]*"
    r"(?P<quote>[\"']?)(?P<secret>[^\s\"'()\[\]{}]+)(?P=quote)[,;]?[ \t]*$"
)
"""A key that names a credential, and one literal after it to the end of the line; an expression of a script is none."""

_OPTION: Final = re.compile(rf"(?i)(?:^|\s)--?[\w-]*{_WORDS}(?:=|[ \t]+)[\"']?(?P<secret>[^\s\"']+)")
"""An option of a command line that names a credential, and its value."""

_KNOWN: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bglpat-[\w-]{20,}|\bxox[abprs]-[\w-]{10,}"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"
)
"""What is a credential wherever it stands: private keys, and tokens of AWS, GitHub, GitLab, Slack and JOSE."""

_VAGUE: Final = re.compile(r"(?i)(?<!public)(?:[a-z0-9][._-]|(?<=[a-z]))(?:secret|token|key|salt|cookie)$")
"""Names that may be of a credential: what stands under them is one if it is random."""

_SETTING: Final = re.compile(r"(?m)^[ \t]*(?P<key>[\w.-]+)[ \t]*[:=][ \t]*[\"']?(?P<value>[\w+/=-]{20,})[\"']?[ \t]*$")
_RANDOM: Final = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9+/_]{20,}={0,2}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BITS: Final = 3.0
"""Bits of Shannon's entropy in each character: random hexadecimals have nearly four, repeated letters fewer."""


def is_written_down(key: str, value: str) -> bool:
    """Whether ``value``, which stands under ``key``, is a credential in plain text, and not a reference to one.

    >>> is_written_down("DB_PASSWORD", "hunter2"), is_written_down("DB_PASSWORD", "$(FROM_SECRET)")
    (True, False)
    >>> is_written_down("metadata_proxy_shared_secret", "9f2c4e7ab15d40c8a6b3"), is_written_down("topologyKey", "rack")
    (True, False)
    """
    named = _KEY.search(key) is not None and bool(value) and not _REFERENCE.search(value)
    return named or (_VAGUE.search(key) is not None and is_random(value)) or gives_away(value)


def gives_away(text: str) -> bool:
    """Whether ``text`` holds a credential whatever it stands under: in a URL, in an option, or as it is."""
    urls = any(not _REFERENCE.search(found["secret"]) for found in _URL.finditer(text))
    return urls or any(_is_literal(found["secret"]) for found in _OPTION.finditer(text)) or bool(_KNOWN.search(text))


def lines_give_away(text: str) -> bool:
    """Whether a line of ``text`` sets what is named for a credential, as configuration files do."""
    if any(_is_literal(found["secret"]) for found in _LINE.finditer(text)):
        return True
    settings = ((found["key"], found["value"]) for found in _SETTING.finditer(text))
    return any(_VAGUE.search(key) and is_random(value) for key, value in settings)


def is_random(text: str) -> bool:
    """Whether ``text`` is what a generator of keys makes: long, of letters and digits, with nothing to read in it.

    >>> [is_random(text) for text in ("9f2c4e7ab15d40c8a6b3", "keystone-fernet-keys-2026", "aaaaaaaaaaaaaaaaaaa1")]
    [True, False, False]
    """
    if _UUID.fullmatch(text):
        return True
    return _RANDOM.fullmatch(text) is not None and _entropy(text.rstrip("=")) >= _BITS


def _entropy(text: str) -> float:
    """Bits for each character of ``text``."""
    shares = (count / len(text) for count in Counter(text).values())
    return -sum(share * math.log2(share) for share in shares)


def _is_literal(text: str) -> bool:
    return not _REFERENCE.search(text) and not _NO_SECRET.fullmatch(text)
