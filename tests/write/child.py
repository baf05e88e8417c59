"""A compile's last step in a process of its own, so that it can be killed, starved and forbidden things for real.

``python -m tests.write.child WHAT ARGUMENT...`` prints one JSON document. Nothing is replaced or pretended: processes die
of SIGKILL, disks are small, and system calls are refused by the kernel (seccomp), as old container runtimes and network
file systems refuse them.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import platform
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Final

from compiler import write
from compiler.errors import OscompileError
from compiler.model.tree import Tree
from tests.write.trees import seen, texts, tree_of

OLD: Final = tree_of({"openstack/keystone/a.yaml": "a: 1\n", "openstack/keystone/b.yaml": "b: 1\n", "c.yaml": "c: 1\n"})
NEW: Final = tree_of(
    {"openstack/keystone/a.yaml": "a: 1\n", "openstack/keystone/b.yaml": "b: 2\n", "d/d.yaml": "d: 1\n"}
)
NEXT: Final = tree_of({"openstack/keystone/a.yaml": "a: 3\n"})
FOREIGN: Final = {"openstack/notes": "mine\n", "mine/notes": "mine\n"}

_WATCHED: Final = {f"{os.sep}compiler{os.sep}write{os.sep}": "line", f"{os.sep}shutil.py": "call"}
_SYSTEM_CALLS: Final = {"x86_64": {"renameat2": 316, "linkat": 265}, "aarch64": {"renameat2": 276, "linkat": 37}}


def forbid(call: str) -> None:
    """Have the kernel refuse a system call to this process: exchanging two names, or making hard links."""
    number = _SYSTEM_CALLS[platform.machine()][call]
    refused = 0x00050000 | (errno.EINVAL if call == "renameat2" else errno.EPERM)
    load, equal, answer = 0x20, 0x15, 0x06
    program = [
        (load, 0, 0, 0),  # the number of the call
        (equal, 0, 1, number),
        (answer, 0, 0, refused),
        (answer, 0, 0, 0x7FFF0000),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    filters = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    library: Any = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, seccomp, filtered = 38, 22, 2
    assert library.prctl(no_new_privileges, 1, 0, 0, 0) == 0
    assert library.prctl(seccomp, filtered, filters, 0, 0) == 0, os.strerror(ctypes.get_errno())


def die_at(step: int) -> None:
    """Die of SIGKILL before the line of ours (or the call of what removes trees) that is the ``step``-th to run."""
    left = step

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        nonlocal left
        watched = next((kind for part, kind in _WATCHED.items() if part in frame.f_code.co_filename), None)
        if watched is None:
            return None
        if event == watched:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


def die_once_there(path: Path) -> None:
    """Die of SIGKILL as soon as ``path`` is there."""

    def trace(_frame: FrameType, _event: str, _: object) -> Callable[..., Any]:
        if path.exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


def attempt(tree: Tree, output: Path) -> str:
    """Deliver; say what went wrong, if anything."""
    try:
        write.deliver(tree, output, patience=120)
    except OscompileError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def kill_everywhere(where: str, *forbidden: str) -> object:
    """Deliver ``NEW`` over ``OLD``, killed at each step in turn; what was found after each, and after the next compile."""
    found: dict[str, int] = {}
    for step in range(1, 10_000):
        output = Path(where) / "rendered" / "site-a"
        shutil.rmtree(output.parent, ignore_errors=True)
        attempt(OLD, output)
        for name, text in FOREIGN.items():
            (output / name).parent.mkdir(exist_ok=True)
            (output / name).write_text(text, encoding="utf-8")
        if not _killed(step, output, forbidden):
            return {"steps": step, "found": found}
        state = _state(output)
        then = attempt(NEXT if step % 2 else OLD, output) or _left(output, NEXT if step % 2 else OLD)
        key = f"{state}; then {then or 'whole'}"
        found[key] = found.get(key, 0) + 1
    raise AssertionError("a delivery takes fewer steps than this")


def _killed(step: int, output: Path, forbidden: tuple[str, ...]) -> bool:
    child = os.fork()
    if child == 0:
        for call in forbidden:
            forbid(call)
        die_at(step)
        write.deliver(NEW, output)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _state(output: Path) -> str:
    if not output.exists():
        return "missing"
    now = seen(output)
    whole = {"old": {**texts(OLD), **FOREIGN}, "new": {**texts(NEW), **FOREIGN}}
    return next((name for name, tree in whole.items() if tree == now), f"broken: {sorted(now)}")


def _left(output: Path, tree: Tree) -> str:
    if _names(output.parent) != [output.name]:
        return f"leftovers: {_names(output.parent)}"
    return "" if seen(output) == {**texts(tree), **FOREIGN} else f"broken: {sorted(seen(output))}"


def without(where: str, *forbidden: str) -> object:
    """Deliver ``NEW`` over ``OLD`` where the kernel refuses some calls."""
    output = Path(where) / "site-a"
    attempt(OLD, output)
    (output / "link").symlink_to("nowhere")
    before = (output / "openstack/keystone/a.yaml").stat()
    for call in forbidden:
        forbid(call)
    said = attempt(NEW, output)
    after = (output / "openstack/keystone/a.yaml").stat()
    return {
        "said": said,
        "seen": seen(output.parent),
        "same file": after.st_ino == before.st_ino,
        "same time": after.st_mtime_ns == before.st_mtime_ns,
    }


def killed_at_work(where: str) -> object:
    """Deliver ``NEW``, killed while it is being made."""
    output = Path(where)
    child = os.fork()
    if child == 0:
        die_once_there(output.with_name(f".oscompile-{output.name}") / "new" / "d" / "d.yaml")
        write.deliver(NEW, output)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def replaced(where: str) -> object:
    """Deliver ``NEW`` over an old tree with notes of somebody's."""
    output = Path(where)
    said = attempt(NEW, output)
    notes = output / "notes"
    text = notes.read_text(encoding="utf-8")
    notes.unlink()
    return {"said": said, "state": _bare_state(output), "notes": text, "beside": _names(output.parent)}


def kill_over_a_layer(where: str, stride: str) -> object:
    """Deliver ``NEW`` over an ``OLD`` that a lower layer of an overlay holds, killed at every ``stride``-th step."""
    found: dict[str, int] = {}
    base = Path(where)
    layers = {name: base / name for name in ("image", "upper", "work", "root")}
    attempt(OLD, layers["image"] / "rendered" / "site-a")
    for name, text in FOREIGN.items():
        path = layers["image"] / "rendered" / "site-a" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for step in range(1, 10_000, int(stride)):
        _overlay(layers)
        output = layers["root"] / "rendered" / "site-a"
        killed = _killed(step, output, ())
        state = _state(output).partition(":")[0]
        key = f"{state}; then {attempt(NEXT, output) or _left(output, NEXT) or 'whole'}"
        subprocess.run(["umount", layers["root"]], check=True)
        if not killed:
            return {"steps": step, "found": found}
        found[key] = found.get(key, 0) + 1
    raise AssertionError("a delivery takes fewer steps than this")


def _overlay(layers: Mapping[str, Path]) -> None:
    for name in ("upper", "work", "root"):
        shutil.rmtree(layers[name], ignore_errors=True)
        layers[name].mkdir()
    own = "userxattr," if os.environ.get("UNPRIVILEGED") else ""
    options = f"{own}lowerdir={layers['image']},upperdir={layers['upper']},workdir={layers['work']}"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, layers["root"]], check=True)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def run_out(where: str) -> object:
    """Deliver ``NEW`` over ``OLD`` on the disk ``where``, which has room for ``OLD`` and not for more."""
    output = Path(where) / "rendered" / "site-a"
    before = attempt(OLD, output)
    large = tree_of({"openstack/keystone/a.yaml": "a: 1\n", "large.yaml": "x" * 4_000_000})
    said = attempt(large, output)
    return {"before": before, "said": said, "whole": seen(output) == texts(OLD), "left": _names(output.parent)}


def run_out_of_names(where: str) -> object:
    """The same on the disk ``where`` that has room for few more files; and whether anything is left of the attempt."""
    output = Path(where) / "rendered" / "site-a"
    if attempt(OLD, output):
        return {"first": True, "left": _names(Path(where))}
    said = attempt(NEW, output)
    left = _names(output.parent)
    return {"first": False, "said": said.splitlines()[:1], "state": _bare_state(output), "left": left}


def _bare_state(output: Path) -> str:
    return {json.dumps(texts(OLD)): "old", json.dumps(texts(NEW)): "new"}.get(
        json.dumps(dict(sorted(seen(output).items()))), "broken"
    )


def deliver(where: str, which: str) -> object:
    """Deliver one of the trees; say what went wrong."""
    return attempt({"old": OLD, "new": NEW, "next": NEXT}[which], Path(where))


def hold(folder: str) -> object:
    """Be the compile that is at work: hold the lock until standard input ends."""
    Path(folder).mkdir()
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    (Path(folder) / "holder").write_text("process 4711 on build-3", encoding="utf-8")
    sys.stdout.write("held\n")
    sys.stdout.flush()
    sys.stdin.read()
    return "let go"


def race(where: str, until: str) -> object:
    """Deliver one tree after the other, many times, from a moment agreed with others; what went wrong."""
    time.sleep(max(0.0, float(until) - time.time()))
    said = [attempt(tree, Path(where)) for _ in range(10) for tree in (OLD, NEW, NEXT)]
    return [text for text in said if text]


def as_user(number: str, *rest: str) -> object:
    """Do the rest as somebody else."""
    os.setgroups([])
    os.setgid(int(number))
    os.setuid(int(number))
    return COMMANDS[rest[0]](*rest[1:])


COMMANDS: Final[dict[str, Callable[..., object]]] = {
    "as_user": as_user,
    "deliver": deliver,
    "hold": hold,
    "kill_everywhere": kill_everywhere,
    "kill_over_a_layer": kill_over_a_layer,
    "killed_at_work": killed_at_work,
    "race": race,
    "replaced": replaced,
    "run_out": run_out,
    "run_out_of_names": run_out_of_names,
    "without": without,
}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])))
