"""Lay the documents of a site over one another, keeping where each value comes from. Called by the pipeline.

In comes an ``Environment``; out comes a ``Site``, whose declarations hold the finished values of each instance.
``setting`` reads one ``--set`` of the command line; ``elsewhere`` names the charts that must be fetched first.
"""

from compiler.layers.settings import setting
from compiler.layers.site import elsewhere, merge

__all__ = ["elsewhere", "merge", "setting"]
