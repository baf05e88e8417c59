"""The forms that a picture of a plan can take: words, data, Mermaid, DOT, SVG."""

from compiler.graph.drawings.data import data
from compiler.graph.drawings.dot import dot
from compiler.graph.drawings.mermaid import mermaid
from compiler.graph.drawings.svg import svg
from compiler.graph.drawings.text import text

__all__ = ["data", "dot", "mermaid", "svg", "text"]
