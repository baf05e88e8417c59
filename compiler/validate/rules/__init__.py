"""The rules, grouped as the rule list groups them."""

from compiler.validate.rules import credentials, jobs, naming, references, rendering, resilience, schema

LOADED = (credentials, jobs, naming, references, rendering, resilience, schema)
