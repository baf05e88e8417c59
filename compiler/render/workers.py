"""Where the work is done: in this process, in one for each core, or in somebody's executor."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Final

from compiler.errors import ProgramFailed
from compiler.model.render import RenderRequest
from compiler.render.one import Outcome

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future
    from multiprocessing.context import BaseContext

_WORTH: Final = 12
"""How many instances to render before it pays to start processes: each has to load the engine first."""

_BATCH: Final = 8
"""How many instances a worker is given at once, at most."""


def outcomes(
    requests: list[RenderRequest],
    work: Callable[[RenderRequest], Outcome],
    executor: Executor | None,
    jobs: int | None = None,
) -> Iterator[Outcome]:
    """The outcome of each request, in order. ``jobs`` is how many processes to start at most (one for each core)."""
    workers = jobs or _cores()
    if executor is None and (len(requests) < _WORTH or workers == 1):
        yield from map(work, requests)
        return
    size = max(1, min(_BATCH, len(requests) // (4 * workers)))
    batches = [tuple(requests[start : start + size]) for start in range(0, len(requests), size)]
    with nullcontext(executor) if executor is not None else _processes(workers) as pool, _explained():
        futures: list[Future[tuple[Outcome, ...]]] = [pool.submit(_work_batch, work, batch) for batch in batches]
        for future in futures:
            yield from future.result()


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


@contextmanager
def _processes(count: int) -> Iterator[Executor]:
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - a compile from the cache needs no processes

    pool = ProcessPoolExecutor(count, mp_context=_context())
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _context() -> BaseContext:
    """How to start a process: by forking, which is quick, where this process has neither threads nor a Go runtime."""
    from multiprocessing import get_context  # noqa: PLC0415 - as above

    alone = sys.platform == "linux" and threading.active_count() == 1 and "helm_python" not in sys.modules
    return get_context("fork" if alone else "spawn")


def _work_batch(work: Callable[[RenderRequest], Outcome], requests: tuple[RenderRequest, ...]) -> tuple[Outcome, ...]:
    return tuple(work(request) for request in requests)
