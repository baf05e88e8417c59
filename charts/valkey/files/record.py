"""How much of the cluster's life a volume holds, read from the append-only files themselves.

The guard of the primary writes a mark every second: the epoch in which the sentinels made it the primary, and a count.
It is the first thing that a new primary writes, before anybody else may. Replication carries it to the replicas between
the same commands. So (epoch, count, commands since) says of any two volumes which one holds more, whether their servers
run or not: in one epoch one of them is a beginning of the other, and a later epoch began with everything of an earlier
one that a majority had.

Right after the append-only file was rewritten, commands between the last mark and the rewriting are not counted, for at
most a second.
"""

import mmap
import pathlib
import re

import cluster

KEY = cluster.MARK.encode()
IN_LOG = re.compile(rb"\r\n\$\d+\r\n(\d+):(\d+)\r\n")
IN_SNAPSHOT = re.compile(rb"[\x03-\x3f](\d+):(\d+)")  # its length, then the text
MANIFEST = "appendonly.aof.manifest"
SELECT = b"$6\r\nSELECT\r\n"


def files(directory):
    """The append-only files in their order: the snapshot that they begin with, then the logs."""
    manifest = directory / MANIFEST
    if not manifest.is_file():
        return []
    found = re.findall(r"^file (\S+) seq (\d+) type ([bi])", manifest.read_text(errors="replace"), re.MULTILINE)
    ordered = sorted(found, key=lambda file: (file[2] == "i", int(file[1])))
    return [directory / name for name, _, _ in ordered if (directory / name).is_file()]


def count(text, start):
    """The whole commands of a log from here on, without those that only select a database."""
    found = 0
    while text[start : start + 1] == b"*":
        end = text.find(b"\r\n", start)
        if end < 0:
            return found
        parts, at = int(text[start + 1 : end]), end + 2
        select = text[at : at + len(SELECT)].upper() == SELECT
        for _ in range(parts):
            end = text.find(b"\r\n", at)
            if text[at : at + 1] != b"$" or end < 0:
                return found
            at = end + 2 + int(text[at + 1 : end]) + 2
        if at > len(text):
            return found
        found, start = found + (not select), at
    return found


def read(directory):
    """(epoch, mark, commands since) of a volume; None if it holds nothing."""
    since, content = 0, False
    for path in reversed(files(pathlib.Path(directory))):
        if not path.stat().st_size:
            continue
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            log = path.name.endswith(".incr.aof")
            at = text.rfind(KEY)
            mark = (IN_LOG if log else IN_SNAPSHOT).match(text, at + len(KEY)) if at >= 0 else None
            if mark:
                return int(mark[1]), int(mark[2]), since + (count(text, mark.end()) if log else 0)
            commands = count(text, 0) if log else 0
        since, content = since + commands, content or commands > 0
    return (-1, 0, since) if content else None
