"""The order of a site: one graph of components, whose levels become the waves of every object. Called by the pipeline.

``homes`` says which component each object is applied with, ``edges`` who waits for whom and why, ``gates`` what may be
waited for at all, ``levels`` how deep that goes; ``circles`` draws what has no order. ``show`` puts a plan into words.
"""

from compiler.graph.plan import plan
from compiler.graph.show import describe, dot, mermaid, text

__all__ = ["describe", "dot", "mermaid", "plan", "text"]
