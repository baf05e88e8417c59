"""Start one member of the cluster.

A member that belongs to the cluster starts at once, alone or not: its volume says so, in the file `state`.

A member whose volume is empty must never guess. If it formed a cluster of its own while the one it belongs to is merely
out of sight, clients would find an empty broker. So it waits, and says so to whoever connects to its distribution port,
until one of two things is certain:

* another member serves clients: it joins that one;
* it is the first member, and every other one says that it waits too: nobody has data, so it forms the cluster.

Only the very first start needs all members at once. Joining is RabbitMQ's documented procedure (start without clients,
stop_app, join_cluster) and not its peer discovery, where a member that is older than the one it finds forms its own
cluster. It can be cut short at any moment: `state` says `joining` until it is done, and then it is done again from the
beginning. Nothing else resets a volume. One that was reset from outside, by a cluster that forgot its member, is not
served from.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

WAITING = b"waiting\n"
POLL_SECONDS = 2
ELECTIONS = 10
# A member's whole list of peers: if RabbitMQ finds its volume reset it looks for this one for ever.
NOBODY = "cluster_formation.classic_config.nodes.1 = rabbit@the-volume-of-this-member-was-reset.invalid\n"
SECLUDED = """
listeners.tcp = none
management.tcp.ip = 127.0.0.1
prometheus.tcp.ip = 127.0.0.1
log.console.level = warning
"""


DATA = pathlib.Path(os.environ["RABBITMQ_MNESIA_BASE"])
STATE = DATA / "state"  # founding, joining, member, or left (leave.sh)
HOME = pathlib.Path(os.environ["HOME"])
SCRIPTS = pathlib.Path(__file__).parent
DISCOVERY = pathlib.Path(os.environ["RABBITMQ_CONFIG_FILES"])


def say(text):
    print(f"start: {text}", flush=True)


def node(host):
    return "rabbit@" + host


def command(*argv, stdin="", seconds=120):
    """Run a command line tool; one that hangs has failed."""
    try:
        return subprocess.run(
            argv, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(argv, 124, f"no answer after {seconds} s")


def briefly(output):
    return " ".join(output.split())[:300]


def record(text):
    """Write what this member is to its volume, whole or not at all."""
    draft = STATE.with_suffix(".new")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(STATE)


def answer(port):
    """Say to whoever connects that this member is waiting, until the returned socket is closed."""

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed: the wait is over
                return
            with connection, contextlib.suppress(OSError):
                connection.sendall(WAITING)

    listener = socket.create_server(("", port))
    threading.Thread(target=serve, daemon=True).start()
    return listener


def look(host, distribution, amqp):
    """What another member does: `serves` (it opens the clients' port last), `waits`, or `is not there` (yet)."""
    with contextlib.suppress(OSError):
        socket.create_connection((host, amqp), timeout=POLL_SECONDS).close()
        return "serves"
    try:
        with socket.create_connection((host, distribution), timeout=POLL_SECONDS) as connection:
            return "waits" if connection.recv(len(WAITING)) == WAITING else "is not there"
    except OSError:
        return "is not there"


def decide(me, members, distribution, amqp):
    """Wait until it is certain what to do. Returns the member to join, or None to form the cluster."""
    waiting = answer(distribution)
    before = None
    try:
        while True:
            now = {member: look(member, distribution, amqp) for member in members if member != me}
            serving = [member for member, what in now.items() if what == "serves"]
            if serving:
                return serving[0]
            if me == members[0] and all(what == "waits" for what in now.values()):
                return None
            if now != before:
                until = "another member serves, or all of them wait" if me == members[0] else "another member serves"
                say(f"this volume is empty: waiting until {until}; " + ", ".join(map(" ".join, now.items())))
                before = now
            time.sleep(POLL_SECONDS)
    finally:
        waiting.shutdown(socket.SHUT_RDWR)
        waiting.close()


def await_startup(server=None):
    """Wait until the broker of this member runs; for good, or as long as `server` lives."""
    while server is None or server.poll() is None:
        if command("rabbitmqctl", "-q", "await_startup", "--timeout", "300", seconds=330).returncode == 0:
            return
        time.sleep(POLL_SECONDS)


def join(me, peer):
    """Try once to make this member one of the peer's cluster. Returns whether it is."""
    # The cluster may know a member of this name: one that lost its volume, or one whose join was cut short. Its vote
    # must not count any more. What a forgotten member has is worth nothing, and a half joined one would not start.
    done = command("rabbitmqctl", "-q", "-n", node(peer), "forget_cluster_node", node(me))
    unknown = "not_a_cluster_node" in done.stdout or "not in the cluster" in done.stdout
    if done.returncode and not unknown:
        say(f"not joined yet: {briefly(done.stdout)}")
        return False
    for leftover in DATA.glob(f"{node(me)}*"):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    # The member's own configuration, but nobody outside can connect.
    own = pathlib.Path(os.environ["RABBITMQ_CONFIG_FILE"]).read_text().splitlines(keepends=True)
    conf = HOME / "joining.conf"
    dropped = ("listeners.", "management.", "ssl_options.", "log.console.level")
    kept = [line for line in own if not line.startswith(dropped)]
    conf.write_text("".join(kept) + SECLUDED)
    environment = dict(os.environ, RABBITMQ_CONFIG_FILE=str(conf))
    server = subprocess.Popen(["rabbitmq-server"], env=environment, start_new_session=True)
    try:
        await_startup(server)
        # join_cluster may succeed and yet be lost when the leader changes: only a member that starts has joined.
        for step in (["stop_app"], ["join_cluster", node(peer)], ["start_app"]):
            done = command("rabbitmqctl", "-q", *step)
            if done.returncode:
                say(f"not joined yet: {step[0]}: {briefly(done.stdout)}")
                return False
        return True
    finally:
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def register(me):
    """Let the broker find the log of every queue that it had, see register.escript."""
    systems = [DATA / node(me) / system / node(me) for system in ("coordination", "quorum")]
    done = command("escript", str(SCRIPTS / "register.escript"), *map(str, systems))
    print(done.stdout, end="", flush=True)
    if done.returncode:
        sys.exit("start: the broker must find the logs of all queues, but they could not be registered; see above")


# Copies of queues on this member that know no leader are asked to elect one; the answer names them.
ELECT = """
[begin ra:trigger_election({Name, node()}), Name end
 || {Name, _} <- ra_directory:list_registered(quorum_queues), ra_leaderboard:lookup_leader(Name) =:= undefined].
"""


def elect():
    """Get every queue a leader.

    Copies that were made, but killed before their very first election, wait for one for ever: nobody starts it, and
    such a queue can neither be used nor deleted. To be asked once too often harms none: without a majority, or with a
    leader that the others know, the election comes to nothing.
    """
    for _ in range(ELECTIONS):
        done = command("rabbitmqctl", "-q", "eval", ELECT)
        if done.returncode == 0 and done.stdout.strip() == "[]":
            break
        time.sleep(POLL_SECONDS)


def settle():
    """What a member makes sure of when it runs: queues have leaders, the admin's password, the feature flags.

    The Secret is the truth about the password, also when it changed since the first start. Feature flags that a release
    brings must be on before the next release can be installed; they can be once every member has it.
    """
    await_startup()
    record("member")
    elect()
    user, password = os.environ["RABBITMQ_DEFAULT_USER"], os.environ["RABBITMQ_DEFAULT_PASS"]
    # With one more argument, be it -q, rabbitmqctl would not read the password from its input, and hang.
    if command("rabbitmqctl", "authenticate_user", user, stdin=password + "\n").returncode:
        done = command("rabbitmqctl", "change_password", user, stdin=password + "\n")
        say(f"the password of {user} {'could not be made' if done.returncode else 'is now'} the Secret's")
    done = command("rabbitmqctl", "-q", "enable_feature_flag", "all")
    if done.returncode:
        say(f"some feature flags are off until the last member has started: {briefly(done.stdout)}")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # as process 1 it would be ignored
    me = os.environ["RABBITMQ_NODENAME"].split("@", 1)[1]
    members = os.environ["MEMBERS"].split()
    distribution, amqp = int(os.environ["RABBITMQ_DIST_PORT"]), int(os.environ["AMQP_PORT"])
    if me not in members:
        sys.exit(f"start: {me} must be one of {members}, but is not. Raise `replicas`, or remove the pod.")

    # Erlang wants a cookie that its user owns and nobody else can read; a mounted Secret is owned by root.
    cookie = HOME / ".erlang.cookie"
    if cookie.exists():
        cookie.unlink()
    cookie.touch(mode=0o600)
    cookie.write_bytes(pathlib.Path(os.environ["COOKIE_FILE"]).read_bytes().strip())
    cookie.chmod(0o400)

    DISCOVERY.write_text("")
    DATA.mkdir(parents=True, exist_ok=True)
    if not STATE.exists() and (DATA / node(me)).exists():
        record("member")  # a volume from elsewhere is not empty
    if STATE.exists() and STATE.read_text() == "left":
        say("this member has left the cluster: lower `replicas`, or remove its volume to let it join again")
        answer(distribution)
        signal.pause()
    while not STATE.exists() or STATE.read_text() == "joining":
        peer = decide(me, members, distribution, amqp)
        if peer is None:
            say("every member waits and none has data: forming the cluster")
            record("founding")
            break
        say(f"joining {peer}")
        record("joining")
        if join(me, peer):
            record("member")
        else:
            time.sleep(POLL_SECONDS)

    register(me)
    if STATE.read_text() == "member":
        DISCOVERY.write_text(NOBODY)
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        settle()
        os._exit(0)
    os.execvp("rabbitmq-server", ["rabbitmq-server"])


if __name__ == "__main__":
    main()
