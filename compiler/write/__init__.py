"""The tree, and the one step of a compile that has consequences. Called by the pipeline.

``lay_out`` says what the output is, ``compare`` what separates a directory from it, and ``deliver`` brings the
directory there, in one step that is either taken or not.
"""

from compiler.write.compare import compare
from compiler.write.deliver import deliver
from compiler.write.lay_out import lay_out

__all__ = ["compare", "deliver", "lay_out"]
