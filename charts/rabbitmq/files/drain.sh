#!/bin/sh
# Before a member stops: wait, for a bounded time, until every quorum queue and stream keeps a majority without it,
# then move leaderships away and close client connections. A member that does not run has nothing to drain.
# What it says goes to the log of the container: nobody reads the output of a hook.
[ -w /proc/1/fd/1 ] && exec >/proc/1/fd/1 2>&1

timeout 15 rabbitmq-diagnostics -q check_running
case $? in
  0 | 124) ;; # on a host that has no time for the question the member may well run: it is drained
  *)
    echo "drain: the member does not run; nothing to drain"
    exit 0
    ;;
esac
timeout "$QUORUM_SECONDS" rabbitmq-upgrade -q await_online_quorum_plus_one --timeout "$QUORUM_SECONDS" ||
  echo "drain: some queue has no majority without this member after $QUORUM_SECONDS s; stopping all the same"
timeout "$DRAIN_SECONDS" rabbitmq-upgrade -q drain ||
  echo "drain: not finished after $DRAIN_SECONDS s; stopping all the same"
