# shellcheck shell=bash
# Start a proxy, or with `stop` let it go: closed to new clients after the first number of seconds, to all after the second.
set -eu

if [ "${1:-start}" = stop ]; then
  sleep "$2"
  kill -USR1 "$(cat "$RUN/haproxy.pid")"
  sleep "$3"
  exit 0
fi

# haproxy asks the name servers itself, with full names only: what the pod's search list would add is added here.
cluster=
# shellcheck disable=SC2013  # words are what it has
for domain in $(sed -n 's/^search//p' /etc/resolv.conf); do
  case $domain in svc.*) cluster=.${domain#svc.} ;; esac
done

i=0
for member in $MEMBERS; do
  case $member in *.svc) member=$member$cluster ;; *:*) member="[$member]" ;; esac
  export "MEMBER_$i=$member"
  i=$((i + 1))
done

echo $$ > "$RUN/haproxy.pid"
exec haproxy -db -f "$CONFIG/haproxy.cfg"
