"""Lay the documents of a site over one another, keeping where each value comes from. Called by the pipeline.

In comes an ``Environment``; out comes a ``Site``, whose declarations hold the finished values of each instance.
``setting`` reads one ``--set`` of the command line; ``Memory`` spares a document that is known to be valid its schema.
"""

from compiler.layers.check import Memory
from compiler.layers.settings import setting
from compiler.layers.site import merge

__all__ = ["Memory", "merge", "setting"]
