"""Rotate the keys in a Secret that every keystone pod mounts: staged, then primary, then retired, then gone.

Usage: rotate.py [COMMAND...]

A repository is what keystone reads: key 0 is staged, the highest number encrypts, all of them decrypt. Kubelets bring a
changed Secret to their pods one after another, so for a while pods differ by one rotation. That is harmless as long as

- a key becomes primary only when every pod has had it, staged, for ``STAGED_SECONDS``;
- a retired key stays as long as something encrypted with it may come back: ``RETIRED_SECONDS`` for tokens. Without that
  variable (credentials) COMMAND encrypts everything anew with the primary key: in every run, for what pods wrote with
  an older one before they knew of the last rotation, and again after a rotation, with the new primary key, which every
  pod has had as the staged one. Exactly one retired key stays, for the pods that do not know its successor as primary
  yet, and for the caches: keystone caches what is encrypted as it is. What was read before a rotation is in the key
  that stays; without the second round it would be in the one that goes.

When each key took its role is written in an annotation of the Secret. A run that is not due changes nothing, so runs
may be repeated and their schedule does not matter for correctness. The write carries the version that was read, so of
two runs at once one fails. Only ``get`` and ``patch`` of this one Secret are needed.
"""

import base64
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.request
from datetime import datetime
from itertools import pairwise
from pathlib import Path

SINCE = "oscompile.io/keys-since"
"""Annotation: when each key became staged (0) or primary (the others), in seconds."""

STAGED = 0


def new_key():
    """A Fernet key: 32 random bytes, as text."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def rotate(keys, since, now, staged_seconds, retired_seconds):
    """The keys after a rotation and when each took its role; None if the staged key is too young.

    ``keys`` and ``since`` map numbers to keys and to seconds. ``retired_seconds`` None keeps exactly one retired key.
    """
    if STAGED in keys and now - since[STAGED] < staged_seconds:
        return None
    after, times = dict(keys), dict(since)
    if STAGED in keys:
        primary = max(keys) + 1
        after[primary], times[primary] = after.pop(STAGED), now
    after[STAGED], times[STAGED] = new_key(), now
    active = sorted(number for number in after if number != STAGED)
    for number, successor in pairwise(active):
        retired = now - times[successor]
        gone = successor != active[-1] if retired_seconds is None else retired > retired_seconds
        if gone:
            del after[number], times[number]
    return after, times


class Secret:
    """One Secret, through the Kubernetes API."""

    def __init__(self, server, namespace, name, account):
        self.url = f"{server}/api/v1/namespaces/{namespace}/secrets/{name}"
        self.account = account
        self.body = self.request("GET")

    def request(self, method, body=None):
        """Send one request and return what the server says of the Secret."""
        authority = self.account / "ca.crt"
        context = ssl.create_default_context(cafile=authority) if self.url.startswith("https:") else None
        headers = {
            "Authorization": f"Bearer {(self.account / 'token').read_text()}",
            "Content-Type": "application/merge-patch+json",
        }
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(self.url, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            return json.load(answer)

    def keys(self):
        """The keys by number."""
        data = self.body.get("data") or {}
        return {int(number): base64.b64decode(key).decode() for number, key in data.items() if number.isdigit()}

    def since(self):
        """When each key took its role; for keys that nobody rotated yet, when the Secret was made."""
        metadata = self.body["metadata"]
        made = datetime.fromisoformat(metadata["creationTimestamp"]).timestamp()
        written = json.loads((metadata.get("annotations") or {}).get(SINCE, "{}"))
        return {number: written.get(str(number), int(made)) for number in self.keys()}

    def write(self, keys, since):
        """Replace the keys, unless somebody else changed the Secret since it was read."""
        data = {str(number): None for number in self.keys()}
        data |= {str(number): base64.b64encode(key.encode()).decode() for number, key in keys.items()}
        annotations = {SINCE: json.dumps(since, sort_keys=True)}
        metadata = {"resourceVersion": self.body["metadata"]["resourceVersion"], "annotations": annotations}
        self.request("PATCH", {"metadata": metadata, "data": data})


def encrypt_anew(command, keys, repository):
    """Run ``command`` with these keys in the directory ``repository``."""
    for path in repository.glob("[0-9]*"):
        path.unlink()
    for number, key in keys.items():
        path = repository / str(number)
        path.touch(mode=0o600)
        path.write_text(key)
    subprocess.run(command, check=True)


def main(command, environment):
    """Rotate once, if it is due."""
    secret = Secret(
        environment.get("KUBERNETES_API", "https://kubernetes.default.svc"),
        environment["NAMESPACE"],
        environment["SECRET"],
        Path(environment.get("SERVICE_ACCOUNT", "/var/run/secrets/kubernetes.io/serviceaccount")),
    )
    keys, since = secret.keys(), secret.since()
    if not keys:
        sys.exit(f"the Secret {environment['SECRET']} must hold keys 0 and 1, but holds none")
    if command:
        encrypt_anew(command, keys, Path(environment["KEY_DIRECTORY"]))
    retired = environment.get("RETIRED_SECONDS")
    after = rotate(
        keys, since, int(time.time()), int(environment["STAGED_SECONDS"]), None if retired is None else int(retired)
    )
    if after is None:
        print(f"not due: the staged key is {time.time() - since[STAGED]:.0f} s old")
        return
    secret.write(*after)
    if command:
        encrypt_anew(command, after[0], Path(environment["KEY_DIRECTORY"]))
    print(f"keys before: {sorted(keys)}, after: {sorted(after[0])}; {max(after[0])} is primary")


if __name__ == "__main__":
    main(sys.argv[1:], os.environ)
