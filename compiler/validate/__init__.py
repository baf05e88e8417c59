"""What a cluster, a reviewer or a bad day would refuse, refused now. Called by the pipeline.

Every rule has a stable code (the numbers of the project's rule list), a severity and a page: the docstring of its
check. ``inputs`` runs on finished values before anything is rendered or stored, ``Judge`` on what one instance rendered
(part of the pure work of that instance), ``check`` on the whole site; ``values`` finds the places when Helm has refused
values by their schema. ``vendored`` reads the definitions of custom kinds that the repository brings along. ``settle``
holds what was found against the site's waivers and the contracts' exemptions, and ``expired`` says, given a day, which
of them are over; ``standing`` does what can be done of it where an instance does not render.
"""

from compiler.validate.rule import RULES, AnyRule
from compiler.validate.run import SCHEMA, SURVIVAL, Judge, check, inputs, values
from compiler.validate.vendored import vendored
from compiler.validate.waivers import expired, nearest_code, settle, standing

__all__ = [
    "RULES",
    "SCHEMA",
    "SURVIVAL",
    "AnyRule",
    "Judge",
    "check",
    "expired",
    "inputs",
    "nearest_code",
    "settle",
    "standing",
    "values",
    "vendored",
]
