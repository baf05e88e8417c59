#!/bin/sh
# Take this member out of the cluster for good, before `replicas` is lowered. Members leave one by one, the one with the
# highest number first, while all others run. Afterwards this member does not serve any more, whatever restarts it.
set -eu

first=rabbit@${MEMBERS%% *}
if [ "$first" = "$RABBITMQ_NODENAME" ]; then
  echo "leave: the first member stays; to stop the broker, remove the instance" >&2
  exit 1
fi
rabbitmq-diagnostics -q -n "$first" check_running
# Queues first, while this member's copies still count: two copies of which one is stopped have no majority.
rabbitmq-queues -q -n "$first" shrink "$RABBITMQ_NODENAME"
rabbitmqctl -q stop_app
rabbitmqctl -q -n "$first" forget_cluster_node "$RABBITMQ_NODENAME"
printf left >"$RABBITMQ_MNESIA_BASE/state"
echo "leave: $RABBITMQ_NODENAME has left; lower \`replicas\`, then remove its volume"
