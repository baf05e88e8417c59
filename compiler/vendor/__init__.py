"""Charts of elsewhere, kept in the repository. Called by the pipeline.

``Shelf`` says where a chart is kept, and that it is the one that the lock names; it reads files and nothing else, so a
compile stays offline. ``fetch`` is the other half, and the only code of the compiler that asks a network: it brings the
charts that a site uses, with the helm program and with what the user has told that program of registries.
"""

from compiler.vendor.fetch import Fetched, fetch
from compiler.vendor.shelf import Shelf

__all__ = ["Fetched", "Shelf", "fetch"]
