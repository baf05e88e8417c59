"""What a value does, and what decides a field: found by changing values and rendering again. Called by the pipeline.

A trace knows nothing of templates. It asks the engine: with this value changed, which rendered fields change? What it
says is what it saw; a value with which nothing else renders is said to be one of which nothing can be told.
"""

from compiler.trace.address import locate, resolve
from compiler.trace.compare import held
from compiler.trace.experiment import Bench, Experiment
from compiler.trace.explain import elsewhere, field, value
from compiler.trace.means import Means
from compiler.trace.place import placed
from compiler.trace.silent import silent

__all__ = [
    "Bench",
    "Experiment",
    "Means",
    "elsewhere",
    "field",
    "held",
    "locate",
    "placed",
    "resolve",
    "silent",
    "value",
]
