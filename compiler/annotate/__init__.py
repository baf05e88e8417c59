"""What the engines read: annotations on every object, and the objects that deliver a site. Called by the pipeline.

``annotate`` writes waves and lifecycles (``lifecycles`` is the table of them); ``deliver`` makes the Argo CD
Applications and the Flux Kustomizations that apply the tree in the order of the plan.
"""

from compiler.annotate.annotate import annotate
from compiler.annotate.deliver import deliver

__all__ = ["annotate", "deliver"]
