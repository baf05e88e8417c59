"""What a cluster, a reviewer or a bad day would refuse, refused now. Called by the pipeline.

Every rule has a stable code (the numbers of the project's rule list), a severity and a page: the docstring of its
check. ``inputs`` runs on finished values before anything is rendered or stored, ``bundle`` on what one instance
rendered (it is part of the pure work of that instance), ``check`` on the whole site.
"""

from compiler.validate.rule import RULES, Rule, Subject, View
from compiler.validate.run import bundle, check, inputs

__all__ = ["RULES", "Rule", "Subject", "View", "bundle", "check", "inputs"]
