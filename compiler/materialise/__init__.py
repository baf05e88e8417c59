"""The objects that the site itself supplies: Namespaces, and the Secrets that charts declare. Called by the pipeline.

A chart names the Secrets it needs and never renders one. Here the site's backend turns each declaration into an object:
``external-secrets`` into an ExternalSecret that fetches it from the site's store, ``development`` into a Secret with a
derived value, which only an environment marked ``development: true`` may use.
"""

from compiler.materialise.materialise import WRITER, materialise
from compiler.materialise.references import referenced
from compiler.materialise.secrets import Need, needs

__all__ = ["WRITER", "Need", "materialise", "needs", "referenced"]
