"""Measure compiles of 10, 100 and 1,000 instances: cold, warm, and with one value changed; and what ``explain`` takes.

Run by ``make bench``. Each figure is that of whole processes: wall time, CPU time of the process and its children, and
the peak memory of the largest one. Beside each cold compile, the engine alone does the same renders in a process of its
own (loading the library, reading the charts, every render as often as the compiler renders it), and the ratio to it is
printed. Nothing fails on a figure: machines differ. Without arguments it ends in what ordering costs (``order.py``).
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent.parent
PROGRAM: Final = str(Path(sys.executable).with_name("oscompile"))
ENGINE: Final = Path(__file__).with_name("engine.py")
ORDER: Final = Path(__file__).with_name("order.py")
SIZES: Final = (10, 100, 1000)
CHARTS: Final = ("mariadb", "rabbitmq", "memcached", "keystone")
WARM_RUNS: Final = 5
QUESTIONS: Final = (
    ("keystone", "replicas.api"),
    ("mariadb", "replicas"),
    ("deployment/keystone-api", "spec.replicas"),
    ("statefulset/mariadb-server", "spec.replicas"),
)
ENVIRONMENT: Final = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
"""As users have it: Python keeps what it has compiled."""


@dataclass(frozen=True)
class Figures:
    """What one process cost."""

    wall: float
    cpu: float
    memory: float

    def __str__(self) -> str:
        return f"{self.wall:8.2f} s wall  {self.cpu:8.2f} s cpu  {self.memory:6.0f} MiB"


def measured(argv: Sequence[str], directory: Path) -> Figures:
    """Run a command to its end and say what it cost, children included."""
    started = time.perf_counter()
    process = subprocess.Popen(
        argv, cwd=directory, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(argv)} failed:\n{said}")
    return Figures(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def median(runs: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    return Figures(*(statistics.median(getattr(run, name) for run in runs) for name in ("wall", "cpu", "memory")))


def world(directory: Path, size: int) -> None:
    """A repository with one site of ``size`` instances, in namespaces of four that serve one another."""
    (directory / "environments" / "bench").mkdir(parents=True)
    shutil.copytree(ROOT / "charts", directory / "charts", symlinks=True)
    lines = [
        "apiVersion: oscompile/v1alpha1",
        "kind: Environment",
        "metadata: {name: bench}",
        'kubernetes: {version: "1.35"}',
        "secrets: {backend: external-secrets, store: vault}",
        "delivery:",
        "  output: rendered/bench",
        "  repository: {url: https://git.example.org/cloud/sites.git}",
        "  argocd: {}",
        "  flux: {}",
        "instances:",
        *instances(size),
    ]
    (directory / "environments" / "bench" / "environment.yaml").write_text("\n".join(lines) + "\n")


def instances(size: int) -> Iterator[str]:
    """The declarations; a site whose size is not a multiple of four ends in a smaller namespace."""
    for number in range(size):
        cell, chart = divmod(number, len(CHARTS))
        if chart == CHARTS.index("keystone") or number + len(CHARTS) - chart <= size:
            yield f"  {CHARTS[chart]}-{cell}: {{chart: {CHARTS[chart]}, namespace: cell-{cell}, values: {{}}}}"
        else:
            yield f"  memcached-{number}: {{chart: memcached, namespace: rest, values: {{}}}}"


def change_one_value(directory: Path) -> None:
    """Give one Keystone another number of replicas."""
    path = directory / "environments" / "bench" / "environment.yaml"
    text = path.read_text()
    path.write_text(
        text.replace(
            "keystone-0: {chart: keystone, namespace: cell-0, values: {}}",
            "keystone-0: {chart: keystone, namespace: cell-0, values: {replicas: {api: 5}}}",
        )
    )


def engine_alone(directory: Path) -> Figures:
    """What the engine needs for the same renders."""
    renders = directory / "renders.json"
    subprocess.run([sys.executable, str(ENGINE), "list", str(directory), str(renders)], check=True)
    return measured([sys.executable, str(ENGINE), "render", str(renders)], directory)


def report(size: int) -> None:
    """Measure and print one size."""
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        world(directory, size)
        compile_ = [PROGRAM, "bench"]
        cold = measured(compile_, directory)
        engine = engine_alone(directory)
        warm = median([measured(compile_, directory) for _ in range(WARM_RUNS)])
        change_one_value(directory)
        changed = measured(compile_, directory)
        objects = len(json.loads((directory / "rendered/bench/index.json").read_text())["objects"])
    print(f"{size} instances, {objects} objects")
    print(f"  cold                {cold}")
    print(f"  engine alone        {engine}")
    print(
        f"  cold / engine cpu   {cold.wall / engine.cpu:8.2f} wall  {cold.cpu / engine.cpu:8.2f} cpu   "
        f"(goal: wall within {1.5 * engine.cpu + 0.3:.2f} s)"
    )
    print(f"  nothing changed     {warm}   (median of {WARM_RUNS}; goal at 100: 0.3 s)")
    print(f"  one value changed   {changed}   (goal at 100: 0.5 s)", flush=True)


def report_explain() -> None:
    """Measure both questions of ``explain`` on the site that we ship: nothing cached, and after a compile."""
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        for name in ("charts", "environments", "overlays"):
            shutil.copytree(ROOT / name, directory / name, symlinks=True)
        measured([PROGRAM, "validate", "site-a"], directory)
        print("explain, on site-a (goal: 2 s)")
        for words in QUESTIONS:
            command = [PROGRAM, "explain", "site-a", *words]
            cold = measured([*command, "--no-cache"], directory)
            warm = median([measured(command, directory) for _ in range(WARM_RUNS)])
            print(f"  {' '.join(words)}\n    cold              {cold}\n    warm              {warm}", flush=True)


if __name__ == "__main__":
    print(
        f"{os.cpu_count()} cores, {resource.getpagesize() * os.sysconf('SC_PHYS_PAGES') // 2**30} GiB, "
        f"Python {sys.version.split()[0]}"
    )
    for wanted in [int(word) for word in sys.argv[1:]] or SIZES:
        report(wanted)
    report_explain()
    if not sys.argv[1:]:
        subprocess.run([sys.executable, str(ORDER)], check=True)
