"""Start one member: find out what its volume holds, agree with the others, then become the server.

Runs as the command of the container and ends in exec, so signals and exit codes are the server's own.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import member
from decide import NOTHING, decide, newest

PATIENCE = float(os.environ["RECOVERY_PATIENCE_SECONDS"])
FORCE = os.environ["RECOVERY_FORCE"]

REPEAT = 30.0  # seconds after which a waiting member says again why it waits
OPTIONS = member.RUN / "member.cnf"  # the configuration, and what the scripts of a full copy read from nowhere else
TEMPORARY = member.VOLUME / "tmp"
GRASTATE = member.DATA / "grastate.dat"
SAVED = "# GALERA saved state\nversion: 2.1\nuuid:    {uuid}\nseqno:   -1\nsafe_to_bootstrap: {safe}\n"


def server(*options):
    """The command line of the server; what differs between members is here and not in the configuration file."""
    host = member.url_host(member.ADDRESS)
    return [
        "mariadbd",
        f"--defaults-file={OPTIONS}",
        f"--datadir={member.DATA}",
        f"--socket={member.SOCKET}",
        f"--pid-file={member.RUN}/mariadb.pid",
        f"--tmpdir={TEMPORARY}",
        f"--bind-address={member.ADDRESS}",
        f"--port={member.SQL_PORT}",
        f"--wsrep-node-name={member.POD}",
        f"--wsrep-node-address={host}:{os.environ['GROUP_PORT']}",
        f"--wsrep-node-incoming-address={host}:{member.SQL_PORT}",
        f"--wsrep-sst-receive-address={host}:{os.environ['SST_PORT']}",
        *options,
    ]


def provider_options():
    host = member.url_host(member.ADDRESS)
    return f"--wsrep-provider-options=gmcast.listen_addr=tcp://{host}:{os.environ['GROUP_PORT']};ist.recv_addr={host}:{os.environ['IST_PORT']};{os.environ['PROVIDER_OPTIONS']}"


def recovered_position():
    """(uuid, seqno) that the storage engine recovers to, or None if it cannot; no saved state file is needed."""
    log = subprocess.run(server("--wsrep-cluster-address=gcomm://", "--wsrep-recover"), capture_output=True, text=True)
    found = re.findall(r"Recovered position: ([0-9a-f-]{36}):(-?\d+)", log.stderr + log.stdout)
    if not found:
        print(log.stderr[-4000:], flush=True)
        return None
    return found[-1][0], int(found[-1][1])


def recorded_view():
    """(seqno, ordinals) of the last primary component this member was in; the engine has it as of the position."""
    out = member.RUN / "view"
    out.unlink(missing_ok=True)
    since = "(SELECT MAX(view_seqno) FROM mysql.wsrep_cluster)"
    members = "(SELECT GROUP_CONCAT(node_name) FROM mysql.wsrep_cluster_members)"
    query = f"SELECT {since}, {members} INTO OUTFILE '{out}';\n"
    subprocess.run(server("--wsrep-on=OFF", "--bootstrap"), input=query, capture_output=True, text=True)
    try:
        seqno, names = out.read_text(encoding="utf-8").split()
        return int(seqno), [int(name.rpartition("-")[2]) for name in names.split(",")]
    except (OSError, ValueError):
        return -1, []


def saved_state():
    """(uuid, seqno) as Galera saved them, or None.

    The seqno is -1 but after an orderly stop; the uuid is nothing where Galera found the data not to be the group's.
    """
    try:
        text = GRASTATE.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(r"^uuid: +([0-9a-f-]{36})\nseqno: +(-?\d+)$", text, re.MULTILINE)
    return (found[1], int(found[2])) if found else None


def examine():
    """What this volume holds, as a report."""
    known, saved = member.memory(), saved_state()
    copying = (member.DATA / "sst_in_progress").exists()
    facts = {"data": (member.DATA / "mysql").is_dir(), "uuid": known["uuid"], "seqno": -1, "view_seqno": -1, "view": []}
    facts["incomplete"] = known["incomplete"] or copying
    left = known["left"]
    if left == "running":
        left = "clean" if saved and saved[1] >= 0 else "crash"
        member.remember(left=left)
    if facts["data"] and not copying:
        position = recovered_position()
        if position and position[0] != NOTHING:
            facts["uuid"], facts["seqno"] = position
            facts["view_seqno"], facts["view"] = recorded_view()
            facts["incomplete"] = facts["incomplete"] or (saved is not None and saved[0] == NOTHING)
        facts["data"] = position is None or position[0] != NOTHING
    return {**facts, "epoch": known["epoch"], "forks": known["forks"], "left": left}


def publish(facts, phase, **more):
    member.write(member.PROGRESS, {**facts, "phase": phase, "beat": time.monotonic(), **more})


def agree(facts):
    """Wait until it is clear what to do, and do not guess before."""
    began, told, choice = time.monotonic(), ("", 0.0), None
    while True:
        publish(facts, "waiting", choice=choice, reason=told[0])
        reports = member.states()
        # The agent is in another container and may come up a moment later; its own report is needed too.
        if member.ORDINAL in reports:
            own = {**reports[member.ORDINAL], **facts, "phase": "waiting", "choice": choice, "serving": False}
            decision = decide(
                member.ORDINAL,
                len(member.MEMBERS),
                {**reports, member.ORDINAL: own},
                patience_over=time.monotonic() - began > PATIENCE,
                force=FORCE,
            )
            choice = decision.choice
            if decision.reason != told[0] or time.monotonic() - told[1] > REPEAT:
                told = (decision.reason, time.monotonic())
                member.say(f"{decision.action}: {decision.reason}")
            if decision.action != "wait":
                return decision, reports
        time.sleep(0.5)


def install():
    """An empty database, complete or not there at all.

    The server's own user comes in over the socket without a password; nobody else does.
    """
    new = member.VOLUME / "data.new"
    shutil.rmtree(new, ignore_errors=True)
    subprocess.run(
        ["mariadb-install-db", f"--defaults-file={OPTIONS}", f"--datadir={new}", f"--tmpdir={TEMPORARY}",
         "--auth-root-authentication-method=socket", "--auth-root-socket-user=mysql", "--skip-test-db", "--wsrep-on=0"],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    shutil.rmtree(member.DATA, ignore_errors=True)
    new.replace(member.DATA)


def peers(reports):
    """Addresses to look for the group at. A name without an address (its pod is gone) would only hold up the server."""
    found = [m for o, m in enumerate(member.MEMBERS) if o in reports or resolves(m)]
    return ",".join(f"{member.url_host(m)}:{os.environ['GROUP_PORT']}" for m in found)


def resolves(name):
    try:
        return bool(socket.getaddrinfo(name, None))
    except OSError:
        return False


def prepare(facts, decision, reports):
    """Bring the volume into the state that the decision needs; the options that go with it."""
    if decision.action == "copy":
        member.remember(incomplete=True)
    if decision.action == "create":
        install()
    if decision.action in ("create", "copy"):
        GRASTATE.unlink(missing_ok=True)
        member.DATA.mkdir(exist_ok=True)
    else:
        GRASTATE.write_text(
            SAVED.format(uuid=facts["uuid"], safe=int(decision.action == "bootstrap")), encoding="utf-8"
        )
    # One mechanism decides who continues, and it is this one: Galera's own restart from a saved view stays out of it.
    (member.DATA / "gvwstate.dat").unlink(missing_ok=True)

    serving = {o: r for o, r in reports.items() if r["serving"]}
    if serving:
        peer = newest(serving)
        member.remember(epoch=peer["epoch"], forks=peer["forks"])
    else:
        number = 1 + max([start[0] for r in reports.values() for start in r["forks"]], default=0)
        member.remember(forks=[*facts["forks"], [number, facts["seqno"], f"{member.POD} {time.time_ns()}"]][-100:])

    position = (
        [f"--wsrep-start-position={facts['uuid']}:{facts['seqno']}"] if decision.action in ("join", "bootstrap") else []
    )
    alone = ["--wsrep-new-cluster"] if decision.action in ("create", "bootstrap") else []
    return [f"--wsrep-cluster-address=gcomm://{peers(reports)}", provider_options(), *position, *alone]


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for mark in (member.DRAINING, member.LEAVING, member.SEALED):
        mark.unlink(missing_ok=True)
    TEMPORARY.mkdir(exist_ok=True)
    bind = f"[sst]\nsockopt = ,bind={member.url_host(member.ADDRESS)}\n"
    OPTIONS.write_text(f"!include {member.CONFIG}/server.cnf\n{bind}", encoding="utf-8")
    member.write(member.PROGRESS, {"phase": "preparing", "beat": time.monotonic()})
    facts = examine()
    member.say(f"volume: {facts}")
    decision, reports = agree(facts)
    options = prepare(facts, decision, reports)
    publish(facts, "starting", action=decision.action)
    command = server(*options)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
