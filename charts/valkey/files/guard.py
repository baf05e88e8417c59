"""What stands beside a running server: opens it for writes, marks its life, keeps it from being promoted wrongly.

Sentinel promotes a replica and moves the clients; it neither asks whether the old primary still takes writes, which
replicas may still confirm, nor what a replica held before it was started. So

* a server is closed (it asks for more good replicas than there are) until a majority of the sentinels names it as the
  primary of their newest epoch. The mark of that epoch is the first write. When a majority names another one, it is
  closed again. Open, it wants so many good replicas that a majority has every write soon, or it refuses.
* no replica may be promoted (its priority is 0), but for two cases. A primary that leaves has named it, in the data,
  after its last write. Or a majority of the sentinels misses the primary; then each replica first leaves it, so that it
  confirms no write any more, and of a majority of such replicas the one that holds most may be promoted. It asks its
  sentinel for it. Whatever a majority had confirmed, one of them has, so this one has it.
* accounts of consumers are in the data (provision.py writes them), so every member has them, also one that is new.
"""

import os
import pathlib
import time

import cluster
import handover

TICK_SECONDS = 0.3
MARK_SECONDS = 1.0
ACCOUNTS_SECONDS = 2.0
HANDOVER_SECONDS = 30.0
ASK_SECONDS = 1.5
NOWHERE = "192.0.2.1"  # of a network that is for documentation only: whom a replica follows that left its primary
# Sentinel's own clockwork: it learns soon that a replica may be promoted.
CLOCK = ("info-period", 1000, "ping-period", 500, "tilt-period", 10000)
RUN = pathlib.Path(os.environ["RUN"])


class Guard:
    """`reason` says why this member is not ready; `served` that its server has answered once."""

    def __init__(self, me, held, pages):
        self.me, self.held, self.pages = me, held, pages
        self.served, self.looked, self.reason = False, 0.0, "the server has not answered yet"
        self.is_open, self.priority, self.left, self.leaving = False, 0, None, False
        self.epoch, self.count, self.marked, self.settled, self.asked = -1, 0, 0.0, 0.0, 0.0
        self.users, self.certificate = {}, self._certificate()
        self.server = self.sentinel = None

    def watch(self):
        """Look after the server as long as it runs."""
        while True:
            try:
                self.look()
            except (OSError, cluster.Refused, ValueError) as error:
                self.reason, self.server = f"the server does not answer: {error}", None
            self.looked = time.monotonic()
            time.sleep(TICK_SECONDS)

    def look(self):
        """One look."""
        if self.server is None:
            self.server = cluster.Connection("localhost", cluster.SERVER, seconds=5)
        info = self.server.info()
        self.server.call("PING")  # refused while it loads
        self.served = True
        draining = (RUN / "draining").exists()
        reason = self.as_primary(info, draining) if info["role"] == "master" else self.as_replica(info)
        if reason != self.reason and reason:
            cluster.say("guard", reason)
        self.reason = reason
        if time.monotonic() - self.settled > ACCOUNTS_SECONDS:
            self.settled = time.monotonic()
            self.keep_accounts()
            self.keep_sentinel()
            self.keep_certificate()

    # The primary.

    def as_primary(self, info, draining):
        """Open it where a majority wants it, keep its mark going. Why it is not ready."""
        decision = cluster.decided()
        mine = decision is not None and decision.certain and decision.host == self.me
        if self.is_open and decision is not None and decision.certain and not mine:
            self.close(f"closed: a majority of the sentinels names {cluster.name_of(decision.host)}")
        if draining:
            self.hand_over(float(os.environ["DRAIN_SECONDS"]), len(cluster.MEMBERS))
            (RUN / "draining").unlink(missing_ok=True)
            self.leaving = True
        if self.leaving:
            return "closed: it hands over and stops"
        if mine and (not self.is_open or decision.epoch != self.epoch):
            self.open(decision.epoch)
        if not self.is_open:
            return "closed: no majority of the sentinels names it as the primary"
        return self.keep_open(info)

    def keep_open(self, info):
        """Mark; follow the wanted number of members. Why it is not ready."""
        size = self.size()
        wanted = needed(size)
        self.server.call("CONFIG", "SET", "min-replicas-to-write", wanted)
        if cluster.ordinal(self.me) >= size:
            self.hand_over(HANDOVER_SECONDS, size)
            return "closed: it is too many, and hands over"
        if time.monotonic() - self.marked > MARK_SECONDS:
            self.marked, self.count = time.monotonic(), self.count + 1
            try:
                self.server.call("SET", cluster.MARK, f"{self.epoch}:{self.count}")
            except cluster.Refused as error:
                return f"refuses writes: {error}"
        good = int(info.get("min_slaves_good_slaves", 0))
        return "" if good >= wanted else f"refuses writes: {good} replicas of {wanted} follow closely"

    def hand_over(self, seconds, size):
        """Let another one of the first `size` members be the primary."""
        self.close("closed: it hands over")
        handover.hand_over(self.server, self.me, time.monotonic() + seconds, size)

    def open(self, epoch):
        """Let writes in; the mark of the epoch is the first, whatever clients send meanwhile."""
        before = (self.server.call("GET", cluster.MARK) or "").partition(":")
        self.epoch, self.count = epoch, int(before[2]) + 1 if before[0] == str(epoch) else 1
        opened = self.server.together(
            ("CONFIG", "SET", "min-replicas-to-write", 0),
            ("SET", cluster.MARK, f"{epoch}:{self.count}"),
            ("DEL", cluster.SUCCESSOR),
            ("CONFIG", "SET", "min-replicas-to-write", needed(self.size())),
        )
        refused = [answer for answer in opened if isinstance(answer, cluster.Refused)]
        if refused:
            self.close(f"closed: it cannot be opened: {refused[0]}")
            raise refused[0]
        self.marked, self.is_open, self.left = time.monotonic(), True, None
        self.prefer(0)
        cluster.say("guard", f"open for writes as the primary of epoch {epoch}")

    def close(self, reason):
        """Let no more writes in."""
        self.server.call("CONFIG", "SET", "min-replicas-to-write", cluster.CLOSED)
        self.is_open = False
        cluster.say("guard", reason)

    def size(self):
        """How many members there are to be: what resize.py wrote, but not more than this pod knows of."""
        return min(int(self.server.call("GET", cluster.SIZE) or len(cluster.MEMBERS)), len(cluster.MEMBERS))

    # A replica.

    def as_replica(self, info):
        """Closed, and promoted only if it may be. Why it is not ready."""
        if self.is_open or info.get("min_slaves_good_slaves") is None:
            self.close("closed: a replica now")
        decision = cluster.decided()
        if decision is not None and decision.certain and decision.host != self.me:
            self.follow(info["master_host"], decision)
        up = info["master_link_status"] == "up"
        if self.left is not None:
            self.stand()
        else:
            self.prefer(100 if up and self.server.call("GET", cluster.SUCCESSOR) == self.me else 0)
        if up:
            return ""
        return f"not connected to its primary {cluster.name_of(decision.host) if decision else info['master_host']}"

    def follow(self, host, decision):
        """Leave a primary that a majority misses; go back to it, or to the next one, when they miss it no more."""
        if host == decision.host and decision.down:
            self.server.call("REPLICAOF", NOWHERE, cluster.SERVER)
            self.left = decision.epoch
            cluster.say("guard", f"leaves {cluster.name_of(host)}, which a majority of the sentinels misses")
        elif host == NOWHERE and not decision.down:
            self.server.call("REPLICAOF", decision.host, cluster.SERVER)
            self.left = None
        elif host != NOWHERE:
            self.left = None

    def stand(self):
        """Have this member promoted, if it holds most of a majority that has left the primary, too."""
        others = [host for host in cluster.MEMBERS if host != self.me and cluster.ordinal(host) < self.size()]
        told = {host: said for host, said in cluster.at_once(self.pages.ask, others).items() if said}
        theirs = {host: said["record"] for host, said in told.items() if said["left"] == self.left and said["record"]}
        mine = self.held()
        ranks = [(*record, -cluster.ordinal(host)) for host, record in theirs.items()]
        first = mine is not None and (*mine, -cluster.ordinal(self.me)) > max(ranks, default=())
        if not first or len(theirs) + 1 < cluster.MAJORITY or cluster.ordinal(self.me) >= self.size():
            self.prefer(0)
            return
        self.prefer(100)
        if time.monotonic() - self.asked > ASK_SECONDS:
            self.asked = time.monotonic()
            cluster.say("guard", f"holds most of {len(theirs) + 1} that left the primary, and asks to be the next")
            self.ask()

    def ask(self):
        """Ask this member's sentinel to promote the only member that may be."""
        try:
            with cluster.Connection("localhost", cluster.SENTINEL, "sentinel") as sentinel:
                sentinel.call("SENTINEL", "FAILOVER", cluster.NAME)
        except (OSError, cluster.Refused) as error:
            cluster.say("guard", f"the sentinel does not do it yet: {error}")

    def prefer(self, priority):
        """0 keeps Sentinel from promoting it."""
        if priority != self.priority:
            self.server.call("CONFIG", "SET", "replica-priority", priority)
            self.priority = priority

    # What changes while it runs.

    def keep_accounts(self):
        """Let the consumers' accounts be those in the data."""
        flat = self.server.call("HGETALL", cluster.USERS)
        wanted = dict(zip(flat[::2], flat[1::2], strict=True))
        for user in [user for user in self.users if user not in wanted]:
            self.server.call("ACL", "DELUSER", user)
            del self.users[user]
        for user in [user for user in wanted if self.users.get(user) != wanted[user]]:
            try:
                self.server.call("ACL", "SETUSER", user, "reset", *wanted[user].split())
            except cluster.Refused as error:
                cluster.say("guard", f"the account {user} is not as it should be: {error}")
            self.users[user] = wanted[user]

    def keep_sentinel(self):
        """Set the clockwork of this member's sentinel, also after it was started again."""
        try:
            if self.sentinel is None:
                self.sentinel = cluster.Connection("localhost", cluster.SENTINEL, "sentinel")
                self.sentinel.call("SENTINEL", "DEBUG", *CLOCK)
            self.sentinel.call("PING")
        except (OSError, cluster.Refused):
            self.sentinel = None

    def keep_certificate(self):
        """Take a renewed certificate into the server and the pages; a sentinel takes it by starting again."""
        now = self._certificate()
        if now == self.certificate:
            return
        files = {"ca-cert-file": "ca.crt", "cert-file": "tls.crt", "key-file": "tls.key"}
        settings = [part for name, file in files.items() for part in (f"tls-{name}", cluster.TLS / file)]
        self.server.call("CONFIG", "SET", *settings)
        self.pages.certify()
        if self.sentinel is not None:
            self.sentinel.together(("SHUTDOWN",))
            self.sentinel = None
        self.certificate = now
        cluster.say("guard", "the certificate was renewed")

    @staticmethod
    def _certificate():
        return (cluster.TLS / "tls.crt").read_bytes() if cluster.TLS else b""


def needed(size):
    """The good replicas with which a primary is a majority."""
    return size // 2
