"""The engines that sync the output, in small: what Argo CD and Flux do with files, and on what they stand still.

Facts about both are here and nowhere else. ``Rehearsal`` plays what happens from the emitted files alone; ``held``
says of one edge which construct enforces it.
"""

from compiler.engines.application import Application
from compiler.engines.kustomization import Kustomization
from compiler.engines.log import Entry
from compiler.engines.memory import Emitted, compiled
from compiler.engines.objects import Applied, read
from compiler.engines.prove import NOTHING, Proof, after_power_loss, owners, prove
from compiler.engines.rehearse import Rehearsal
from compiler.engines.revision import Revision
from compiler.engines.scene import rehearsals
from compiler.engines.standstill import Circle, Stuck, Waiter

__all__ = [
    "NOTHING",
    "Application",
    "Applied",
    "Circle",
    "Emitted",
    "Entry",
    "Kustomization",
    "Proof",
    "Rehearsal",
    "Revision",
    "Stuck",
    "Waiter",
    "after_power_loss",
    "compiled",
    "owners",
    "prove",
    "read",
    "rehearsals",
]
