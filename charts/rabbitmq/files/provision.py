"""Prepare the broker for one consumer: its virtual host, its user, and rights inside that virtual host only.

Every step reads first and writes only a difference, so running it again changes nothing. It talks to the management
API with the admin's credential and says what it changed.
"""

import base64
import hashlib
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

API = os.environ["API"]
ADMIN, ADMIN_PASSWORD = os.environ["ADMIN"], os.environ["ADMIN_PASSWORD"]
VHOST, USER, PASSWORD = os.environ["VHOST"], os.environ["USERNAME"], os.environ["PASSWORD"]
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
        answer = urllib.request.urlopen(request, timeout=30).read()
    except urllib.error.HTTPError as error:
        if error.code == 404 and method in ("GET", "DELETE"):
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
            if error.code == 401:
                sys.exit(
                    "the broker must accept the password of `%s`, but refuses it. Restart a member: it sets the Secret's."
                    % ADMIN
                )
            reason = error
        except OSError as error:
            reason = error
        if time.monotonic() > end:
            sys.exit("no answer from %s after %.0f s: %s" % (API, WAIT_SECONDS, reason))
        print("waiting for %s: %s" % (API, reason), flush=True)
        time.sleep(2)


def password_is(hashed):
    """Whether a stored hash is that of the password: base64 of a 4-byte salt and sha256(salt + password), says RabbitMQ's page on passwords."""
    raw = base64.b64decode(hashed)
    return raw == raw[:4] + hashlib.sha256(raw[:4] + PASSWORD.encode()).digest()


def ensure_vhost():
    found = call("GET", "vhosts", VHOST)
    if found is None or found.get("default_queue_type") != "quorum":
        call("PUT", "vhosts", VHOST, body={"default_queue_type": "quorum"})
        yield "virtual host %s" % VHOST


def ensure_user():
    found = call("GET", "users", USER)
    if found is None or found["tags"] or not password_is(found["password_hash"]):
        call("PUT", "users", USER, body={"password": PASSWORD, "tags": ""})
        yield "user %s" % USER


def ensure_rights():
    granted = {
        entry["vhost"]: {right: entry[right] for right in RIGHTS}
        for entry in call("GET", "users", USER, "permissions") or []
    }
    if granted.get(VHOST) != RIGHTS:
        call("PUT", "permissions", VHOST, USER, body=RIGHTS)
        yield "rights of %s in %s" % (USER, VHOST)
    for other in sorted(set(granted) - {VHOST}):
        call("DELETE", "permissions", other, USER)
        yield "no rights of %s in %s" % (USER, other)
    # Who creates a virtual host gets rights in it; the admin needs none there.
    if VHOST != "/" and call("GET", "permissions", VHOST, ADMIN) is not None:
        call("DELETE", "permissions", VHOST, ADMIN)
        yield "no rights of %s in %s" % (ADMIN, VHOST)


def main():
    await_broker()
    changes = [change for step in (ensure_vhost, ensure_user, ensure_rights) for change in step()]
    print("changed: " + (", ".join(changes) or "nothing"), flush=True)


if __name__ == "__main__":
    main()
