"""The output in Git: one commit of exactly it, and the proof that Git holds exactly it. Called by the pipeline.

Git itself does the work (hooks, signatures, attributes and locks are its own), and nothing that is staged, edited or
lying about elsewhere is touched.
"""

from compiler.commit.check import check
from compiler.commit.message import message
from compiler.commit.record import record

__all__ = ["check", "message", "record"]
