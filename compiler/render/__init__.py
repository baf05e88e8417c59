"""Helm's engine: embedded, or the helm program. Instances become bundles of manifests. Called by the pipeline.

Two renderers keep one promise (``Renderer``); what they render is proved to come out the same each time, read with
Kubernetes' meaning, and kept in a cache by everything that decided it.
"""

from compiler.render.charts import load_chart_digest
from compiler.render.embedded import EmbeddedRenderer
from compiler.render.many import key, look, render_all
from compiler.render.one import render
from compiler.render.program import ProgramRenderer, program
from compiler.render.renderer import Renderer
from compiler.render.trials import Trials

__all__ = [
    "EmbeddedRenderer",
    "ProgramRenderer",
    "Renderer",
    "Trials",
    "key",
    "load_chart_digest",
    "look",
    "program",
    "render",
    "render_all",
]
