"""Prepare the broker for one consumer: its virtual host, its user, and rights inside that virtual host only.

Every step reads first and writes only a difference, so running it again changes nothing. It talks to the management
API with the admin's credential and says what it changed.
"""

import base64
import hashlib
import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from http import HTTPStatus

API = os.environ["API"]
ADMIN, ADMIN_PASSWORD = os.environ["ADMIN"], os.environ["ADMIN_PASSWORD"]
VHOST, USER, PASSWORD = os.environ["VHOST"], os.environ["USERNAME"], os.environ["PASSWORD"]
CONTEXT = ssl.create_default_context(cafile=os.environ["AUTHORITY"]) if "AUTHORITY" in os.environ else None
WAIT_SECONDS = float(os.environ["WAIT_SECONDS"])
HEADERS = {
    "Authorization": "Basic " + base64.b64encode((ADMIN + ":" + ADMIN_PASSWORD).encode()).decode(),
    "Content-Type": "application/json",
}
RIGHTS = {"configure": ".*", "write": ".*", "read": ".*"}


def call(method, *path, body=None):
    """One request; the decoded answer, or None where the object does not exist."""
    url = API + "/api/" + "/".join(urllib.parse.quote(part, safe="") for part in path)
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=HEADERS)
    try:
        answer = urllib.request.urlopen(request, timeout=30, context=CONTEXT).read()
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.NOT_FOUND and method in ("GET", "DELETE"):
            return None
        raise
    return json.loads(answer) if answer else {}


def await_broker():
    """Wait until the API takes the admin's credential. A wrong one is not waited for."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return call("GET", "whoami")
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.UNAUTHORIZED:
                sys.exit(
                    f"the broker must accept the password of `{ADMIN}`, but refuses it. Restart a member to set it."
                )
            reason = error
        except OSError as error:
            reason = error
        if time.monotonic() > end:
            sys.exit(f"no answer from {API} after {WAIT_SECONDS:.0f} s: {reason}")
        print(f"waiting for {API}: {reason}", flush=True)
        time.sleep(2)


def password_is(hashed):
    """Whether a stored hash is the password's: base64 of a 4-byte salt and sha256(salt + password)."""
    raw = base64.b64decode(hashed)
    return raw == raw[:4] + hashlib.sha256(raw[:4] + PASSWORD.encode()).digest()


def ensure_vhost():
    found = call("GET", "vhosts", VHOST)
    if found is None or found.get("default_queue_type") != "quorum":
        call("PUT", "vhosts", VHOST, body={"default_queue_type": "quorum"})
        yield f"virtual host {VHOST}"


def ensure_user():
    found = call("GET", "users", USER)
    if found is None or found["tags"] or not password_is(found["password_hash"]):
        call("PUT", "users", USER, body={"password": PASSWORD, "tags": ""})
        yield f"user {USER}"


def ensure_rights():
    granted = {
        entry["vhost"]: {right: entry[right] for right in RIGHTS}
        for entry in call("GET", "users", USER, "permissions") or []
    }
    if granted.get(VHOST) != RIGHTS:
        call("PUT", "permissions", VHOST, USER, body=RIGHTS)
        yield f"rights of {USER} in {VHOST}"
    for other in sorted(set(granted) - {VHOST}):
        call("DELETE", "permissions", other, USER)
        yield f"no rights of {USER} in {other}"
    # Who creates a virtual host gets rights in it; the admin needs none there.
    if VHOST != "/" and call("GET", "permissions", VHOST, ADMIN) is not None:
        call("DELETE", "permissions", VHOST, ADMIN)
        yield f"no rights of {ADMIN} in {VHOST}"


def main():
    await_broker()
    changes = [change for step in (ensure_vhost, ensure_user, ensure_rights) for change in step()]
    print("changed: " + (", ".join(changes) or "nothing"), flush=True)


if __name__ == "__main__":
    main()
