"""The rules, grouped as the rule list groups them."""

from compiler.validate.rules import (
    credentials,
    jobs,
    naming,
    ordering,
    references,
    rendering,
    resilience,
    schema,
    waits,
)

LOADED = (credentials, jobs, naming, ordering, references, rendering, resilience, schema, waits)
