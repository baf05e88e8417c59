"""The rules, grouped as the rule list groups them."""

from compiler.validate.rules import (
    collisions,
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
    silence,
    state,
    survival,
    waits,
)

LOADED = (
    collisions,
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
    silence,
    state,
    survival,
    waits,
)
