"""Lay the documents of a site over one another, keeping where each value comes from. Called by the pipeline.

In comes an ``Environment``; out comes a ``Site``, whose declarations hold the finished values of each instance.
``setting`` reads one ``--set`` of the command line.
"""

from compiler.layers.settings import setting
from compiler.layers.site import merge

__all__ = ["merge", "setting"]
