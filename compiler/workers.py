"""Where the work is done: in this process, in one for each core, or in somebody's executor."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self, TypeVar

from compiler.errors import ProgramFailed

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future
    from multiprocessing.context import BaseContext
    from types import TracebackType

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_WORTH: Final = 12
"""How many things to do before it pays to start processes: each has to load the engine first."""

_BATCH: Final = 8
"""How many things a worker is given at once, at most."""


class Workers:
    """Those who do the work of one compile, stage after stage. What they are handed and hand back is pickled.

    Without an ``executor``, ``jobs`` processes (one for each core, if it is None) that start when there is enough to do
    and end with the ``with`` block; this process alone where there is not, or where ``jobs`` is 1.
    """

    def __init__(self, executor: Executor | None = None, jobs: int | None = None) -> None:
        self._pool = executor
        self._own: Executor | None = None
        self._count = jobs or _cores()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._own is not None:
            self._own.shutdown(cancel_futures=True)

    def each(self, work: Callable[[_Item], _Result], items: Sequence[_Item]) -> Iterator[_Result]:
        """What ``work`` comes to for each of ``items``, in their order.

        Raises ``ProgramFailed`` where the system killed a worker.
        """
        pool = self._pool_for(len(items))
        if pool is None:
            yield from map(work, items)
            return
        size = max(1, min(_BATCH, len(items) // (4 * self._count)))
        batches = [tuple(items[start : start + size]) for start in range(0, len(items), size)]
        with _explained():
            futures: list[Future[tuple[_Result, ...]]] = [pool.submit(_batch, work, batch) for batch in batches]
            for future in futures:
                yield from future.result()

    def _pool_for(self, count: int) -> Executor | None:
        """Who does ``count`` things; None: this process."""
        if self._pool is None and self._count > 1 and count >= _WORTH:
            self._pool = self._own = _processes(self._count)
        return self._pool if count else None


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


@contextmanager
def _explained() -> Iterator[None]:
    """A worker that the system killed is nobody's bug: it is told as a program that failed."""
    try:
        yield
    except BrokenExecutor as error:
        said = "a worker process was killed; if memory is short, `--jobs 1` needs the least"
        raise ProgramFailed(program="oscompile", purpose="render the charts", code=None, said=said) from error


def _processes(count: int) -> Executor:
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - a compile from the cache needs no processes

    return ProcessPoolExecutor(count, mp_context=_context())


def _context() -> BaseContext:
    """How to start a process: by forking, which is quick, where this process has neither threads nor a Go runtime."""
    from multiprocessing import get_context  # noqa: PLC0415 - as above

    alone = sys.platform == "linux" and threading.active_count() == 1 and "helm_python" not in sys.modules
    return get_context("fork" if alone else "spawn")


def _batch(work: Callable[[_Item], _Result], items: tuple[_Item, ...]) -> tuple[_Result, ...]:
    return tuple(work(item) for item in items)
