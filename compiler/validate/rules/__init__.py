"""The rules, grouped as the rule list groups them."""

from compiler.validate.rules import (
    containers,
    credentials,
    jobs,
    naming,
    ordering,
    placement,
    references,
    rendering,
    resilience,
    schema,
    state,
    survival,
    waits,
)

LOADED = (
    containers,
    credentials,
    jobs,
    naming,
    ordering,
    placement,
    references,
    rendering,
    resilience,
    schema,
    state,
    survival,
    waits,
)
