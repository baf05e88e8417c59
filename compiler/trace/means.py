"""What tracing a whole site takes: benches to render on, workers to do it, a store of what was found out before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from compiler.cache import Store
from compiler.model.instance import Instance
from compiler.model.names import Digest
from compiler.model.render import RenderRequest
from compiler.trace.experiment import Bench
from compiler.workers import Workers


@dataclass(frozen=True, slots=True)
class Means:
    """What tracing findings needs: a bench for each instance, and a store of what earlier compiles found out.

    ``request`` is the render of an instance, ``bench`` makes a bench for it and can be pickled; ``digest`` is that of a
    render and of a question about it.
    """

    request: Callable[[Instance], RenderRequest]
    bench: Callable[[RenderRequest], Bench]
    digest: Callable[[RenderRequest, str], Digest]
    store: Store | None = None
    workers: Workers = field(default_factory=lambda: Workers(jobs=1))

    def on(self, instance: Instance) -> Bench:
        """A bench for an instance."""
        return self.bench(self.request(instance))

    def key(self, instance: Instance, question: str) -> Digest:
        """Under what the answer to a question about an instance is kept."""
        return self.digest(self.request(instance), question)
