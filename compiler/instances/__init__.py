"""Expand a site into named instances and bind every requirement to its provider. Called by the pipeline.

In comes a ``Site`` whose declarations hold finished values; out go its instances, in order of name, each with its
chart, its contract and both sides of its bindings, which its chart reads as plain values.
"""

from compiler.instances.resolve import resolve

__all__ = ["resolve"]
