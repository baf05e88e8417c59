"""What the engines read: annotations on every object, and the objects that deliver a site. Called by the pipeline.

``settle`` decides what becomes of hooks and Jobs, before anything is ordered (``lifecycles`` has the table);
``annotate`` writes waves and lifecycles; ``deliver`` makes the Argo CD Applications and the Flux Kustomizations that
apply the tree in the order of the plan.
"""

from compiler.annotate.annotate import annotate
from compiler.annotate.deliver import deliver
from compiler.annotate.settle import settle

__all__ = ["annotate", "deliver", "settle"]
