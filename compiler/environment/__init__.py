"""Find the site that a reference means, and read what it is made of. Called by the pipeline, and by ``list``.

In comes what a person typed; out comes an ``Environment``: its documents, lowest layer first. Nothing is merged here.
"""

from compiler.environment.find import find, names
from compiler.environment.locate import repository

__all__ = ["find", "names", "repository"]
