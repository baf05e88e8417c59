"""What tracing a whole site takes: benches to render on, workers to do it, a store of what was found out before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from compiler.cache import Store
from compiler.model.instance import Instance
from compiler.model.names import Digest
from compiler.model.render import RenderRequest
from compiler.trace.experiment import Bench
from compiler.workers import Workers

_Job = TypeVar("_Job")


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

    def answers(
        self,
        questions: Sequence[tuple[RenderRequest, str]],
        job: Callable[[int], _Job],
        work: Callable[[_Job], bytes],
    ) -> tuple[bytes, ...]:
        """The answer to each question about a render: the one that was kept, or what ``work`` makes of its ``job``.

        ``job`` is asked by the number of the question, and can be pickled, as ``work`` can.
        """
        numbers = range(len(questions))
        if self.store is None:
            return tuple(self.workers.each(work, [job(number) for number in numbers]))
        keys = [self.digest(*question) for question in questions]
        known = {number: kept for number in numbers if (kept := self.store.get(keys[number])) is not None}
        missing = [number for number in numbers if number not in known]
        for number, answer in zip(missing, self.workers.each(work, [job(one) for one in missing]), strict=True):
            known[number] = answer
            self.store.put(keys[number], answer)
        return tuple(known[number] for number in numbers)
