"""The order of a site: one graph of components, whose levels become the waves of every object. Called by the pipeline.

``homes`` says which component each object is applied with, ``edges`` who waits for whom and why, ``gates`` what may be
waited for at all, ``levels`` how deep that goes; ``circles`` draws what has no order. ``zoom`` makes a picture of a
plan, at the level of instances, components or objects, and ``drawings`` are its forms; ``why`` tells the story of one
object.
"""

from compiler.graph.drawings import data, dot, mermaid, svg, text
from compiler.graph.picture import Level, Picture
from compiler.graph.plan import plan
from compiler.graph.why import Story, find, why
from compiler.graph.zoom import picture

__all__ = ["Level", "Picture", "Story", "data", "dot", "find", "mermaid", "picture", "plan", "svg", "text", "why"]
