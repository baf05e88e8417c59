"""What a cluster of a given Kubernetes version takes: its own kinds, custom ones, the API versions it serves."""

from compiler.validate.schemas.built_in import GROUPS, KNOWN, Form, built_in
from compiler.validate.schemas.custom import NO_DEFINITIONS, Definitions, read, rendered
from compiler.validate.schemas.mistakes import Mistake, mistakes
from compiler.validate.schemas.served import Fate, fate

__all__ = [
    "GROUPS",
    "KNOWN",
    "NO_DEFINITIONS",
    "Definitions",
    "Fate",
    "Form",
    "Mistake",
    "built_in",
    "fate",
    "mistakes",
    "read",
    "rendered",
]
