"""Give the objects of third-party charts their components. Called by the pipeline.

A chart of ours labels every object with its component, and its contract says what each component is. Other charts say
neither; here their objects are sorted by what they do. In come the instances and what they rendered; out go the same
bundles, every manifest of which knows its component.
"""

from compiler.adopt.components import adopt

__all__ = ["adopt"]
