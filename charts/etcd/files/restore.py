"""Bring the store of a running cluster back to what a snapshot holds, once for each request.

The snapshot is opened by an etcd of this pod alone, and what differs is written to the cluster as ordinary changes:
members, their number and their volumes stay as they are, revisions only grow, and watchers see what happens. Keys of a
lease are left alone on both sides: who held that lock or seat then is gone, and who holds it now is not. A run that was
cut short is run again from the beginning. Nobody should write meanwhile.
"""

import base64
import json
import os
import pathlib
import ssl
import subprocess
import sys
import time
import urllib.request

import cluster
from cluster import Failed

BACKUP, SCRATCH = pathlib.Path(os.environ["BACKUP"]), pathlib.Path(os.environ["SCRATCH"])
WANTED, REQUEST = os.environ["SNAPSHOT"], os.environ["REQUEST"]
DONE = BACKUP / f"restored-{REQUEST}"
HERE = f"http://127.0.0.1:{cluster.CLIENT}"
CLUSTER = os.environ["ETCDCTL_ENDPOINTS"]
PAGE, BATCH, BYTES = 500, 100, 500_000  # etcd takes 128 changes and 1.5 MiB at once


def trust():
    """The certificates that etcdctl would use."""
    if cluster.SCHEME == "http":
        return None
    context = ssl.create_default_context(cafile=os.environ["ETCDCTL_CACERT"])
    context.load_cert_chain(os.environ["ETCDCTL_CERT"], os.environ["ETCDCTL_KEY"])
    return context


def call(endpoint, path, body, context):
    """One call of etcd's JSON gateway. Raises Failed."""
    request = urllib.request.Request(f"{endpoint}/v3/{path}", json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=60, context=context) as answer:
            return json.load(answer)
    except OSError as error:
        raise Failed(f"{endpoint}/v3/{path}: {error}") from None


def coded(raw):
    return base64.b64encode(raw).decode()


def stored(endpoint, context=None):
    """Every key with its value and whether it has a lease, in the order of the keys."""
    start, more = b"\0", True
    while more:
        page = call(endpoint, "kv/range", {"key": coded(start), "range_end": coded(b"\0"), "limit": PAGE}, context)
        found = [(base64.b64decode(kv["key"]), kv.get("value", ""), "lease" in kv) for kv in page.get("kvs", [])]
        yield from found
        more = bool(page.get("more"))
        start = found[-1][0] + b"\0" if found else start


def changes(wanted, there):
    """What must be put and deleted so that `there` holds what `wanted` holds; both are sorted by their keys."""
    end = (None, "", False)
    want, have = next(wanted, end), next(there, end)
    while want[0] is not None or have[0] is not None:
        if have[0] is None or (want[0] is not None and want[0] < have[0]):
            if not want[2]:
                yield {"requestPut": {"key": coded(want[0]), "value": want[1]}}
            want = next(wanted, end)
        elif want[0] is None or have[0] < want[0]:
            if not have[2]:
                yield {"requestDeleteRange": {"key": coded(have[0])}}
            have = next(there, end)
        else:
            if not (want[2] or have[2]) and want[1] != have[1]:
                yield {"requestPut": {"key": coded(want[0]), "value": want[1]}}
            want, have = next(wanted, end), next(there, end)


def commit(every, context):
    """Write these changes in transactions that etcd takes; how many there were."""
    batch, size, count = [], 0, 0
    for change in every:
        batch.append(change)
        size, count = size + len(json.dumps(change)), count + 1
        if len(batch) == BATCH or size > BYTES:
            call(CLUSTER, "kv/txn", {"success": batch}, context)
            batch, size = [], 0
    if batch:
        call(CLUSTER, "kv/txn", {"success": batch}, context)
    return count


def chosen():
    """The snapshot that is wanted."""
    found = sorted(path.name for path in BACKUP.glob("*.db"))
    name = found[-1] if WANTED == "latest" and found else WANTED
    if name not in found:
        sys.exit(
            f"restore: `restore.snapshot` must name a snapshot, but is {WANTED!r}. "
            f"There are: {', '.join(found) or 'none'}"
        )
    return BACKUP / name


def opened(snapshot):
    """The etcd of this pod with the snapshot in it, once it answers."""
    store, peer = SCRATCH / "store", f"http://127.0.0.1:{cluster.PEER}"
    same = ["--name=snapshot", f"--initial-cluster=snapshot={peer}", f"--initial-advertise-peer-urls={peer}"]
    subprocess.run(["rm", "-rf", str(store)], check=True)
    if subprocess.run(["etcdutl", "snapshot", "restore", str(snapshot), f"--data-dir={store}", *same]).returncode:
        sys.exit(f"restore: {snapshot.name} cannot be opened; see above. The cluster was not touched")
    addresses = [f"--listen-peer-urls={peer}", f"--listen-client-urls={HERE}", f"--advertise-client-urls={HERE}"]
    server = subprocess.Popen(["etcd", *same, f"--data-dir={store}", *addresses, "--log-level=error"])
    for _ in range(300):
        try:
            next(stored(HERE), None)
        except Failed:
            time.sleep(0.2)
        else:
            return server
    server.kill()
    sys.exit(f"restore: the etcd with {snapshot.name} did not answer within a minute. The cluster was not touched")


def main():
    if DONE.exists():
        cluster.say(
            "restore", f"request {REQUEST!r} was done: {DONE.read_text()}. For another one change `restore.request`"
        )
        return
    snapshot, context = chosen(), trust()
    server = opened(snapshot)
    try:
        count = commit(changes(stored(HERE), stored(CLUSTER, context)), context)
    except Failed as error:
        sys.exit(f"restore: not finished, it is tried again: {error}")
    finally:
        server.kill()
        server.wait()
    DONE.write_text(f"{snapshot.name}, {count} changes")
    cluster.say("restore", f"the cluster holds what {snapshot.name} holds; {count} changes")


if __name__ == "__main__":
    main()
